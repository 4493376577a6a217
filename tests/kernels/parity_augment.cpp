// Cropping, flipping, resizing and scaling of images.
#include <algorithm>

#include "kernels/strong_augment.h"
#include "tests/kernels/parity.h"

namespace vae::test {
namespace {

using namespace kernels;

const Shape kImages[] = {{0, 8, 6, 3}, {1, 1, 1, 1}, {3, 8, 6, 3}, {31, 5, 7, 2}, {2, 33, 31, 5}};

/// Numbers of the dtype of the case, or bytes.
Tensor images(Operands& in, Shape shape, bool bytes) {
  if (!bytes) return in.uniform(shape);
  const Tensor y = in.empty(shape, DType::u8);
  cast(in.uniform(shape, 0, 255), y);
  return y;
}

Outputs crops(Operands in, bool bytes, bool flipped) {
  Outputs out;
  for (const Shape& shape : kImages) {
    const int64_t n = shape[0], pad = std::min<int64_t>(4, std::min(shape[1], shape[2]) - 1);
    const Tensor x = images(in, shape, bytes), corner = in.integers({n, 2}, 2 * pad + 1),
                 y = in.empty(shape, x.dtype());
    crop_images(x, corner, flipped ? in.integers({n}, 2) : Tensor{}, y, pad);
    out.push_back(y);
  }
  return out;
}

Outputs resizes(Operands in, bool bytes) {
  Outputs out;
  for (const Shape& shape : kImages)
    for (const auto& [height, width] : {std::pair<int64_t, int64_t>{9, 17}, {3, 2}, {32, 1}}) {
      const Tensor x = images(in, shape, bytes), y = in.empty({shape[0], height, width, shape[3]}, x.dtype());
      resize_images(x, y);
      out.push_back(y);
    }
  return out;
}

Outputs strong(Operands in, int64_t operations, bool squares) {
  Outputs out;
  for (const Shape shape :
       {Shape{0, 8, 6, 3}, {1, 1, 1, 1}, {31, 5, 7, 2}, {40, 12, 13, 3}, {2, 33, 31, 4}}) {
    const int64_t n = shape[0];
    const Tensor x = images(in, shape, true), y = in.empty(shape, DType::u8);
    const Tensor operation = in.integers({n, operations}, kDistortions),
                 level = in.integers({n, operations}, kLevels);
    strong_augment(x, operation, level, squares ? in.integers({n, 2}, kLevels) : Tensor{}, y);
    out.push_back(y);
  }
  return out;
}

Outputs scaled(Operands in, bool standardised) {
  Outputs out;
  for (const Shape& shape : kImages) {
    const Tensor x = images(in, shape, true), y = in.empty(shape);
    const Shape channels{shape[3]};
    if (standardised)
      normalize_pixels(x, in.uniform(channels), in.uniform(channels, 0.2, 1), y);
    else
      normalize_pixels(x, {}, {}, y);
    out.push_back(y);
  }
  return out;
}

}  // namespace

void add_augment_cases(std::vector<ParityCase>& cases) {
  for (const bool bytes : {false, true}) {
    const std::string what = bytes ? "bytes" : "numbers";
    cases.push_back({"crop_images", what, [=](Operands in) { return crops(in, bytes, false); }, kExact});
    cases.push_back(
        {"crop_images", what + ", flipped", [=](Operands in) { return crops(in, bytes, true); }, kExact});
    cases.push_back({"resize_images", what, [=](Operands in) { return resizes(in, bytes); }});
  }
  for (const int64_t operations : {1, 2, 3})
    for (const bool squares : {false, true})
      cases.push_back({"strong_augment", fmt::format("{}{}", operations, squares ? ", squares" : ""),
                       [=](Operands in) { return strong(in, operations, squares); }, kExact});
  cases.push_back({"normalize_pixels", "unit", [](Operands in) { return scaled(in, false); }});
  cases.push_back({"normalize_pixels", "by channel", [](Operands in) { return scaled(in, true); }});
}

}  // namespace vae::test
