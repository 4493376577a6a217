// FID-Inception-v3: its published size, what it sees of an image, folded batch norms, pools, files of
// weights.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "data/digest.h"
#include "models/inception/extractor.h"
#include "tensor/safetensors.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"
#include "tests/scoped_variable.h"
#include "tests/temporary_directory.h"

namespace vae::inception {
namespace {

using test::expect_error;

/// A full state: tensors of one small number, variances of one, the first convolutions of many.
std::map<std::string, Tensor> plain_state() {
  std::map<std::string, Tensor> state;
  for (const auto& [name, shape] : state_shapes())
    if (name.starts_with("Conv2d") && name.ends_with("conv.weight")) {
      state[name] = test::sample_tensor(shape, DType::f32, kCpu, -0.2, 0.25);
    } else {
      state[name] = Tensor::empty(shape);
      kernels::fill(state[name], name.ends_with("running_var") ? 1 : 0.02);
    }
  return state;
}

// ---- the table

TEST(Inception, HasThePublishedTensors) {
  int64_t values = 0, trainable = 0, convolutions = 0;
  for (const auto& [name, shape] : state_shapes()) {
    values += shape.numel();
    convolutions += name.ends_with("conv.weight");
    if (!name.starts_with("fc.") && !name.ends_with("running_mean") && !name.ends_with("running_var"))
      trainable += shape.numel();
  }
  EXPECT_EQ(state_shapes().size(), 472u);
  EXPECT_EQ(values, 23'885'392);
  EXPECT_EQ(trainable, 21'785'568);
  EXPECT_EQ(convolutions, 94);
  EXPECT_EQ(state_shapes().at("Mixed_6c.branch7x7dbl_4.conv.weight"), (Shape{160, 160, 7, 1}));
  EXPECT_EQ(state_shapes().at("Mixed_7c.branch3x3dbl_3a.conv.weight"), (Shape{384, 384, 1, 3}));
}

// ---- what the net sees

double resized(const std::vector<double>& image, int64_t h, int64_t w, int64_t row, int64_t column) {
  const auto at = [](int64_t i, int64_t n) {
    return std::max(0.0, (static_cast<double>(i) + 0.5) * static_cast<double>(n) / kSide - 0.5);
  };
  const double y = at(row, h), x = at(column, w);
  const auto y0 = static_cast<int64_t>(y), x0 = static_cast<int64_t>(x), y1 = std::min(y0 + 1, h - 1),
             x1 = std::min(x0 + 1, w - 1);
  const double b = y - static_cast<double>(y0), a = x - static_cast<double>(x0);
  const auto pixel = [&](int64_t r, int64_t c) {
    return static_cast<float>(image[static_cast<size_t>(r * w + c)]) / 255.F;
  };
  return 2 * ((1 - b) * ((1 - a) * pixel(y0, x0) + a * pixel(y0, x1)) +
              b * ((1 - a) * pixel(y1, x0) + a * pixel(y1, x1))) -
         1;
}

TEST(Inception, SeesImagesScaledBetweenPixelCentres) {
  for (const Device device : test::devices())
    for (const auto& [h, w] : {std::pair<int64_t, int64_t>{28, 28}, {1, 1}, {17, 340}, {299, 299}}) {
      const Tensor grey = test::sample_tensor({2, h, w, 1}, DType::u8, device, 0, 255.9);
      const std::vector<double> pixels = to_doubles(grey), seen = to_doubles(inputs(grey, DType::f64));
      ASSERT_EQ(seen.size(), 2u * kSide * kSide * 3);
      const std::vector<double> second(pixels.begin() + h * w, pixels.end());
      double worst = 0;
      for (int64_t row = 0; row < kSide; ++row)
        for (int64_t column = 0; column < kSide; ++column)
          for (int64_t channel = 0; channel < 3; ++channel)
            worst = std::max(
                worst, std::abs(seen[static_cast<size_t>(((kSide + row) * kSide + column) * 3 + channel)] -
                                resized(second, h, w, row, column)));
      EXPECT_LE(worst, 1e-12) << h << "x" << w << " on " << device.str();
    }
}

TEST(Inception, SeesColoursAsTheyAre) {
  const Tensor red = Tensor::from(std::vector<uint8_t>{255, 0, 51}, {1, 1, 1, 3});
  const std::vector<double> seen = to_doubles(inputs(red));
  for (size_t pixel = 0; pixel < seen.size(); pixel += 3 * 1000) {
    EXPECT_NEAR(seen[pixel], 1, 1e-6);
    EXPECT_NEAR(seen[pixel + 1], -1, 1e-6);
    EXPECT_NEAR(seen[pixel + 2], -0.6, 1e-6);
  }
}

TEST(Inception, TakesGreyAndColourBytesAlone) {
  const auto with = [](Shape shape, DType dtype) { return [=] { inputs(Tensor::zeros(shape, dtype)); }; };
  expect_error(ErrorKind::data, "images are u8 [2, 8, 8, 2]", with({2, 8, 8, 2}, DType::u8));
  expect_error(ErrorKind::data, "images are f32 [2, 8, 8, 1]", with({2, 8, 8, 1}, DType::f32));
  expect_error(ErrorKind::data, "images are u8 [2, 0, 8, 1]", with({2, 0, 8, 1}, DType::u8));
  expect_error(ErrorKind::data, "images are u8 [2, 64]", with({2, 64}, DType::u8));
}

// ---- the net

// Of images of one colour, the first unit makes the same number in every pixel, which can be said by hand.
TEST(Inception, BatchNormBecomesPartOfTheConvolution) {
  auto state = plain_state();
  const auto set = [&](const std::string& name, int64_t at, float value) {
    state.at(name).data<float>()[at] = value;
  };
  const std::string unit = "Conv2d_1a_3x3.";
  state.at(unit + "conv.weight").zero();
  set(unit + "conv.weight", (0 * 3 + 2) * 9 + 5, 3);   // [0, blue, 1, 2]
  set(unit + "conv.weight", (1 * 3 + 0) * 9 + 0, -2);  // [1, red, 0, 0]
  set(unit + "bn.weight", 0, 1.5F);
  set(unit + "bn.bias", 0, 0.25F);
  set(unit + "bn.running_mean", 0, -0.5F);
  set(unit + "bn.running_var", 0, 0.7F);
  set(unit + "bn.weight", 1, 1);
  const Net net(state, {.dtype = DType::f64});
  const Tensor colour = Tensor::from(std::vector<uint8_t>{255, 0, 204}, {1, 1, 1, 3});
  bool seen = false;
  net(inputs(colour, DType::f64), 64, [&](const std::string& block, const Tensor& images) {
    if (block != "Conv2d_1a_3x3") return;
    seen = true;
    EXPECT_EQ(images.shape(), (Shape{1, 149, 149, 32}));
    const std::vector<double> have = to_doubles(images);
    EXPECT_NEAR(have[0], 1.5 * (3 * double{2 * 0.8F - 1} + 0.5) / std::sqrt(double{0.7F} + 0.001) + 0.25,
                1e-12);
    EXPECT_EQ(have[1], 0);  // -2 under ReLU
    EXPECT_EQ(std::vector<double>(have.end() - 32, have.end()),
              std::vector<double>(have.begin(), have.begin() + 32));
  });
  EXPECT_TRUE(seen);
}

TEST(Inception, EarlierFeaturesAreMeansOfTheirBlock) {
  const Net net(plain_state(), {});
  const Tensor x = inputs(test::sample_tensor({1, 9, 9, 1}, DType::u8, kCpu, 0, 255.9));
  const std::map<int64_t, std::string> taps{{64, "maxpool1"}, {192, "maxpool2"}};
  for (const auto& [dims, block] : taps) {
    std::string last;
    double sum = 0;
    const Tensor features = net(x, dims, [&](const std::string& name, const Tensor& images) {
      last = name, sum = 0;
      const std::vector<double> values = to_doubles(images);
      for (size_t i = 3; i < values.size(); i += static_cast<size_t>(images.size(3))) sum += values[i];
      sum /= static_cast<double>(images.size(1) * images.size(2));
    });
    EXPECT_EQ(last, block);
    EXPECT_EQ(features.shape(), (Shape{1, dims}));
    EXPECT_NEAR(to_doubles(features)[3], sum, 1e-5 * sum);
  }
  expect_error(ErrorKind::usage, "100 features, there are 64, 192, 768 or 2048", [&] { net(x, 100); });
}

TEST(Inception, FeaturesDependOnTheirImageAlone) {
  Weights weights{.tensors = plain_state(), .sha256{}, .source{}};
  const features::InceptionExtractor extractor(weights, kCpu, 64);
  EXPECT_EQ(extractor.name(), "inception-64");
  EXPECT_EQ(extractor.width(), 64);
  const int64_t n = 35;  // more than are worked on at a time
  const Tensor images = test::sample_tensor({n, 6, 5, 1}, DType::u8, kCpu, 0, 255.9);
  const Tensor features = extractor(images);
  ASSERT_EQ(features.shape(), (Shape{n, 64}));
  for (const int64_t i : {int64_t{0}, int64_t{7}, n - 1})
    EXPECT_LE(
        test::distance(to_doubles(extractor(images.slice(i, i + 1))), to_doubles(features.slice(i, i + 1))),
        1e-5);
  EXPECT_EQ(extractor(images.slice(0, 0)).shape(), (Shape{0, 64}));
  expect_error(ErrorKind::usage, "7 features", [&] { features::InceptionExtractor(weights, kCpu, 7); });
}

// ---- files of weights

struct InceptionWeights : testing::Test {
  test::TemporaryDirectory directory;
  std::filesystem::path path = directory.path() / "w.safetensors";

