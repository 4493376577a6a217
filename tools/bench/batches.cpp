// What becomes a batch: items drawn by number, pictures cropped, resized and scaled.
#include "tools/bench/case.h"

namespace vae::bench {
namespace {

using namespace kernels;

constexpr RandomKey kKey{1, 2};

void add_draws(std::vector<Case>& cases) {
  for (const int64_t n : {int64_t{200}, int64_t{1} << 22})  // corners of a batch; beyond the caches
    cases.push_back(
        {"random_integers", fmt::format("{} below 9", n), 8.0 * static_cast<double>(n), 0, [=](Operands in) {
           const Tensor y = in.zeros({n}, DType::i64), step = in.scalar(int64_t{1});
           return Call{[=] { random_integers(y, kKey, step, 9); }, y};
         }});
  for (const auto& [pool, batch] : {std::pair<int64_t, int64_t>{50000, 100}, {60000, 60000}}) {
    const std::string shape = fmt::format("{} of {}", batch, pool);
    const double bytes = 16.0 * static_cast<double>(batch);
    const auto draw = [=](const auto& kernel, auto... more) {
      return [=, &kernel](Operands in) {
        const Tensor items = in.integers(pool, pool), y = in.zeros({batch}, DType::i64),
                     step = in.scalar(int64_t{3});
        return Call{[=, &kernel] { kernel(items, y, kKey, step, more...); }, y};
      };
    };
    cases.push_back({"draw_items", shape, bytes, 0, draw(draw_items)});
    cases.push_back({"epoch_items", shape, bytes, 0, draw(epoch_items, true)});
  }
}

void add_crop(std::vector<Case>& cases, int64_t n) {  // SHOT-VAE: padding 4, half of the images flipped
  const Shape shape{n, 32, 32, 3};
  const double bytes = 2.0 * static_cast<double>(shape.numel()) + 24.0 * static_cast<double>(n);
  cases.push_back({"crop_images", fmt::format("{}x32x32x3 u8", n), bytes, 0, [=](Operands in) {
                     const Tensor x = in.bytes(shape), y = in.zeros(shape, DType::u8),
                                  corner = in.integers(2 * n, 9).reshape({n, 2}), flip = in.integers(n, 2);
                     return Call{[=] { crop_images(x, corner, flip, y, 4); }, y};
                   }});
}

void add_normalize(std::vector<Case>& cases, int64_t n) {
  const Shape shape{n, 32, 32, 3};
  cases.push_back({"normalize_pixels", fmt::format("{}x32x32x3", n), 5.0 * static_cast<double>(shape.numel()),
                   0, [=](Operands in) {
                     const Tensor x = in.bytes(shape), mean = in.uniform({3}, 0.4, 0.5),
                                  deviation = in.uniform({3}, 0.2, 0.3), y = in.zeros(shape);
                     return Call{[=] { normalize_pixels(x, mean, deviation, y); }, y};
                   }});
}

/// As the Inception net takes pictures.
void add_resize(std::vector<Case>& cases, DType dtype) {
  const Shape from{50, 28, 28, 3}, to{50, 299, 299, 3};
  const double bytes = static_cast<double>(size_of(dtype) * static_cast<size_t>(from.numel() + to.numel()));
  cases.push_back(
      {"resize_images", fmt::format("50x28x28x3 to 299x299 {}", name_of(dtype)), bytes, 0, [=](Operands in) {
         const bool whole = dtype == DType::u8;
         const Tensor x = whole ? in.bytes(from) : in.uniform(from, 0, 1),
                      y = whole ? in.zeros(to, dtype) : in.zeros(to);
         return Call{[=] { resize_images(x, y); }, y};
       }});
}

}  // namespace

void add_batches(std::vector<Case>& cases) {
  add_draws(cases);
  for (const int64_t n : {200, 5000}) add_crop(cases, n);
  for (const int64_t n : {200, 5000}) add_normalize(cases, n);
  add_resize(cases, DType::u8);
  add_resize(cases, DType::f32);
}

}  // namespace vae::bench
