// The classifier of digits behind FID(mnist-cnn): its loss, what it is trained on, features, files.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "autograd/gradcheck.h"
#include "models/mnist_cnn/extractor.h"
#include "nn/fit/outcome.h"
#include "nn/train/checkpoint.h"
#include "tensor/file.h"
#include "tests/expect_error.h"
#include "tests/file_size_limit.h"
#include "tests/models/few.h"
#include "tests/report.h"
#include "tests/temporary_directory.h"

namespace vae::mnist_cnn {
namespace {

namespace fs = std::filesystem;
using test::expect_error, test::same_bits, test::TemporaryDirectory;

TEST(MnistCnn, LossAgainstCentralDifferences) {
  Net net({.height = 5, .width = 6, .channels = 2, .classes = 3, .features = 7}, {DType::f64, kCpu, 3});
  const std::vector<Var> parameters = test::scatter(net, 0.3);
  const Tensor x = test::sample_tensor({4, 5 * 6 * 2}, DType::f64, kCpu, 0, 1),
               labels = Tensor::from(std::vector<int64_t>{0, 1, 2, 1}, {4});
  const auto loss = [&] { return cross_entropy(net(Var(x)), labels, 4, test::without_noise(DType::f64)); };
  const autograd::GradcheckResult result = autograd::gradcheck(loss, parameters, {.max_elements = 40});
  EXPECT_TRUE(result.ok) << result.str();
  EXPECT_LT(result.kinks.size(), static_cast<size_t>(result.checked) / 10);
}

TEST(MnistCnn, ThresholdsBytesAsThePicturesThatItIsShown) {
  std::vector<uint8_t> bytes(256);
  std::iota(bytes.begin(), bytes.end(), 0);
  const auto bits = train::thresholded(Tensor::from(bytes, {1, 16, 16, 1})).to_vector<uint8_t>();
  for (int byte = 0; byte < 256; ++byte) EXPECT_EQ(bits[byte], byte / 255.0 > 0.4375 ? 255 : 0) << byte;
}

TEST(MnistCnn, RefusesWhatCannotBeTrained) {
  const train::ImageSet few = test::few_images(6, 4, 5, 3);
  const train::Data data{few, few, 3, "few", {}};
  const auto refused = [&](const std::string& words, const Settings& settings) {
    expect_error(ErrorKind::usage, words, [&] { CnnRecipe(settings, data, kCpu); });
  };
  refused("two or more images", {.batch = 1});
  refused("images of 4x5 pixels shifted by 4", {.shift = 4});
  refused("shifted by -1", {.shift = -1});
  refused("4x5x1 images, 3 classes, by 0 features", {.features = 0});
}

/// Synthetic digits, and the same by other names of their classes.
fit::Images digits(int64_t train, int64_t test, uint64_t seed = 1) {
  fit::Images images;
  images.train = data::synthetic_digits(train, data::Part::train, seed);
  images.test = data::synthetic_digits(test, data::Part::test, seed);
  images.data = {{images.train.images, images.train.labels, train::Inputs::unit},
                 {images.test.images, images.test.labels, train::Inputs::unit},
                 10,
                 "digits",
                 {}};
  return images;
}

/// Weights that were never trained.
MnistCnn untrained(Config config) {
  auto net = std::make_unique<Net>(config, nn::Options{.seed = 5});
  test::scatter(*net);
  return {std::move(net), nlohmann::json::object()};
}

TEST(MnistCnn, FeaturesOfAnImageDependOnItAlone) {
  const MnistCnn extractor = untrained({});
  const Tensor images = digits(10, 230).test.images, all = extractor(images);
  ASSERT_EQ(all.shape(), Shape({230, 128}));
  const double rounding = test::products_keep_bits() ? 0 : 1e-6;
  const auto expect_same = [&](int64_t begin, int64_t end) {
    const std::vector<double> alone = to_doubles(extractor(images.slice(begin, end)));
    EXPECT_LE(test::distance(alone, to_doubles(all.slice(begin, end))), rounding * std::ranges::max(alone))
        << begin;
  };
  for (const int64_t i : {0, 1, 99, 100, 199, 200, 229}) expect_same(i, i + 1);
  expect_same(50, 180);
  EXPECT_TRUE(same_bits(extractor(images), all)) << "again";
  const std::vector<float> values = all.to_vector<float>();
  EXPECT_GE(std::ranges::min(values), 0) << "they stand behind a ReLU";
  EXPECT_GT(test::distance(to_doubles(all.slice(0, 1)), to_doubles(all.slice(1, 2))), 0.1)
      << "and tell images apart";
}

TEST(MnistCnn, RefusesOtherImages) {
  const MnistCnn extractor = untrained({.height = 6, .width = 5, .features = 4});
  EXPECT_EQ(extractor(Tensor::empty({0, 6, 5, 1}, DType::u8)).shape(), Shape({0, 4}));
  const auto refused = [&](const std::string& words, Shape shape, DType dtype) {
    expect_error(ErrorKind::data, words, [&] { extractor(Tensor::zeros(shape, dtype)); });
  };
  refused("images are 5x6x1, those that it was trained on 6x5x1", {2, 5, 6, 1}, DType::u8);
  refused("images are 6x5x3", {2, 6, 5, 3}, DType::u8);
  refused("are no images", {2, 30}, DType::u8);
  refused("are no images", {2, 6, 5, 1}, DType::f32);
}

/// A small training, in a cache of its own that the tests share.
class Trained : public testing::Test {
 protected:
  static Settings settings() { return {.features = 32, .batch = 32, .epochs = 2, .shift = 1}; }
  static const fit::Images& images() {
    static const fit::Images images = digits(600, 400);
    return images;
  }
  struct Shared {
    TemporaryDirectory cache;
    std::unique_ptr<MnistCnn> extractor = trained(images(), settings(), cache.path());
    fs::path folder = *fs::directory_iterator(cache.path());
  };
  static const Shared& shared() {
    static const Shared shared;
    return shared;
  }
  static fs::path file() { return shared().folder / "weights.safetensors"; }
  /// A copy of the cache, which a test may spoil.
  static void copy_cache(const fs::path& to) {
    fs::copy(shared().cache.path(), to, fs::copy_options::recursive);
  }
  static fs::path file_in(const fs::path& cache) {
    return cache / shared().folder.filename() / "weights.safetensors";
  }
};

TEST_F(Trained, ClassifiesBothKindsOfDigits) {
  const nlohmann::json& meta = shared().extractor->meta();
  EXPECT_GT(meta.at("test_accuracy"), 0.9);
  EXPECT_GT(meta.at("test_accuracy_thresholded"), 0.9);
  EXPECT_EQ(meta.at("train_sha256"), images().train.sha256);
  EXPECT_EQ(meta.at("train_set"), images().train.name);
  EXPECT_EQ(meta.at("epochs"), 2);
  EXPECT_EQ(meta.at("seed"), 1);
  EXPECT_EQ(shared().extractor->width(), 32);
  test::report("mnist_cnn", shared().extractor->about() + "\n");
}

// What is stored is the accuracy of what is stored.
TEST_F(Trained, TheAccuracyIsThatOfTheFeatures) {
  const auto extractor = load(file());
  const nlohmann::json& meta = extractor->meta();
  const Settings all = settings();
  CnnRecipe recipe(all, images().data, kCpu);
  nn::StateDict state;
  recipe.model().add_state(state);
  train::load_weights(file(), state, recipe.meta());
  const nn::TestMode test(recipe.model());
  for (const train::Scalar& metric : recipe.evaluate(train::last_step(1, 1, kCpu, "evaluate")))
    EXPECT_EQ(meta.at(metric.name), metric.value) << metric.name;
  const Tensor few = images().test.images.slice(0, 100);
  const train::ImageSet set{few, {}, train::Inputs::unit};
  EXPECT_TRUE(
      same_bits((*extractor)(few), recipe.model().features(Var(set.gather(train::all_items(set)))).value()));
}

TEST_F(Trained, HappensOnce) {
  const auto before = fs::last_write_time(file());
  const auto again = trained(images(), settings(), shared().cache.path());
  EXPECT_EQ(fs::last_write_time(file()), before);
  const Tensor few = images().test.images.slice(0, 5);
  EXPECT_TRUE(same_bits((*again)(few), (*shared().extractor)(few)));
}

TEST_F(Trained, LeavesTheSameBytesEachTime) {
  const TemporaryDirectory cache;
  trained(images(), settings(), cache.path());
  EXPECT_EQ(read_file(file_in(cache.path())), read_file(file()));
}

// A run that was stopped after its first epoch, as its folder would be found.
TEST_F(Trained, GoesOnWhereItWasInterrupted) {
  const TemporaryDirectory cache;
  {
    CnnRecipe recipe(settings(), images().data, kCpu);
    const train::RunDirectory directory(cache.path() / shared().folder.filename(),
                                        train::RunDirectory::Mode::create);
    directory.write_config({});
    fit::train_recipe(recipe, directory, {.seed = settings().seed},
                      {.epochs = 1, .iters_per_epoch = 0, .quiet = true});
  }
  EXPECT_FALSE(fs::exists(file_in(cache.path())));
  testing::internal::CaptureStdout();
  trained(images(), settings(), cache.path());
  EXPECT_EQ(testing::internal::GetCapturedStdout().find("epoch 1/2"), std::string::npos);
  EXPECT_EQ(read_file(file_in(cache.path())), read_file(file()));
}

TEST_F(Trained, KeepsTrainingsApart) {
  const TemporaryDirectory folder;
  const fs::path cache = folder / "cache";
  copy_cache(cache);
  const Settings quick{.features = 4, .batch = 20, .epochs = 1};
  const auto folders = [&] { return std::distance(fs::directory_iterator(cache), fs::directory_iterator()); };
  trained(digits(20, 10), quick, cache);
  EXPECT_EQ(folders(), 2);
  trained(digits(20, 10, 2), quick, cache);
  EXPECT_EQ(folders(), 3);
  Settings other = quick;
  other.seed = 2;
  trained(digits(20, 10), other, cache);
  EXPECT_EQ(folders(), 4);
}

TEST_F(Trained, WeightsOfAnotherTrainingAreRefused) {
  const TemporaryDirectory folder;
  const fs::path cache = folder / "cache", mine = folder / "mine";
  copy_cache(cache);
  const Settings quick{.features = 4, .batch = 20, .epochs = 1};
  trained(digits(20, 10), quick, mine);
  fs::copy_file(fs::path(*fs::directory_iterator(mine)) / "weights.safetensors", file_in(cache),
                fs::copy_options::overwrite_existing);
  expect_error(ErrorKind::data, "the weights of another training",
               [&] { trained(images(), settings(), cache); });
}

// Whatever byte is another one.
TEST_F(Trained, DamageIsNoticed) {
  const TemporaryDirectory folder;
  const fs::path path = folder / "file";
  const std::vector<std::byte> whole = read_file(file());
  write_file_atomically(path, whole);
  EXPECT_EQ(load(path)->meta(), load(file())->meta()) << "under any name";
  for (size_t at = 0; at < whole.size(); at += at < 4000 ? 97 : whole.size() / 50) {
    std::vector<std::byte> other = whole;
    other[at] ^= std::byte{1};
    write_file_atomically(path, other);
    expect_error(ErrorKind::data, path.string(), [&] { load(path); });
  }
  for (const size_t size : {size_t{0}, size_t{100}, whole.size() / 2, whole.size() - 1}) {
    write_file_atomically(path, std::span(whole).first(size));
    expect_error(ErrorKind::data, path.string(), [&] { load(path); });
  }
  expect_error(ErrorKind::io, "absent", [&] { load(folder / "absent"); });
  expect_error(ErrorKind::data, "not the weights of an mnist-cnn",
               [&] { load(shared().folder / train::kCheckpointFile); });
}

TEST_F(Trained, DamageInTheCacheIsToldAndNotMended) {
  const TemporaryDirectory folder;
  const fs::path cache = folder / "cache";
  copy_cache(cache);
  std::vector<std::byte> content = read_file(file_in(cache));
  content.back() ^= std::byte{1};
  write_file_atomically(file_in(cache), content);
  expect_error(ErrorKind::data, file_in(cache).string() + ": damaged",
               [&] { trained(images(), settings(), cache); });
  EXPECT_EQ(read_file(file_in(cache)), content);
  fs::remove(file_in(cache));  // the run is there
  trained(images(), settings(), cache);
  EXPECT_EQ(read_file(file_in(cache)), read_file(file()));
}

TEST_F(Trained, AFullDiskLeavesNoWeights) {
  const TemporaryDirectory cache;
  const Settings quick{.features = 4, .batch = 20, .epochs = 1};
  {
    const test::FileSizeLimit limit(10000);
    expect_error(ErrorKind::io, "", [&] { trained(digits(20, 10), quick, cache.path()); });
  }
  for (const auto& entry : fs::recursive_directory_iterator(cache.path()))
    EXPECT_NE(entry.path().filename(), "weights.safetensors");
  EXPECT_EQ(trained(digits(20, 10), quick, cache.path())->width(), 4);
}

}  // namespace
}  // namespace vae::mnist_cnn
