#include "kernels/augment.h"

#include "kernels/elementwise/map.h"

namespace vae::kernels {
namespace {

ImageSizes image_sizes(const char* kernel, In x, Out y) {
  VAE_CHECK(x.rank() == 4 && y.rank() == 4 && x.dtype() == y.dtype() && x.size(0) == y.size(0) &&
                x.size(3) == y.size(3),
            "{}: {} into {}", kernel, x.str(), y.str());
  return {x.size(0), x.size(1), x.size(2), y.size(1), y.size(2), x.size(3)};
}

}  // namespace

ImageSizes check_crop(In x, In corner, In flip, Out y, int64_t pad) {
  const ImageSizes s = image_sizes("crop_images", x, y);
  VAE_CHECK(corner.dtype() == DType::i64 && corner.numel() == 2 * s.images, "crop_images: corners {} of {}",
            corner.str(), x.str());
  VAE_CHECK(!flip.defined() || (flip.dtype() == DType::i64 && flip.numel() == s.images),
            "crop_images: flips {} of {}", flip.str(), x.str());
  VAE_CHECK(y.numel() == 0 || (pad >= 0 && pad < s.height && pad < s.width), "crop_images: {} padded by {}",
            x.str(), pad);
  return s;
}

ImageSizes check_resize(In x, Out y) {
  const ImageSizes s = image_sizes("resize_images", x, y);
  VAE_CHECK((is_floating(x.dtype()) || x.dtype() == DType::u8) && (y.numel() == 0 || x.numel() > 0),
            "resize_images: {} into {}", x.str(), y.str());
  return s;
}

void check_normalize(In x, In mean, In deviation, Out y) {
  VAE_CHECK(x.dtype() == DType::u8 && is_floating(y.dtype()) && x.numel() == y.numel() &&
                columns_of(x.shape()) == columns_of(y.shape()),
            "normalize_pixels: {} into {}", x.str(), y.str());
  for (const Tensor* t : {&mean, &deviation})
    VAE_CHECK(!t->defined() || (t->dtype() == y.dtype() && t->numel() == columns_of(y.shape())),
              "normalize_pixels: {} for {}", t->str(), y.str());
}

}  // namespace vae::kernels
