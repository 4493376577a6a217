// The inspections of sym_vae: each of their options reaches what it is for (inspections_test.cpp).
#include "data/idx.h"
#include "models/mnist_cnn/extractor.h"
#include "models/sym_vae/generate.h"
#include "nn/eval/frechet.h"
#include "nn/train/checkpoint.h"
#include "tensor/compare.h"
#include "tests/expect_error.h"
#include "tests/models/few.h"
#include "tests/tools/inspections.h"
#include "tools/sym_vae/options.h"

namespace vae {
namespace {

using test::Checks, test::check_all, test::check_nll, test::png, test::printed, test::Texts, test::Trained;

using SymVae = Trained<sym_vae::Options>;

/// The images of an IDX file of generate-data.
Tensor generated_file(const SymVae& trained, const std::string& name) {
  return data::read_idx_images(trained.options().run.run / "generated_data" / (name + "-idx3-ubyte.gz"));
}

/// Sets of so many images after chains of so many steps, from files and from the library.
void check_generated(const SymVae& trained, const Texts& texts, int64_t images, int64_t steps) {
  const auto run = trained.loaded();
  const sym_vae::SymVae& model = run->recipe<sym_vae::SymVaeRecipe>().model();
  const auto on_pass = [](int64_t) {};
  const auto limiting = [&](int64_t n, int64_t of) {
    return limiting_set(model, n, of, run->last_step("lim"), on_pass).images;
  };
  const Tensor expected = limiting(images, steps);
  ASSERT_TRUE(images != 2 || !same_bits(expected, limiting(2, 1)));
  Texts all{{"images", "2"}, {"steps", "1"}, {"format", "idx"}};
  all.insert(all.end(), texts.begin(), texts.end());
  trained.inspect("generate-data", all);
  EXPECT_TRUE(same_bits(generated_file(trained, "lim_images"), expected));
  EXPECT_TRUE(same_bits(generated_file(trained, "sh_images"),
                        random_set(model, images, run->last_step("sh"), on_pass).images));
  EXPECT_TRUE(
      same_bits(generated_file(trained, "images"), run->recipe<sym_vae::SymVaeRecipe>().images().pixels));
}

void check_generated_pictures(const SymVae& trained) {
  const auto run = trained.loaded();
  const sym_vae::SymVae& model = run->recipe<sym_vae::SymVaeRecipe>().model();
  const sym_vae::MadeSet set = random_set(model, 2, run->last_step("sh"), [](int64_t) {});
  trained.inspect("generate-data", {{"images", "2"}, {"steps", "1"}});
  const auto second = set.images.slice(1, 2).to_vector<uint8_t>();
  EXPECT_EQ(trained.file("generated_data/sh_images/img_00001.png"),
            png(report::Image{.width = 28, .height = 28, .pixels = second}));
  EXPECT_TRUE(trained.has("generated_data/lim_images/img_00001.png"));
  EXPECT_TRUE(trained.has("generated_data/images/img_00079.png")) << "60 of training, 20 of test";
  EXPECT_FALSE(trained.has("generated_data/images/img_00080.png"));
}

/// A small net of features, trained for an epoch, and its file.
std::filesystem::path feature_weights(const SymVae& trained, int64_t features) {
  const fit::Images digits =
      fit::load_images({.name = "synth", .synth_train = 100, .synth_test = 20}, train::Inputs::unit, kCpu);
  const auto cache = trained.options().run.run.parent_path() / fmt::format("features_{}", features);
  printed([&] { mnist_cnn::trained(digits, {.features = features, .batch = 50, .epochs = 1}, cache); });
  for (const auto& entry : std::filesystem::directory_iterator(cache))
    return entry.path() / "weights.safetensors";
  throw std::runtime_error("no features");
}

/// Distances of so many images after chains of so many steps, by features.
void check_fid(const SymVae& trained, const Texts& texts, const fid::FeatureOptions& options, int64_t images,
               int64_t steps) {
  const auto run = trained.loaded();
  const auto& recipe = run->recipe<sym_vae::SymVaeRecipe>();
  const fid::Features features = fid::make_extractor(options, recipe.images().pixels);
  const auto on_pass = [](int64_t) {};
  const auto distance = [&](const sym_vae::MadeSet& set) {
    const Tensor a = (*features.extractor)(recipe.images().pixels), b = (*features.extractor)(set.images);
    return eval::frechet_estimate({eval::statistics(a), a}, {eval::statistics(b), b}, 0, 3).value;
  };
  Texts all{{"features", "mnist-cnn"},
            {"weights", feature_weights(trained, 4).string()},
            {"images", "20"},
            {"steps", "1"}};
  all.insert(all.end(), texts.begin(), texts.end());
  trained.inspect("fid", all);
  const auto json = nlohmann::json::parse(trained.file("fid.json"));
  EXPECT_EQ(json.at("features"), features.extractor->name());
  EXPECT_EQ(json.at("weights"), features.weights);
  EXPECT_EQ(json.at("limiting").at("fid").at("images").at(1), images);
  const auto value = [&](const char* set) { return json.at(set).at("fid").at("value").get<double>(); };
  EXPECT_EQ(value("limiting"),
            distance(limiting_set(recipe.model(), images, steps, run->last_step("lim"), on_pass)));
  EXPECT_EQ(value("random code"),
            distance(random_set(recipe.model(), images, run->last_step("sh"), on_pass)));
  EXPECT_NE(value("limiting"), value("random code"));
}

void check_dims(const SymVae& trained) {
  test::expect_error(ErrorKind::usage, "--dims is of --features inception", [&] {
    trained.inspect("fid", {{"features", "pixels"}, {"dims", "64"}});
  });
}

/// The figure of the losses that `plot` draws.
std::string losses_of(const SymVae& trained, const Texts& texts) {
  trained.inspect("plot", texts);
  return trained.file("losses.svg");
}

/// The other run has curves, named by its folder: letters of a figure are outlines.
void check_with(const SymVae& trained) {
  const auto run = trained.options().run.run;
  const auto with = [&](const char* name) {
    const auto other = run.parent_path() / name;
    std::filesystem::copy(run, other, std::filesystem::copy_options::recursive);
    return losses_of(trained, {{"with", other.string()}});
  };
  const std::string alone = losses_of(trained, {}), another = with("another");
  EXPECT_GT(another.size(), alone.size());
  EXPECT_NE(another, with("a third"));
}

/// Of three updates.
void check_most_steps(const SymVae& trained) {
  EXPECT_NE(losses_of(trained, {{"most-steps", "2"}}), losses_of(trained, {{"most-steps", "3"}}));
}

/// Replaces the weights of a run by others, with which codes depend much on the image.
void scatter_weights(const SymVae& trained) {
  const auto run = trained.loaded();
  train::Recipe& recipe = run->recipe<sym_vae::SymVaeRecipe>();
  test::scatter(recipe.model());
  nn::StateDict state;
  recipe.add_state(state);
  state.add("counter", Tensor::scalar(int64_t{1}));
  train::save_checkpoint(trained.options().run.run / train::kCheckpointFile, state, recipe.meta());
}

TEST(Inspections, OfSymVae) {
  const SymVae trained(sym_vae::sym_vae_tool(), {{"width", "2"},
                                                 {"encoder-units", "8"},
                                                 {"prior-units", "8"},
                                                 {"nz0", "4"},
                                                 {"nz1", "6"},
                                                 {"batch", "10"},
                                                 {"likelihood", "gaussian"},
                                                 {"iters-per-epoch", "3"},
                                                 {"log-every", "1"},
                                                 {"synth-train", "60"},
                                                 {"synth-test", "20"}});
  scatter_weights(trained);
  const fid::FeatureOptions four{.name = "mnist-cnn", .weights = feature_weights(trained, 4)},
      five{.name = "mnist-cnn", .weights = feature_weights(trained, 5)};
  Checks<sym_vae::Options> checks{{"test --nll", check_nll<sym_vae::SymVaeRecipe, sym_vae::Options>},
                                  {"generate-data --format", check_generated_pictures},
                                  {"fid --dims", check_dims},
                                  {"plot --with", check_with},
                                  {"plot --most-steps", check_most_steps}};
  checks["generate-data --images"] = [](const SymVae& t) { check_generated(t, {{"images", "3"}}, 3, 1); };
  checks["generate-data --steps"] = [](const SymVae& t) { check_generated(t, {{"steps", "2"}}, 2, 2); };
  checks["fid --images"] = [=](const SymVae& t) { check_fid(t, {{"images", "30"}}, four, 30, 1); };
  checks["fid --steps"] = [=](const SymVae& t) { check_fid(t, {{"steps", "2"}}, four, 20, 2); };
  checks["fid --weights"] = [=](const SymVae& t) {
    check_fid(t, {{"weights", five.weights.string()}}, five, 20, 1);
  };
  checks["fid --features"] = [](const SymVae& t) {
    check_fid(t, {{"features", "pixels"}, {"weights", ""}}, {.name = "pixels"}, 20, 1);
  };
  check_all<sym_vae::Options>(trained, checks);
}

}  // namespace
}  // namespace vae
