#pragma once
// The decoders behind read_image(): the bytes of a whole file to pixels, 1 (grey) or 3 (RGB) channels as
// stored, without transparency. `name` is that of the file, for errors. All throw Error(data) for anything
// that is damaged, incomplete or of a kind they do not know, and take memory only as pixels arrive.
#include <span>
#include <string>

#include "data/image_file.h"

namespace vae::data {

/// Every kind of PNG; samples of 16 bits lose the lower 8. Checks all chunks and their CRCs, the zlib stream
/// with its Adler checksum, that it holds just the pixels that IHDR claims, filters and palette indices.
Image decode_png(std::span<const std::byte> file, const std::string& name);

/// Uncompressed BMP: 1, 4, 8 bits with a palette, 16, 24 and 32 bits with or without masks.
Image decode_bmp(std::span<const std::byte> file, const std::string& name);

/// Baseline and progressive JPEG, grey or colour, by libjpeg-turbo, whose warnings are errors here.
Image decode_jpeg(std::span<const std::byte> file, const std::string& name);

/// The size that a header claims: 1 to 16384 pixels on a side, at most 2^26 in all.
ImageSize checked_size(int64_t height, int64_t width, const std::string& name);

}  // namespace vae::data
