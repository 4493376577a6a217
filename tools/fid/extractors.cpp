#include "tools/fid/extractors.h"

#include "models/features/pixels.h"
#include "models/inception/extractor.h"
#include "models/mnist_cnn/extractor.h"

namespace vae::fid {
namespace {

Features mnist_cnn_features(const FeatureOptions& o) {
  std::unique_ptr<mnist_cnn::MnistCnn> cnn;
  if (o.weights.empty())
    cnn = mnist_cnn::trained(
        fit::load_images({.name = "mnist", .data_dir = o.data_dir}, train::Inputs::unit, o.device));
  else
    cnn = mnist_cnn::load(o.weights, o.device);
  const std::string digest = cnn->meta().value("sha256", ""), about = cnn->about();
  return {std::move(cnn), digest, about};
}

Features inception_features(const FeatureOptions& o) {
  inception::check_dims(o.dims);
  const inception::Weights weights =
      inception::load_weights(o.weights.empty() ? inception::find_weights() : o.weights);
  return {std::make_unique<features::InceptionExtractor>(weights, o.device, o.dims), weights.sha256,
          "inception: " + weights.str()};
}

}  // namespace

tool::Option& describe(const tool::OptionTable& table, FeatureOptions& o) {
  table.add(
      "weights", o.weights,
      "weights of the features (default: inception: fid-inception.safetensors in the data folder or the "
      "cache; mnist-cnn: trained on MNIST where they are not in the cache)");
  table.add("dims", o.dims, "features of inception: 64, 192, 768 or 2048");
  return table.add("features", o.name, "what is compared",
                   tool::choice<std::string>(
                       {{"pixels", "pixels"}, {"mnist-cnn", "mnist-cnn"}, {"inception", "inception"}}));
}

Features make_extractor(const FeatureOptions& o, const Tensor& images) {
  if (o.name != "inception" && o.dims != 2048)
    fail(ErrorKind::usage, "--dims is of --features inception alone");
  if (o.name == "mnist-cnn") return mnist_cnn_features(o);
  if (o.name == "inception") return inception_features(o);
  if (o.name != "pixels") fail(ErrorKind::usage, "unknown features '{}'", o.name);
  if (!o.weights.empty()) fail(ErrorKind::usage, "--features pixels has no weights");
  return {std::make_unique<features::Pixels>(images.size(1), images.size(2), images.size(3))};
}

}  // namespace vae::fid
