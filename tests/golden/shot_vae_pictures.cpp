#include "kernels/kernels.h"
#include "layouts.h"
#include "shot_vae_run.h"

namespace vae::golden {
namespace {

bool pictures_fits(const nlohmann::json& config) { return config.contains("crop"); }

Tensor in_dtype(const Tensor& x, DType dtype) {
  const Tensor y = Tensor::empty(x.shape(), dtype, x.device());
  kernels::cast(x, y);
  return y;
}

/// Reflected padding, a corner of its own for each image, flips.
void crop_and_flip(Numbers& numbers, Values& values) {
  const nlohmann::json& config = numbers.file().config;
  if (config.at("pad_mode") != "reflect") fail(ErrorKind::data, "padding other than 'reflect'");
  const auto side = config.at("crop").get<int64_t>();
  const Tensor x = in_dtype(numbers.integers("input/cifar_u8_nhwc"), DType::u8);
  const auto top = numbers.integers("input/crop_top").to_vector<int64_t>(),
             left = numbers.integers("input/crop_left").to_vector<int64_t>();
  std::vector<int64_t> corners;
  for (size_t i = 0; i < top.size(); ++i) corners.insert(corners.end(), {top[i], left[i]});
  const Tensor cropped = Tensor::empty({x.size(0), side, side, x.size(3)}, DType::u8, golden_device()),
               y = Tensor::empty(cropped.shape(), numbers.dtype(), golden_device());
  kernels::crop_images(x, Tensor::from(corners, {x.size(0), 2}, golden_device()),
                       numbers.integers("input/flip"), cropped, config.at("pad"));
  kernels::normalize_pixels(cropped, {}, {}, y);
  values["output/cifar_aug_nchw"] = to_theirs(y);
}

/// Bytes in another size, then numbers in [-1, 1].
void resize(Numbers& numbers, Values& values) {
  const Tensor bytes = numbers.integers("input/mnist_u8");
  const Shape small{bytes.size(0), bytes.size(1), bytes.size(2), 1},
      wanted = numbers.file().content.at("output/mnist_resized_u8").shape();
  const Tensor y = Tensor::empty({bytes.size(0), wanted[1], wanted[2], 1}, DType::u8, golden_device());
  kernels::resize_images(in_dtype(bytes, DType::u8).reshape(small), y);
  values["output/mnist_resized_u8"] = in_dtype(y, DType::i64).reshape(wanted);
  const Tensor half = as_tensor({0.5}, {1}, numbers.dtype()),
               z = Tensor::empty(y.shape(), numbers.dtype(), golden_device());
  kernels::normalize_pixels(y, half, half, z);
  values["output/mnist_normalized"] = z.reshape(wanted);
}

Values run_pictures(Numbers& numbers) {
  Values values;
  crop_and_flip(numbers, values);
  resize(numbers, values);
  return values;
}

std::optional<Tolerance> pictures_tolerance(const File&, const std::string& name, DType precision) {
  const bool made_in_f32 = name == "output/mnist_normalized";
  return Tolerance{.absolute = made_in_f32 || precision == DType::f32 ? 1.2e-7 : 0};
}

}  // namespace

FileKind shot_vae_pictures() {
  return {.name = "pictures",
          .fits = pictures_fits,
          .precisions = {DType::f64, DType::f32},
          .run = run_pictures,
          .tolerance = pictures_tolerance};
}

}  // namespace vae::golden
