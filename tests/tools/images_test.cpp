// Options of images: what "auto" stands for, sizes, splits of a rule.
#include "tools/common/images.h"

#include <gtest/gtest.h>

#include "kernels/kernels.h"
#include "tensor/file.h"
#include "tests/expect_error.h"
#include "tests/scoped_variable.h"
#include "tests/temporary_directory.h"

namespace vae::tool {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

TEST(Images, AutoIsWhatTheFamilyIsAbout) {
  const test::TemporaryDirectory folder;
  const test::ScopedVariable data("VAE_DATA_DIR", nullptr), cache("XDG_CACHE_HOME", folder.path().c_str());
  ImageOptions grey, color;
  color.of_auto = {"cifar10", "synth-color"};
  EXPECT_EQ(resolve_dataset(grey), "synth");
  EXPECT_EQ(resolve_dataset(color), "synth-color");
  fs::create_directories(folder / "vaekit/cifar10");
  EXPECT_EQ(resolve_dataset(grey), "synth");
  EXPECT_EQ(resolve_dataset(color), "cifar10");
  grey.data.data_dir = color.data.data_dir = folder / "vaekit";
  EXPECT_EQ(resolve_dataset(color), "cifar10");
  expect_error(ErrorKind::io, "no mnist in this data folder, which --data auto looks for",
               [&] { resolve_dataset(grey); });
  fs::rename(folder / "vaekit/cifar10", folder / "vaekit/mnist");
  EXPECT_EQ(resolve_dataset(grey), "mnist");
  expect_error(ErrorKind::io, "datasets download cifar10", [&] { resolve_dataset(color); });
  color.dataset = "svhn";
  EXPECT_EQ(resolve_dataset(color), "svhn");
  const auto help = [](const ImageOptions& options) {
    ImageOptions copy = options;
    return described(copy).options()[0].help;
  };
  EXPECT_EQ(help(grey), "data set; auto: mnist where it is found, else synth");
  EXPECT_EQ(help(color), "data set; auto: cifar10 where it is found, else synth-color");
}

TEST(Images, AreResizedWhenTheyAreLoaded) {
  ImageOptions options;
  options.dataset = "synth", options.data.synth_train = 30, options.data.synth_test = 20;
  const fit::Images stored = load_images(options, train::Inputs::unit, kCpu);
  options.resize = data::ImageSize{32, 40};
  const fit::Images images = load_images(options, train::Inputs::unit, kCpu);
  for (const auto& [before, after, on_device] : {std::tuple(&stored.train, &images.train, &images.data.train),
                                                 std::tuple(&stored.test, &images.test, &images.data.test)}) {
    const Tensor expected = Tensor::empty({before->size(), 32, 40, 1}, DType::u8);
    kernels::resize_images(before->images, expected);
    EXPECT_EQ(after->images.shape(), expected.shape());
    EXPECT_EQ(after->images.to_vector<uint8_t>(), expected.to_vector<uint8_t>());
    EXPECT_EQ(on_device->pixels.to_vector<uint8_t>(), expected.to_vector<uint8_t>());
    EXPECT_EQ(after->labels.to_vector<int64_t>(), before->labels.to_vector<int64_t>());
    EXPECT_NE(after->sha256, before->sha256);
    EXPECT_EQ(after->sha256, data::make_dataset("x", after->images, after->labels, 10).sha256);
  }
  options.resize = data::ImageSize{28, 28};
  EXPECT_EQ(load_images(options, train::Inputs::unit, kCpu).train.sha256, stored.train.sha256);
}

TEST(Images, SplitsFollowTheRule) {
  const data::Dataset set = data::synthetic_digits(600, data::Part::train, 1);
  SplitOptions options{.labels = 50, .validation = 100};
  EXPECT_EQ(new_split(options, 1, set).split.unlabeled.size(), 450u);
  options.rule = data::SplitRule::shot;
  const data::StoredSplit shot = new_split(options, 1, set);
  EXPECT_EQ(shot.split.unlabeled.size(), 500u);
  EXPECT_EQ(shot.request.rule, data::SplitRule::shot);
  const test::TemporaryDirectory folder;
  data::save_split(folder / "split.json", shot.split, shot.request, set.labels);
  options = {.labels = 10, .validation = 0, .file = folder / "split.json"};
  EXPECT_EQ(new_split(options, 2, set).split, shot.split);
  options = {.labels = 50, .validation = 100, .rule = data::SplitRule::smooth_elbo};
  expect_error(ErrorKind::usage, "holds nothing out", [&] { new_split(options, 1, set); });
}

}  // namespace
}  // namespace vae::tool
