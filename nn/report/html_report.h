#pragma once
// A report in one HTML file: style inline, pictures embedded, no scripts, nothing loaded from elsewhere,
// readable on light and dark screens of any width and on paper. All text is escaped.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "nn/report/figure.h"
#include "nn/report/image.h"

namespace vae::report {

/// A name and its value, as shown.
using Fact = std::pair<std::string, std::string>;

class HtmlReport {
 public:
  explicit HtmlReport(std::string title, std::string subtitle = {});

  /// Content added from here on stands under this heading.
  void add_section(const std::string& title);
  void add_text(const std::string& paragraph);
  /// The few numbers that matter, large.
  void add_headline(const std::vector<Fact>& facts);
  /// Names and values, for environment, times, hashes.
  void add_facts(const std::vector<Fact>& facts);
  /// Throws Error(internal) unless every row has as many cells as the header. Cells that are numbers are
  /// aligned right. `beside`: in the other column of a wide screen than the figure before.
  void add_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows,
                 bool beside = false);
  /// Lines kept as they are, in a fixed-width font.
  void add_preformatted(const std::string& text);
  /// A configuration as a table of dotted names and values.
  void add_json(const nlohmann::ordered_json& json);
  /// A figure as an embedded SVG, or PNG where that is smaller; its colours follow the screen's light.
  /// Pictures that follow each other stand in two columns of a wide screen; what is wider scrolls.
  void add_figure(const Figure& figure, const std::string& caption);
  /// An image as an embedded PNG.
  void add_image(const Image& image, const std::string& caption);
  /// The bytes of a PNG file, embedded. Throws Error(internal) for other bytes.
  void add_png(std::span<const std::byte> png, const std::string& caption);

  std::string html() const;
  /// Writes html() atomically. Throws Error(io) naming the path.
  void write(const std::filesystem::path& path) const;

 private:
  struct Embedded {
    const char* kind;  ///< of the element: drawn or image
    const char* type;  ///< of the bytes
    int width, height;
  };
  void embed(std::span<const std::byte> bytes, const Embedded& picture, const std::string& caption);

  std::string title_, subtitle_, body_;
  bool in_section_ = false;
};

/// Leaves of a JSON value with dotted names ("model.hidden"), arrays of plain values in one line; in document
/// order.
std::vector<Fact> flatten_json(const nlohmann::ordered_json& json);

}  // namespace vae::report
