#pragma once
// Which way up the camera was held: tag 0x0112 of EXIF 2.3, as TIFF 6.0 defines it.
#include <span>

#include "data/image_file.h"

namespace vae::data {

/// The orientation, 1 to 8, in the content of a JPEG's APP1 segment; 1, as stored, where it says nothing, is
/// no EXIF or damaged: viewers show such pictures, too.
int exif_orientation(std::span<const std::byte> segment);

/// A picture of that orientation as it is to be seen.
Image upright(Image image, int orientation);

}  // namespace vae::data
