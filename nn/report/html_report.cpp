#include "nn/report/html_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "nn/report/html_style.h"
#include "nn/report/markup.h"
#include "tensor/error.h"
#include "tensor/file.h"

namespace vae::report {
namespace {

/// Whether a cell reads as a number, a percentage or "mean ± std": it starts with a whole number that ends
/// the cell or is followed by space or %.
bool is_numeric(const std::string& cell) {
  double value = 0;
  const char* end = cell.data() + cell.size();
  const auto [stop, error] = std::from_chars(cell.data(), end, value);
  return error == std::errc{} && (stop == end || *stop == ' ' || *stop == '%');
}

std::string table_row(const char* element, const std::vector<std::string>& cells,
                      const std::vector<bool>& numeric) {
  std::string row = "<tr>";
  for (size_t i = 0; i < cells.size(); ++i)
    row += fmt::format("<{0}{1}>{2}</{0}>", element, numeric[i] ? " class=\"num\"" : "",
                       escape_markup(cells[i]));
  return row + "</tr>\n";
}

std::string fact_list(const char* kind, const std::vector<Fact>& facts) {
  std::string list = fmt::format("<dl class=\"{}\">\n", kind);
  for (const auto& [name, value] : facts)
    list += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape_markup(name), escape_markup(value));
  return list + "</dl>\n";
}

/// Width or height of a PNG file, at that offset of its head.
int extent_of(std::span<const std::byte> png, size_t offset) {
  int extent = 0;
  for (size_t i = 0; i < 4; ++i) extent = extent << 8 | std::to_integer<int>(png[offset + i]);
  return extent;
}

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

void flatten(const Json& json, const std::string& name, std::vector<Fact>& facts) {
  const bool plain_array =
      json.is_array() && std::ranges::none_of(json, [](const Json& e) { return e.is_structured(); });
  if (!json.is_structured() || json.empty() || plain_array) {
    std::vector<std::string> elements;
    if (plain_array) std::ranges::transform(json, std::back_inserter(elements), dump);
    facts.emplace_back(name, json.is_string() ? json.get<std::string>()
                             : plain_array    ? fmt::format("[{}]", fmt::join(elements, ", "))
                                              : dump(json));
    return;
  }
  size_t index = 0;
  for (const auto& [key, value] : json.items()) {
    const std::string inner = json.is_array() ? fmt::format("{}[{}]", name, index++)
                              : name.empty()  ? key
                                              : name + "." + key;
    flatten(value, inner, facts);
  }
}

}  // namespace

std::vector<Fact> flatten_json(const nlohmann::ordered_json& json) {
  std::vector<Fact> facts;
  flatten(json, "", facts);
  return facts;
}

HtmlReport::HtmlReport(std::string title, std::string subtitle)
    : title_(std::move(title)), subtitle_(std::move(subtitle)) {}

void HtmlReport::add_section(const std::string& title) {
  body_ += fmt::format("{}<section>\n<h2>{}</h2>\n", in_section_ ? "</section>\n" : "", escape_markup(title));
  in_section_ = true;
}

void HtmlReport::add_text(const std::string& paragraph) {
  body_ += fmt::format("<p>{}</p>\n", escape_markup(paragraph));
}

void HtmlReport::add_headline(const std::vector<Fact>& facts) { body_ += fact_list("headline", facts); }

void HtmlReport::add_facts(const std::vector<Fact>& facts) { body_ += fact_list("facts", facts); }

void HtmlReport::add_table(const std::vector<std::string>& header,
                           const std::vector<std::vector<std::string>>& rows, bool beside) {
  std::vector<bool> numeric(header.size(), !rows.empty());
  for (const auto& row : rows) {
    VAE_CHECK(row.size() == header.size(), "table row of {} cells under a header of {}", row.size(),
              header.size());
    for (size_t i = 0; i < row.size(); ++i)
      numeric[i] = numeric[i] && (is_numeric(row[i]) || row[i].empty() || row[i] == "-");
  }
  body_ += fmt::format("<div class=\"table{}\"><table>\n<thead>{}</thead>\n<tbody>\n",
                       beside ? " beside" : "", table_row("th", header, numeric));
  for (const auto& row : rows) body_ += table_row("td", row, numeric);
  body_ += "</tbody></table></div>\n";
}

void HtmlReport::add_preformatted(const std::string& text) {
  body_ += fmt::format("<pre>{}</pre>\n", escape_markup(text));
}

void HtmlReport::add_json(const nlohmann::ordered_json& json) { add_facts(flatten_json(json)); }

void HtmlReport::add_figure(const Figure& figure, const std::string& caption) {
  constexpr size_t kLarge = 200'000;  // as of thousands of points
  const std::string svg = figure.svg();
  const std::vector<std::byte> png =
      svg.size() < kLarge ? std::vector<std::byte>() : encode_png(figure.image());
  const bool as_svg = png.empty() || svg.size() <= png.size();
  embed(as_svg ? std::as_bytes(std::span(svg)) : png,
        {"drawn", as_svg ? "svg+xml" : "png", figure.width, figure.height}, caption);
}

void HtmlReport::add_image(const Image& image, const std::string& caption) {
  add_png(encode_png(image), caption);
}

void HtmlReport::add_png(std::span<const std::byte> png, const std::string& caption) {
  constexpr size_t kWidthAt = 16, kHeightAt = 20, kHead = 24;
  VAE_CHECK(png.size() > kHead, "{} bytes are no PNG file", png.size());
  embed(png, {"image", "png", extent_of(png, kWidthAt), extent_of(png, kHeightAt)}, caption);
}

void HtmlReport::embed(std::span<const std::byte> bytes, const Embedded& picture,
                       const std::string& caption) {
  constexpr int kColumn = 680, kMostDrawn = 760;  // of a wide screen; a figure that is legible in it
  const bool drawn = picture.kind == std::string_view("drawn");
  const int least = picture.width * (drawn ? 60 : 42) / 100;  // letters of 7 pixels, enlarged pixels of one
  const int most = drawn ? picture.width * 6 / 5 : picture.width;
  const std::string text = escape_markup(caption);
  body_ += fmt::format(
      "<figure class=\"{}{}\">\n<div><img alt=\"{}\" width=\"{}\" height=\"{}\" "
      "style=\"min-width:{}px;max-width:{}px\" src=\"data:image/{};base64,{}\"></div>\n{}</figure>\n",
      picture.kind, least > kColumn || (drawn && picture.width > kMostDrawn) ? " wide" : "", text,
      picture.width, picture.height, least, most, picture.type, base64(bytes),
      text.empty() ? "" : fmt::format("<figcaption>{}</figcaption>\n", text));
}

std::string HtmlReport::html() const {
  const std::string title = escape_markup(title_);
  const std::string subtitle =
      subtitle_.empty() ? "" : fmt::format("<p class=\"subtitle\">{}</p>\n", escape_markup(subtitle_));
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}</title>\n<style>\n{1}</style>\n"
      "</head>\n<body>\n<main>\n<h1>{0}</h1>\n{2}{3}{4}</main>\n</body>\n</html>\n",
      title, kHtmlStyle, subtitle, body_, in_section_ ? "</section>\n" : "");
}

void HtmlReport::write(const std::filesystem::path& path) const { write_file_atomically(path, html()); }

}  // namespace vae::report
