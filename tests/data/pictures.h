#pragma once
// Picture files of every kind, made byte by byte, so that anything in them can be made wrong.
// clang-format off
#include <cstdio>  // which jpeglib.h needs
#include <jpeglib.h>
// clang-format on
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace vae::test {

inline std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}
inline std::string little_endian(uint32_t value, int bytes = 4) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> 8 * i));
  return text;
}

inline std::string png_chunk(const std::string& type, const std::string& content) {
  const std::string checked = type + content;
  const uLong crc =
      crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
  return big_endian(static_cast<uint32_t>(content.size())) + checked + big_endian(static_cast<uint32_t>(crc));
}
inline std::string png_header(uint32_t width, uint32_t height, int depth, int colour, int interlaced = 0) {
  std::string content = big_endian(width) + big_endian(height);
  for (const int byte : {depth, colour, 0, 0, interlaced}) content.push_back(static_cast<char>(byte));
  return png_chunk("IHDR", content);
}
inline std::string zlib_stream(const std::string& content) {
  std::string packed(compressBound(content.size()), '\0');
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(content.data()),
           content.size());
  return packed.substr(0, size);
}
inline const std::string kPngSignature = "\x89PNG\r\n\x1a\n";
/// A whole PNG of given chunks before the pixels, and rows that each begin with their filter.
inline std::string png(const std::string& chunks, const std::string& rows) {
  return kPngSignature + chunks + png_chunk("IDAT", zlib_stream(rows)) + png_chunk("IEND", "");
}

/// A row of samples, packed and behind its filter; `before` is the packed row above, or empty.
inline std::string png_row(const std::vector<int>& samples, int depth, int filter, int step,
                           std::string& before) {
  std::string row;
  for (size_t i = 0; i < samples.size(); ++i) {
    if (depth == 16) row.push_back(static_cast<char>(samples[i] >> 8));
    if (depth >= 8) row.push_back(static_cast<char>(samples[i]));
    if (depth < 8 && i * depth % 8 == 0) row.push_back('\0');
    if (depth < 8) row.back() = static_cast<char>(row.back() | samples[i] << (8 - depth - i * depth % 8));
  }
  if (before.empty()) before.assign(row.size(), '\0');
  const auto at = [&](const std::string& text, int i) { return i < 0 ? 0 : static_cast<uint8_t>(text[i]); };
  std::string filtered(1, static_cast<char>(filter));
  for (int i = 0; i < static_cast<int>(row.size()); ++i) {
    const int left = at(row, i - step), up = at(before, i), corner = at(before, i - step),
              p = left + up - corner;
    const int nearest = std::abs(p - left) <= std::abs(p - up) && std::abs(p - left) <= std::abs(p - corner)
                            ? left
                        : std::abs(p - up) <= std::abs(p - corner) ? up
                                                                   : corner;
    const int guesses[] = {0, left, up, (left + up) / 2, nearest};
    filtered.push_back(static_cast<char>(row[i] - guesses[filter]));
  }
  before = row;
  return filtered;
}

/// A BMP with the header of Windows 3; `info` more than that: longer headers, masks and palette.
struct Bmp {
  uint32_t width = 4, height = 3, depth = 24, compression = 0, colours = 0, header = 40, planes = 1;
  std::string info{}, pixels{};
  std::string file() const {
    const auto offset = static_cast<uint32_t>(14 + 40 + info.size());
    const std::string body = little_endian(header) + little_endian(width) + little_endian(height) +
                             little_endian(planes, 2) + little_endian(depth, 2) + little_endian(compression) +
                             little_endian(0) + little_endian(0) + little_endian(0) + little_endian(colours) +
                             little_endian(0) + info + pixels;
    return "BM" + little_endian(static_cast<uint32_t>(14 + body.size())) + little_endian(0) +
           little_endian(offset) + body;
  }
};

/// A JPEG of pixels [height, width, channels]: grey (1), RGB (3) or CMYK (4).
inline std::string jpeg(const std::vector<uint8_t>& pixels, int height, int width, int channels,
                        bool progressive = false) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_height = static_cast<JDIMENSION>(height);
  info.image_width = static_cast<JDIMENSION>(width);
  info.input_components = channels;
  info.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 95, TRUE);
  if (progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  for (int y = 0; y < height; ++y) {
    auto* row = const_cast<uint8_t*>(&pixels[static_cast<size_t>(y) * width * channels]);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::string file(reinterpret_cast<char*>(bytes), size);
  jpeg_destroy_compress(&info);
  std::free(bytes);
  return file;
}

}  // namespace vae::test
