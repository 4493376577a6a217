// The inspections of shot_vae, shot_m2, shot_classifier and smooth_elbo: each of their options reaches what
// it is for (inspections_test.cpp).
#include "nn/train/checkpoint.h"
#include "tensor/compare.h"
#include "tests/expect_error.h"
#include "tests/tools/inspections.h"
#include "tools/shot_vae/classifier_options.h"
#include "tools/shot_vae/options.h"
#include "tools/shot_vae/smooth_options.h"

namespace vae {
namespace {

using test::check_all, test::Texts, test::Trained;

/// Values [outer, a, b, inner] as [outer, b, a, inner], in the shape of theirs.
Tensor swapped(const Tensor& x, int64_t outer, int64_t a, int64_t b, const Shape& theirs) {
  const std::vector<double> values = to_doubles(x);
  const int64_t inner = x.numel() / (outer * a * b);
  std::vector<float> turned;
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t j = 0; j < b; ++j)
      for (int64_t i = 0; i < a; ++i)
        for (int64_t k = 0; k < inner; ++k)
          turned.push_back(static_cast<float>(values[((o * a + i) * b + j) * inner + k]));
  return Tensor::from(turned, theirs);
}

/// A tensor of ours as PyTorch has it; `maps`: channels of the maps that linear layers of smooth-ELBO nets
/// take and make.
Tensor theirs(const std::string& name, const Tensor& ours, int64_t maps) {
  const Shape& s = ours.shape();
  if (s.rank() == 4) return swapped(ours, s[0], s[1] * s[2], s[3], {s[0], s[3], s[1], s[2]});
  if (maps == 0) return ours.to(kCpu);
  if (name == "features_to_hidden.0.weight") return swapped(ours, s[0], s[1] / maps, maps, s);
  if (name.starts_with("latent_to_features.2.")) return swapped(ours, 1, s[0] / maps, maps, s);
  return ours.to(kCpu);
}

/// The weights of a run as the published program would save them, in parallel on several GPUs.
template <class Recipe, class Options>
std::filesystem::path published_file(const Trained<Options>& trained, int64_t maps) {
  const auto run = trained.loaded();
  SafeTensors file;
  const auto put = [&](std::string name, const Tensor& ours) {
    const Tensor tensor = theirs(name, ours, maps);
    file.tensors[name.insert(name.find('.'), ".module")] = tensor;
  };
  nn::Module& model = run->template recipe<Recipe>().model();
  for (const nn::Module::Parameter& p : model.parameters()) put(p.name, p.var.value());
  for (const nn::Module::Buffer& b : model.buffers())
    if (is_floating(b.tensor.dtype())) put(b.name, b.tensor);
  file.tensors["any.norm.num_batches_tracked"] = Tensor::scalar(int64_t{5});
  const auto path = trained.options().run.run.parent_path() / "published.safetensors";
  save_safetensors(path, file);
  return path;
}

/// `import --weights`: a run of another seed and other sizes gets all weights and their sizes.
template <class Recipe, class Options>
void check_weights(const Trained<Options>& trained, const Texts& other_texts, int64_t maps = 0) {
  const std::filesystem::path file = published_file<Recipe>(trained, maps);
  const Trained<Options> other(trained.tool(), other_texts);
  const std::string said = other.inspect("import", {{"weights", file.string()}, {"fresh", "true"}});
  EXPECT_NE(said.find("test accuracy"), std::string::npos) << said;
  const SafeTensors from = load_safetensors(trained.options().run.run / train::kCheckpointFile),
                    to = load_safetensors(other.options().run.run / train::kCheckpointFile);
  const auto run = trained.loaded();
  size_t seen = 0;
  for (const nn::Module::Parameter& p : run->template recipe<Recipe>().model().parameters()) {
    EXPECT_TRUE(same_bits(from.at(p.name), to.at(p.name))) << p.name;
    ++seen;
  }
  for (const nn::Module::Buffer& b : run->template recipe<Recipe>().model().buffers())
    EXPECT_TRUE(same_bits(from.at(b.name), to.at(b.name))) << b.name;
  EXPECT_GT(seen, 10u);
  EXPECT_TRUE(other.has("split.json"));
  const auto config = nlohmann::json::parse(other.file("config.json"));
  Options options = trained.options();
  const auto expected = tool::described(options).config();
  for (const char* size : {"z", "decoder-width", "hidden", "conv", "deconv"})
    EXPECT_EQ(config.value(size, nlohmann::json()), expected.value(size, nlohmann::json())) << size;
}

/// Small runs on colour digits.
Texts with_defaults(Texts texts) {
  const Texts small{{"preset", "fast"},      {"data", "synth-color"}, {"net-name", "wideresnet-10-1"},
                    {"synth-train", "120"},  {"synth-test", "20"},    {"labels", "20"},
                    {"validation", "20"},    {"batch", "20"},         {"batch-labeled", "10"},
                    {"iters-per-epoch", "2"}};
  texts.insert(texts.begin(), small.begin(), small.end());
  return texts;
}

TEST(Inspections, OfShotVae) {
  for (const shot_vae::Method method : {shot_vae::Method::shot, shot_vae::Method::m2})
    check_all<shot_vae::Options>(
        {shot_tool(method), with_defaults({{"decoder-width", "2"}, {"z", "3"}})},
        {{"import --weights", [](const Trained<shot_vae::Options>& t) {
            check_weights<shot_vae::ShotRecipe>(t, with_defaults({{"decoder-width", "1"}, {"z", "4"}}));
          }}});
}

TEST(Inspections, OfShotClassifier) {
  check_all<shot_vae::ClassifierOptions>(
      {shot_vae::classifier_tool(), with_defaults({})},
      {{"import --weights", [](const Trained<shot_vae::ClassifierOptions>& t) {
          check_weights<shot_vae::ClassifierRecipe>(t, with_defaults({{"seed", "4"}, {"ema", "0.9"}}));
        }}});
}

TEST(Inspections, OfSmoothElbo) {
  const Texts small{{"synth-train", "60"}, {"synth-test", "20"},     {"labels", "20"},
                    {"batch", "20"},       {"iters-per-epoch", "2"}, {"z", "3"},
                    {"hidden", "6"},       {"conv", "2,3"},          {"deconv", "4"}};
  Texts other = small;
  for (const auto& [name, text] : Texts{{"z", "4"}, {"hidden", "5"}, {"conv", "1,2,2"}, {"deconv", "2,3"}})
    other.emplace_back(name, text);
  check_all<shot_vae::SmoothOptions>({shot_vae::smooth_tool(), small},
                                     {{"import --weights", [=](const Trained<shot_vae::SmoothOptions>& t) {
                                         check_weights<shot_vae::SmoothRecipe>(t, other, 3);
                                       }}});
}

TEST(Inspections, ImportRefusesWhatDoesNotFit) {
  const Trained<shot_vae::SmoothOptions> trained(shot_vae::smooth_tool(), {{"synth-train", "60"},
                                                                           {"synth-test", "20"},
                                                                           {"labels", "20"},
                                                                           {"batch", "20"},
                                                                           {"iters-per-epoch", "1"},
                                                                           {"z", "3"},
                                                                           {"hidden", "6"},
                                                                           {"conv", "2,3"},
                                                                           {"deconv", "4"}});
  const std::filesystem::path path = published_file<shot_vae::SmoothRecipe>(trained, 3);
  const SafeTensors good = load_safetensors(path);
  const auto refused = [&](const std::string& words, const auto& spoil) {
    SafeTensors bad = good;
    spoil(bad.tensors);
    save_safetensors(path, bad);
    test::expect_error(ErrorKind::data, words, [&] {
      trained.inspect("import", {{"weights", path.string()}, {"fresh", "true"}});
    });
  };
  refused("no tensor \"fc_mean.bias\"", [](auto& all) { all.erase("fc_mean.module.bias"); });
  refused("features_to_hidden.0.weight", [](auto& all) {
    all["features_to_hidden.module.0.weight"] = Tensor::zeros({6, 7});
  });
  refused("latent_to_features.2.bias",
          [](auto& all) { all["latent_to_features.module.2.bias"] = Tensor::zeros({}); });
  refused("features_to_img.0.weight", [](auto& all) {
    all["features_to_img.module.0.weight"] = Tensor::zeros({0, 4, 4, 4});
  });
  EXPECT_TRUE(trained.has("results.json")) << "the run that was there stays";
}

}  // namespace
}  // namespace vae
