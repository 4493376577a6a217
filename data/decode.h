#pragma once
// The decoders behind read_image(): the bytes of a whole file to pixels, 1 (grey) or 3 (RGB) channels as
// stored, and what of them is transparent. `name` is that of the file, for errors, `size` what it must be.
// All throw Error(data) for anything that is damaged, incomplete, of another size or of a kind they do not
// know, and take memory only as pixels arrive.
#include <span>
#include <string>

#include "data/image_file.h"

namespace vae::data {

using ExpectedSize = std::optional<ImageSize>;  ///< none: any

/// Every kind of PNG, transparent by alpha, by palette or by a colour; samples of 16 bits lose the lower 8.
/// Checks all chunks and their CRCs, the zlib stream with its Adler checksum, that it holds just the pixels
/// that IHDR claims, filters and palette indices.
Image decode_png(std::span<const std::byte> file, const std::string& name, const ExpectedSize& size);

/// Uncompressed BMP: 1, 4, 8 bits with a palette, 16, 24 and 32 bits with or without masks; opaque.
Image decode_bmp(std::span<const std::byte> file, const std::string& name, const ExpectedSize& size);

/// Baseline and progressive JPEG, grey or colour, by libjpeg-turbo, whose warnings are errors here; turned as
/// its EXIF orientation says.
Image decode_jpeg(std::span<const std::byte> file, const std::string& name, const ExpectedSize& size);

/// The size that a header claims: 1 to 16384 pixels on a side, at most 2^26 in all, and what is expected, or
/// that of a picture which lies on its side.
ImageSize checked_size(int64_t height, int64_t width, const std::string& name, const ExpectedSize& expected);

}  // namespace vae::data