  void save(const std::map<std::string, Tensor>& tensors, const std::string& source = "") {
    SafeTensors file{tensors, {}};
    if (!source.empty()) file.metadata["source_sha256"] = source;
    save_safetensors(path, file);
  }
  void expect_refused(const std::map<std::string, Tensor>& tensors, const std::string& words) {
    save(tensors);
    expect_error(ErrorKind::data, path.string() + ": " + words, [&] { load_weights(path); });
  }
};

TEST_F(InceptionWeights, AreKnownByTheirNumbersAndTheirSource) {
  auto state = plain_state();
  save(state, "6726825d0123");
  const Weights published = load_weights(path);
  EXPECT_EQ(published.tensors.size(), 470u);
  EXPECT_TRUE(published.published());
  data::Sha256 hash;
  for (const auto& [name, tensor] : published.tensors) {
    hash.update(std::as_bytes(std::span(name)));
    hash.update(std::as_bytes(std::span(tensor.data<float>(), tensor.numel())));
  }
  EXPECT_EQ(published.sha256, hash.hex());
  EXPECT_EQ(published.str(), "published weights, sha256 " + published.sha256.substr(0, 16));

  // The classifier and counters may be there or not: the features are the same.
  state.erase("fc.weight"), state.erase("fc.bias");
  state["Mixed_5b.branch1x1.bn.num_batches_tracked"] = Tensor::scalar(int64_t{0});
  save(state, "0123");
  const Weights other = load_weights(path);
  EXPECT_FALSE(other.published());
  EXPECT_EQ(other.sha256, published.sha256);
  EXPECT_EQ(other.str(), "other weights, sha256 " + published.sha256.substr(0, 16));

  state.at("Conv2d_1a_3x3.bn.bias").data<float>()[0] += 1;
  save(state);
  EXPECT_NE(load_weights(path).sha256, published.sha256);
}

TEST_F(InceptionWeights, AreRefusedUnlessTheyAreTheNets) {
  const auto state = plain_state();
  auto wrong = state;
  wrong.erase("Mixed_7c.branch_pool.bn.running_var");
  expect_refused(wrong, "no tensor Mixed_7c.branch_pool.bn.running_var");
  wrong = state, wrong["AuxLogits.fc.bias"] = Tensor::zeros({1000});
  expect_refused(wrong, "tensor \"AuxLogits.fc.bias\" is none of FID-Inception-v3's");
  wrong = state, wrong["Mixed_9z.bn.num_batches_tracked"] = Tensor::scalar(int64_t{0});
  expect_refused(wrong, "tensor \"Mixed_9z.bn.num_batches_tracked\" is none");
  wrong = state, wrong["fc.weight"] = Tensor::zeros({1000, 2048});
  expect_refused(wrong, "tensor fc.weight is f32 [1000, 2048], expected f32 [1008, 2048]");
  wrong = state, wrong["Conv2d_1a_3x3.conv.weight"] = Tensor::zeros({32, 3, 3, 3}, DType::f64);
  expect_refused(wrong, "tensor Conv2d_1a_3x3.conv.weight is f64 [32, 3, 3, 3], expected f32");
  const std::string variance = "Conv2d_3b_1x1.bn.running_var", mean = "Conv2d_3b_1x1.bn.running_mean";
  wrong = state, wrong[variance] = wrong[variance].clone(), wrong[variance].data<float>()[7] = -1;
  expect_refused(wrong, "tensor " + variance + " holds -1");
  wrong = state, wrong[mean] = wrong[mean].clone(), wrong[mean].data<float>()[7] = NAN;
  expect_refused(wrong, "tensor " + mean + " holds nan");
}

TEST_F(InceptionWeights, ThatAreAbsentSayHowTheyAreMade) {
  expect_error(ErrorKind::io, path.string() + ": no such file; tools/convert_inception.py makes it",
               [&] { load_weights(path); });
  const test::ScopedVariable data("VAE_DATA_DIR", directory.path().c_str()),
      cache("XDG_CACHE_HOME", directory.path().c_str());
  expect_error(ErrorKind::io, "vaekit/fid-inception.safetensors: no such file", [&] { find_weights(); });
  std::ofstream(directory.path() / "fid-inception.safetensors");
  EXPECT_EQ(find_weights(), directory.path() / "fid-inception.safetensors");
}

}  // namespace
}  // namespace vae::inception
