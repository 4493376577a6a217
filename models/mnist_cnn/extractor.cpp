#include "models/mnist_cnn/extractor.h"

#include <algorithm>

#include "data/digest.h"
#include "nn/eval/estimate.h"
#include "nn/fit/outcome.h"
#include "nn/train/checkpoint.h"
#include "tensor/print.h"
#include "tensor/safetensors.h"

namespace vae::mnist_cnn {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kVersion = 1;  // of net and training: one more where the same settings give other weights
constexpr const char* kDigest = "sha256";

/// What tells one training from another.
json identity_of(const fit::Images& images, const Settings& settings) {
  json identity = settings.json();
  identity.update({{"model", "mnist-cnn"}, {"version", kVersion}, {"train_sha256", images.train.sha256}});
  return identity;
}

/// Of weights with all that is known of them.
std::string digest(json meta, const std::map<std::string, Tensor>& tensors) {
  data::Sha256 hash;
  meta.erase(kDigest);
  const auto add = [&](const std::string& text) { hash.update(std::as_bytes(std::span(text))); };
  add(meta.dump());
  for (const auto& [name, tensor] : tensors) {
    add(fmt::format("\n{} {}\n", name, tensor.str()));
    hash.update({static_cast<const std::byte*>(tensor.raw()), tensor.bytes()});
  }
  return hash.hex();
}

void save(const fs::path& file, const Net& net, json meta) {
  nn::StateDict state;
  net.add_state(state);
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, tensor] : state.entries()) tensors.emplace(name, tensor.to(kCpu));
  meta[kDigest] = digest(meta, tensors);
  train::save_checkpoint(file, state, meta);
}

/// The meta of a file whose digest is right.
json read_meta(const fs::path& file) {
  const json meta = train::load_weights(file, nn::StateDict(), json::object());
  if (meta.value("model", json()) != "mnist-cnn" || !meta.contains(kDigest))
    fail(ErrorKind::data, "{}: not the weights of an mnist-cnn", file.string());
  if (meta[kDigest] != digest(meta, load_safetensors(file).tensors))
    fail(ErrorKind::data, "{}: damaged: its content is not that of its checksum", file.string());
  if (meta.value("version", json()) != kVersion)
    fail(ErrorKind::data, "{}: the weights of an mnist-cnn of another version", file.string());
  return meta;
}

void train_in(const fs::path& folder, const fs::path& file, const fit::Images& images,
              const Settings& settings, const json& identity) {
  using Mode = train::RunDirectory::Mode;
  std::error_code unreadable;  // which making the directory tells
  say("mnist-cnn: is trained once, on {} images of {}, and kept in {}\n", images.train.size(),
      images.train.name, file.string());
  const train::RunDirectory directory(
      folder, fs::exists(folder / "config.json", unreadable) ? Mode::resume : Mode::create);
  directory.write_config(identity);
  CnnRecipe recipe(settings, images.data, images.data.train.device());
  const train::LoopResult result = fit::train_recipe(recipe, directory, {.seed = settings.seed},
                                                     {.epochs = settings.epochs, .iters_per_epoch = 0});
  const nn::TestMode test(recipe.model());
  const train::Step last = train::last_step(settings.seed, result.iterations, images.data.train.device(), "");
  fit::write_outcome(folder, fit::summarize(recipe, result.last, last), result, identity, images);
  json meta = identity;
  meta.update(recipe.meta());
  meta.update({{"train_set", images.train.name}, {"test_set", images.test.name}});
  for (const auto& [name, value] : result.last)
    if (name.starts_with("test_")) meta[name] = value;
  save(directory.claim(file.filename()), recipe.model(), meta);
}

}  // namespace

MnistCnn::MnistCnn(std::unique_ptr<Net> net, json meta) : net_(std::move(net)), meta_(std::move(meta)) {
  net_->freeze();
}

// A matrix product may sum in another order where it has other rows, so all batches are of one size, the last
// one filled up.
Tensor MnistCnn::operator()(const Tensor& images) const {
  constexpr int64_t kRows = 100;
  const Config& c = net_->config();
  if (images.rank() != 4 || images.dtype() != DType::u8)
    fail(ErrorKind::data, "mnist-cnn: {} are no images", images.str());
  if (images.size(1) != c.height || images.size(2) != c.width || images.size(3) != c.channels)
    fail(ErrorKind::data, "mnist-cnn: images are {}x{}x{}, those that it was trained on {}x{}x{}",
         images.size(1), images.size(2), images.size(3), c.height, c.width, c.channels);
  const int64_t n = images.size(0);
  std::vector<int64_t> items;
  while (static_cast<int64_t>(items.size()) < n || items.size() % kRows != 0)
    items.push_back(std::min<int64_t>(static_cast<int64_t>(items.size()), n - 1));
  const Device device = net_->options().device;
  const train::ImageSet set{images.to(device), {}, train::Inputs::unit};
  const Tensor all = Tensor::empty({n, width()});
  eval::for_batches(
      train::items_of(items, device),
      [&](int64_t number, const Tensor& batch) {
        const int64_t begin = number * kRows, end = std::min(n, begin + kRows);
        all.slice(begin, end).copy_from(net_->features(Var(set.gather(batch))).value().slice(0, end - begin));
      },
      kRows);
  return all;
}

std::string MnistCnn::about() const {
  const auto percent = [&](const char* name) { return 100 * meta_.value(name, 0.0); };
  return fmt::format(
      "mnist-cnn of {}, {} features: {:.2f} % of the test images right, {:.2f} % of them thresholded",
      meta_.value("train_set", ""), width(), percent("test_accuracy"), percent("test_accuracy_thresholded"));
}

std::unique_ptr<MnistCnn> load(const fs::path& file, Device device) {
  json meta = read_meta(file);
  const auto size = [&](const char* name) { return meta.value(name, int64_t{0}); };
  auto net = std::make_unique<Net>(
      Config{size("height"), size("width"), size("channels"), size("classes"), size("features")},
      nn::Options{DType::f32, device});
  nn::StateDict state;
  net->add_state(state);
  train::load_checkpoint(file, state, json::object());
  return std::make_unique<MnistCnn>(std::move(net), std::move(meta));
}

std::unique_ptr<MnistCnn> trained(const fit::Images& images, const Settings& settings,
                                  const fs::path& cache) {
  const json identity = identity_of(images, settings);
  const std::string text = identity.dump();
  const std::string key = data::sha256_hex(std::as_bytes(std::span(text))).substr(0, 16);
  const fs::path folder = (cache.empty() ? data::cache_folder() : cache) / ("mnist-cnn-" + key);
  const fs::path file = folder / "weights.safetensors";
  std::error_code unreadable;
  if (!fs::exists(file, unreadable)) train_in(folder, file, images, settings, identity);
  auto extractor = load(file, images.data.train.device());
  for (const auto& [name, value] : identity.items())
    if (extractor->meta().value(name, json()) != value)
      fail(ErrorKind::data, "{}: the weights of another training: {} is {}, here {}", file.string(), name,
           extractor->meta().value(name, json()).dump(), value.dump());
  return extractor;
}

}  // namespace vae::mnist_cnn
