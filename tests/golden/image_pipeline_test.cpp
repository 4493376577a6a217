// The image operations against the golden file of the data pipeline: reflect-padded crop with flip, and
// resizing of bytes.
#include <gtest/gtest.h>

#include "folder.h"
#include "kernels/kernels.h"

namespace vae::golden {
namespace {

Tensor cast_to(const Tensor& x, DType dtype) {
  const Tensor y = Tensor::empty(x.shape(), dtype);
  kernels::cast(x, y);
  return y;
}

class ImagePipeline : public testing::Test {
 protected:
  void SetUp() override {
    const auto folder = golden_folder();
    const auto path = folder ? *folder / "shot-vae" / "data_pipeline.safetensors" : std::filesystem::path();
    if (!std::filesystem::exists(path))
      GTEST_SKIP() << "VAE_GOLDEN_DIR has no shot-vae/data_pipeline.safetensors";
    file_ = load_safetensors(path);
  }
  SafeTensors file_;
};

TEST_F(ImagePipeline, CropAndFlip) {
  const Tensor x = cast_to(file_.at("input/cifar_u8_nhwc"), DType::u8), flip = file_.at("input/flip");
  const auto top = file_.at("input/crop_top").to_vector<int64_t>(),
             left = file_.at("input/crop_left").to_vector<int64_t>();
  std::vector<int64_t> corners;
  for (size_t i = 0; i < top.size(); ++i) corners.insert(corners.end(), {top[i], left[i]});
  const Tensor cropped = Tensor::empty(x.shape(), DType::u8), y = Tensor::empty(x.shape(), DType::f64);
  kernels::crop_images(x, Tensor::from(corners, {x.size(0), 2}), flip, cropped, 4);
  kernels::normalize_pixels(cropped, {}, {}, y);
  const auto nchw = file_.at("output/cifar_aug_nchw").to_vector<double>(), nhwc = y.to_vector<double>();
  const int64_t pixels = x.size(1) * x.size(2), channels = x.size(3);
  for (size_t i = 0; i < nhwc.size(); ++i) {
    const auto e = static_cast<int64_t>(i), image = e / (pixels * channels), pixel = e / channels % pixels;
    EXPECT_EQ(nhwc[i], nchw[static_cast<size_t>((image * channels + e % channels) * pixels + pixel)]) << i;
  }
}

TEST_F(ImagePipeline, ResizeOfBytes) {
  const Tensor& bytes = file_.at("input/mnist_u8");
  const Tensor& expected = file_.at("output/mnist_resized_u8");
  const Tensor x = cast_to(bytes, DType::u8).reshape({bytes.size(0), bytes.size(1), bytes.size(2), 1});
  const Tensor y = Tensor::empty({expected.size(0), expected.size(1), expected.size(2), 1}, DType::u8);
  kernels::resize_images(x, y);
  EXPECT_EQ(to_doubles(y), to_doubles(expected));
  const Tensor half = Tensor::scalar(0.5).reshape({1}), z = Tensor::empty(y.shape(), DType::f64);
  kernels::normalize_pixels(y, half, half, z);
  const std::vector<double> normalized = to_doubles(z),
                            wanted = to_doubles(file_.at("output/mnist_normalized"));
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(normalized[i], wanted[i], 1e-7);  // made in f32
}

}  // namespace
}  // namespace vae::golden
