#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "data/bytes.h"
#include "data/decode.h"
#include "tensor/error.h"

namespace vae::data {
namespace {

using Bytes = std::span<const std::byte>;

constexpr int64_t kMaxRatio = 1032;  // of deflate

enum Colour { kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgbAlpha = 6 };

struct PngHeader {
  ImageSize size;
  int depth, colour;
  bool interlaced;
  int samples() const { return colour == kRgb ? 3 : colour == kRgbAlpha ? 4 : colour == kGreyAlpha ? 2 : 1; }
  bool has_depth() const {  // one that goes with its colours
    switch (colour) {
      case kGrey:
        return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
      case kPalette:
        return depth == 1 || depth == 2 || depth == 4 || depth == 8;
      case kRgb:
      case kGreyAlpha:
      case kRgbAlpha:
        return depth == 8 || depth == 16;
      default:
        return false;
    }
  }
};

/// The pixels (y0 + i dy, x0 + j dx), stored as a picture of their own.
struct Pass {
  int y0, x0, dy, dx;
};
constexpr Pass kWhole[] = {{0, 0, 1, 1}};
constexpr Pass kAdam7[] = {{0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4},
                           {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}};

struct Rows {
  int64_t height, width, bytes;  // bytes of a row, without that of its filter
};
Rows rows_of(const PngHeader& header, const Pass& pass) {
  const int64_t height = (header.size.height - pass.y0 + pass.dy - 1) / pass.dy,
                width = (header.size.width - pass.x0 + pass.dx - 1) / pass.dx;
  if (height < 1 || width < 1) return {0, 0, 0};
  return {height, width, (width * header.samples() * header.depth + 7) / 8};
}

std::span<const Pass> passes_of(const PngHeader& header) {
  return header.interlaced ? std::span<const Pass>(kAdam7) : std::span<const Pass>(kWhole);
}

PngHeader parse_header(Bytes content, const std::string& name, const ExpectedSize& size) {
  if (content.size() != 13)
    fail(ErrorKind::data, "{}: damaged PNG picture (IHDR of {} bytes)", name, content.size());
  const auto byte = [&](int i) { return std::to_integer<int>(content[i]); };
  const PngHeader header{checked_size(big_endian32(&content[4]), big_endian32(&content[0]), name, size),
                         byte(8), byte(9), byte(12) == 1};
  if (!header.has_depth() || byte(10) != 0 || byte(11) != 0 || byte(12) > 1)
    fail(ErrorKind::data, "{}: damaged PNG picture (no such format: {} bits, colours {}, methods {} {} {})",
         name, header.depth, header.colour, byte(10), byte(11), byte(12));
  return header;
}

/// Unpacks a zlib stream that comes in parts, to a known number of bytes.
class Inflater {
 public:
  Inflater(size_t expected, const std::string& name) : expected_(expected), name_(name) {
    VAE_CHECK(inflateInit(&stream_) == Z_OK, "zlib cannot start");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void add(Bytes part) {
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(part.data()));
    stream_.avail_in = static_cast<uInt>(part.size());
    std::array<uint8_t, 1 << 15> buffer;
    do {
      if (finished_) break;
      stream_.next_out = buffer.data();
      stream_.avail_out = buffer.size();
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        damaged(stream_.msg ? stream_.msg : zError(status));
      finished_ = status == Z_STREAM_END;
      content_.insert(content_.end(), buffer.data(), stream_.next_out);
      if (content_.size() > expected_) damaged("more pixels than its size has");
    } while (stream_.avail_in > 0 || stream_.avail_out == 0);
    if (stream_.avail_in > 0) damaged("bytes follow the pixels");
  }
  std::vector<uint8_t> finish() {
    if (!finished_ || content_.size() != expected_) damaged("fewer pixels than its size has");
    return std::move(content_);
  }

 private:
  [[noreturn]] void damaged(const char* how) {
    fail(ErrorKind::data, "{}: damaged PNG picture ({})", name_, how);
  }
  z_stream stream_{};
  std::vector<uint8_t> content_;
  size_t expected_;
  const std::string& name_;
  bool finished_ = false;
};

struct Content {
  PngHeader header;
  Bytes palette;              ///< red, green, blue of each entry
  Bytes transparency;         ///< of tRNS: alpha of entries, or the samples of the colour that is not seen
  std::vector<uint8_t> rows;  ///< of every pass: a byte for the filter, then samples
};

/// Walks the chunks.
Content parse_png(Bytes file, const std::string& name, const ExpectedSize& size) {
  std::optional<PngHeader> header;
  std::optional<Inflater> inflater;
  Bytes palette, transparency;
  std::string_view before;
  for (size_t at = 8;;) {
    const size_t left = file.size() - at;
    const size_t length = left < 12 ? left : big_endian32(&file[at]);
    if (left < 12 || length > left - 12)
      fail(ErrorKind::data, "{}: damaged PNG picture (the file ends early)", name);
    const std::string_view type(reinterpret_cast<const char*>(&file[at + 4]), 4);
    const Bytes content = file.subspan(at + 8, length);
    const auto* checked = reinterpret_cast<const Bytef*>(&file[at + 4]);
    if (crc32(0, checked, static_cast<uInt>(length + 4)) != big_endian32(&file[at + 8 + length]))
      fail(ErrorKind::data, "{}: damaged PNG picture (wrong checksum of a chunk)", name);
    if (!std::ranges::all_of(type, [](unsigned char c) { return std::isalpha(c); }))
      fail(ErrorKind::data, "{}: damaged PNG picture (no such chunk)", name);
    const auto check_order = [&](bool right) {
      if (!right) fail(ErrorKind::data, "{}: damaged PNG picture ({} is out of place)", name, type);
    };
    check_order(header.has_value() != (type == "IHDR"));
    if (type == "IHDR") {
      header = parse_header(content, name, size);
    } else if (type == "PLTE") {
      check_order(!inflater && palette.empty() && header->colour != kGrey && header->colour != kGreyAlpha);
      const size_t most = header->colour == kPalette ? size_t{1} << header->depth : 256;
      if (length == 0 || length % 3 != 0 || length / 3 > most)
        fail(ErrorKind::data, "{}: damaged PNG picture (a palette of {} bytes)", name, length);
      palette = content;
    } else if (type == "tRNS") {
      const int colour = header->colour;
      check_order(!inflater && transparency.empty() && (colour != kPalette || !palette.empty()));
      const bool right = colour == kGrey      ? length == 2
                         : colour == kRgb     ? length == 6
                         : colour == kPalette ? length > 0 && length <= palette.size() / 3
                                              : false;
      if (!right) fail(ErrorKind::data, "{}: damaged PNG picture (tRNS of {} bytes)", name, length);
      transparency = content;
    } else if (type == "IDAT") {
      check_order(inflater ? before == "IDAT" : header->colour != kPalette || !palette.empty());
      if (!inflater) {
        int64_t bytes = 0;
        for (const Pass& pass : passes_of(*header)) {
          const Rows rows = rows_of(*header, pass);
          bytes += rows.height * (rows.bytes + 1);
        }
        if (bytes / kMaxRatio > static_cast<int64_t>(file.size()))
          fail(ErrorKind::data, "{}: damaged PNG picture (fewer pixels than its size has)", name);
        inflater.emplace(bytes, name);
      }
      inflater->add(content);
    } else if (type == "IEND") {
      check_order(inflater.has_value() && length == 0);
      return {*header, palette, transparency, inflater->finish()};
    } else {
      check_order(std::to_integer<int>(file[at + 4]) &
                  0x20);  // others may be left out where the letter is small
    }
    before = type;
    at += 12 + length;
  }
}

uint8_t paeth(int left, int up, int corner) {
  const int a = std::abs(up - corner), b = std::abs(left - corner), c = std::abs(left + up - 2 * corner);
  return static_cast<uint8_t>(a <= b && a <= c ? left : b <= c ? up : corner);
}

/// Undoes the filter of a row; `before` is the row above, or zeros.
void unfilter(int filter, uint8_t* row, const uint8_t* before, int64_t bytes, int64_t step,
              const std::string& name) {
  if (filter > 4) fail(ErrorKind::data, "{}: damaged PNG picture (no such filter: {})", name, filter);
  for (int64_t i = 0; i < bytes; ++i) {
    const int left = i < step ? 0 : row[i - step], corner = i < step ? 0 : before[i - step], up = before[i];
    const int guess = filter == 1   ? left
                      : filter == 2 ? up
                      : filter == 3 ? (left + up) / 2
                      : filter == 4 ? paeth(left, up, corner)
                                    : 0;
    row[i] = static_cast<uint8_t>(row[i] + guess);
  }
}

int sample(const uint8_t* row, int64_t i, int depth) {
  if (depth == 16) return row[2 * i] << 8 | row[2 * i + 1];
  if (depth == 8) return row[i];
  const int64_t bit = i * depth;
  return row[bit / 8] >> (8 - depth - bit % 8) & ((1 << depth) - 1);
}

/// Of the pixel whose samples begin at `first`, the alpha, 0 to 255.
int alpha_of(const Content& png, const uint8_t* row, int64_t first) {
  const auto& [header, palette, transparency, rows] = png;
  const int depth = header.depth, colours = header.colour == kGrey || header.colour == kGreyAlpha ? 1 : 3;
  if (header.colour == kGreyAlpha || header.colour == kRgbAlpha)
    return sample(row, first + colours, depth) >> (depth - 8);
  if (header.colour == kPalette) {
    const auto entry = static_cast<size_t>(sample(row, first, depth));
    return entry < transparency.size() ? std::to_integer<int>(transparency[entry]) : 255;
  }
  for (int c = 0; c < colours; ++c)
    if (transparency.empty() ||
        sample(row, first + c, depth) != static_cast<int>(big_endian16(&transparency[2 * c])))
      return 255;
  return 0;
}

}  // namespace

Image decode_png(std::span<const std::byte> file, const std::string& name, const ExpectedSize& size) {
  Content png = parse_png(file, name, size);
  const PngHeader& header = png.header;
  const auto entries = static_cast<int>(png.palette.size() / 3);
  const int samples = header.samples();
  const auto level = [&](int sample) {
    return static_cast<uint8_t>(header.depth == 16 ? sample >> 8 : sample * 255 / ((1 << header.depth) - 1));
  };
  Image image{header.size, header.colour == kGrey || header.colour == kGreyAlpha ? 1 : 3, {}};
  const int64_t pixels = int64_t{image.size.height} * image.size.width;
  image.pixels.resize(pixels * image.channels);
  if (header.colour == kGreyAlpha || header.colour == kRgbAlpha || !png.transparency.empty())
    image.alpha.resize(pixels);
  uint8_t* row = png.rows.data();
  for (const Pass& pass : passes_of(header)) {
    const Rows rows = rows_of(header, pass);
    const std::vector<uint8_t> zeros(rows.bytes);
    const uint8_t* before = zeros.data();
    for (int64_t y = 0; y < rows.height; ++y) {
      const int filter = *row++;
      unfilter(filter, row, before, rows.bytes, std::max(1, samples * header.depth / 8), name);
      for (int64_t x = 0; x < rows.width; ++x) {
        const int64_t at = (pass.y0 + y * pass.dy) * image.size.width + pass.x0 + x * pass.dx;
        uint8_t* pixel = &image.pixels[at * image.channels];
        if (!image.alpha.empty()) image.alpha[at] = static_cast<uint8_t>(alpha_of(png, row, x * samples));
        const int first = sample(row, x * samples, header.depth);
        if (header.colour == kPalette && first >= entries)
          fail(ErrorKind::data, "{}: damaged PNG picture (colour {} of a palette of {})", name, first,
               entries);
        for (int c = 0; c < image.channels; ++c)
          pixel[c] = header.colour == kPalette ? std::to_integer<uint8_t>(png.palette[3 * first + c])
                                               : level(sample(row, x * samples + c, header.depth));
      }
      before = row;
      row += rows.bytes;
    }
  }
  if (std::ranges::count(image.alpha, 255) == pixels) image.alpha.clear();
  return image;
}

}  // namespace vae::data
