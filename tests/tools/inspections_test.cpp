// Every option that an inspection has of its own reaches what it is for: what the inspection writes or prints
// is what the library gives for that value, named here as a number, and not what it gives for the default.
#include <map>

#include "data/idx.h"
#include "models/mnist_cnn/extractor.h"
#include "models/sym_vae/generate.h"
#include "nn/eval/frechet.h"
#include "nn/train/checkpoint.h"
#include "tensor/compare.h"
#include "tensor/parallel.h"
#include "tensor/safetensors.h"
#include "tests/expect_error.h"
#include "tests/models/few.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"
#include "tests/tools/settings.h"
#include "tools/adgm/options.h"
#include "tools/m1_m2/options.h"
#include "tools/ml_vae/options.h"
#include "tools/sym_vae/options.h"

namespace vae {
namespace {

using test::Texts;

/// Standard output of a function.
std::string printed(const std::function<void()>& body) {
  testing::internal::CaptureStdout();
  try {
    body();
  } catch (...) {
    testing::internal::GetCapturedStdout();
    throw;
  }
  return testing::internal::GetCapturedStdout();
}

/// A small trained run of a tool.
template <class Options>
class Trained {
 public:
  Trained(const tool::Tool<Options>& tool, const Texts& texts) : tool_(tool), texts_(texts) {
    printed([&] { tool::Run(setup_of(options())).train(); });
  }
  const tool::Tool<Options>& tool() const { return tool_; }

  Options options() const {
    Options o = tool_.preset(test::choices({texts_.begin(), texts_.end()}));
    o.tool_name = tool_.name;
    test::set(tool::described(o), {{"data", "synth"},
                                   {"synth-train", "300"},
                                   {"synth-test", "120"},
                                   {"threads", "1"},
                                   {"quiet", "true"},
                                   {"epochs", "1"},
                                   {"iters-per-epoch", "20"},
                                   {"seed", "3"}});
    test::set(tool::described(o), texts_);
    o.run.run = directory_ / "run";
    return o;
  }
  std::unique_ptr<tool::Run> loaded() const {
    auto run = std::make_unique<tool::Run>(setup_of(options()));
    run->load();
    return run;
  }
  const tool::Inspection<Options>& inspection(const std::string& name) const {
    for (const auto& i : tool_.inspections)
      if (i.name == name) return i;
    throw std::runtime_error("no inspection " + name);
  }
  /// Runs an inspection; returns what it prints.
  std::string inspect(const std::string& name, const Texts& own) const {
    Options o = options();
    const tool::OptionTable table = tool::described(o);
    const auto& i = inspection(name);
    if (i.describe) i.describe(table, o);
    test::set(table, own);
    tool::Run run(setup_of(o));
    if (i.of_trained) run.load();
    return printed([&] { EXPECT_EQ(i.run(run, o), 0); });
  }
  std::string file(const std::string& name) const { return test::read_text(directory_ / "run" / name); }
  bool has(const std::string& name) const { return std::filesystem::exists(directory_ / "run" / name); }
  void remove(const std::string& name) const { std::filesystem::remove(directory_ / "run" / name); }

 private:
  tool::Tool<Options> tool_;
  Texts texts_;
  test::TemporaryDirectory directory_;
};

/// The bytes of a picture's PNG.
std::string png(const report::Picture& picture) {
  const test::TemporaryDirectory directory;
  fit::write_picture(directory.path(), "picture", picture);
  return test::read_text(directory / "picture.png");
}

template <class Options>
using Checks = std::map<std::string, std::function<void(const Trained<Options>&)>>;

/// Options of inspections beside those of training, as "inspection --option".
template <class Options>
void check_all(const Trained<Options>& trained, const Checks<Options>& checks) {
  std::map<std::string, bool> found;
  for (const auto& [name, check] : checks) found[name] = false;
  for (const auto& i : trained.tool().inspections) {
    Options o = trained.options();
    const tool::OptionTable table = tool::described(o);
    const size_t common = table.options().size();
    if (i.describe) i.describe(table, o);
    for (size_t own = common; own < table.options().size(); ++own) {
      const std::string name = i.name + " --" + table.options()[own].name;
      SCOPED_TRACE(name);
      if (!checks.contains(name)) {
        ADD_FAILURE() << "an option of an inspection without a check";
        continue;
      }
      found[name] = true;
      checks.at(name)(trained);
    }
  }
  for (const auto& [name, was] : found) EXPECT_TRUE(was) << "no option " << name;
}

/// `test --nll`: the estimate with so many importance samples, and none without.
template <class Recipe, class Options>
void check_nll(const Trained<Options>& trained) {
  const std::unique_ptr<tool::Run> run = trained.loaded();
  const double three = run->recipe<Recipe>().nll(3, run->last_step());
  EXPECT_NE(fmt::format("{:.3f}", three),
            fmt::format("{:.3f}", run->recipe<Recipe>().nll(1, run->last_step())));
  const std::string words = fmt::format("-log p(x) {:.3f} nats per image (3 importance samples)\n", three);
  EXPECT_NE(trained.inspect("test", {{"nll", "3"}}).find(words), std::string::npos);
  EXPECT_EQ(trained.inspect("test", {}).find("-log p(x)"), std::string::npos);
}

TEST(Inspections, OfM1) {
  check_all<m1_m2::M1Options>({m1_m2::m1_tool(), {{"hidden", "8"}, {"batch", "20"}}},
                              {{"test --nll", check_nll<m1_m2::M1Recipe, m1_m2::M1Options>}});
}

const Texts kM2{{"hidden", "8"}, {"z", "3"}, {"labels", "30"}, {"validation", "50"}};

TEST(Inspections, OfM2) {
  check_all<m1_m2::M2Options>({m1_m2::m2_tool(), kM2},
                              {{"test --nll", check_nll<m1_m2::M2Recipe, m1_m2::M2Options>}});
}

TEST(Inspections, OfM2OnM1) {
  Texts texts = kM2;
  texts.insert(texts.end(),
               {{"m1-hidden", "8"}, {"m1-z", "4"}, {"m1-epochs", "1"}, {"m1-iters-per-epoch", "5"}});
  const auto means = [](const Trained<m1_m2::M2Options>& trained) {
    const auto run = trained.loaded();
    auto& recipe = run->recipe<m1_m2::M2Recipe>();
    const std::string of_means = png(recipe.analogy_picture(run->last_step(), true)),
                      of_samples = png(recipe.analogy_picture(run->last_step(), false));
    ASSERT_NE(of_means, of_samples);
    trained.inspect("analogy", {{"means", "true"}});
    EXPECT_EQ(trained.file("analogy.png"), of_means);
    trained.inspect("analogy", {});
    EXPECT_EQ(trained.file("analogy.png"), of_samples);
  };
  check_all<m1_m2::M2Options>({m1_m2::m1_m2_tool(), texts}, {{"analogy --means", means}});
}

TEST(Inspections, OfAdgm) {
  using Run = Trained<adgm::Options>;
  const auto digit = [](const Run& trained) {
    const auto run = trained.loaded();
    const auto pictures = run->recipe<adgm::FamilyRecipe>().pictures(run->last_step());
    trained.remove("analogy.png");
    trained.inspect("sample", {{"digit", "3"}});
    EXPECT_EQ(trained.file("conditional.png"), png(samples(pictures, 3)));
    EXPECT_FALSE(trained.has("analogy.png")) << "one class is all that was asked for";
    trained.inspect("sample", {});
    EXPECT_EQ(trained.file("conditional.png"), png(samples(pictures, -1)));
    EXPECT_TRUE(trained.has("analogy.png"));
  };
  check_all<adgm::Options>(
      {adgm::adgm_tool(), {{"hidden", "8,6"}, {"z", "3"}, {"a", "2"}, {"labels", "30"}}},
      {{"test --nll", check_nll<adgm::FamilyRecipe, adgm::Options>}, {"sample --digit", digit}});
}

TEST(Inspections, OfVae) {
  const auto span = [](const Trained<adgm::Options>& trained) {
    const auto run = trained.loaded();
    const auto pictures = run->recipe<adgm::FamilyRecipe>().pictures(run->last_step());
    ASSERT_NE(png(traversals(pictures, 1.5)), png(traversals(pictures, 3)));
    trained.inspect("sample", {{"span", "1.5"}});
    EXPECT_EQ(trained.file("traversals.png"), png(traversals(pictures, 1.5)));
    trained.inspect("sample", {});
    EXPECT_EQ(trained.file("traversals.png"), png(traversals(pictures, 3)));
    trained.remove("interpolation.png");
    trained.inspect("interpolate", {});
    EXPECT_EQ(trained.file("interpolation.png"), png(interpolations(pictures)));
  };
  check_all<adgm::Options>(
      {adgm::vae_tool(), {{"hidden", "8,6"}, {"z", "3"}}},
      {{"test --nll", check_nll<adgm::FamilyRecipe, adgm::Options>}, {"sample --span", span}});
}

using MlVae = Trained<ml_vae::Options>;
using ml_vae::Embedded, ml_vae::References;

void check_evidence_images(const MlVae& trained) {
  const auto run = trained.loaded();
  const auto pictures = run->recipe<ml_vae::MlVaeRecipe>().pictures(run->last_step());
  ASSERT_NE(png(swap_grid(pictures, References::random, 100)),
            png(swap_grid(pictures, References::random, 256)));
  trained.inspect("swap", {{"evidence-images", "100"}});
  EXPECT_EQ(trained.file("swap_evidence.png"), png(swap_grid(pictures, References::random, 100)));
  EXPECT_EQ(trained.file("swap.png"), png(swap_grid(pictures, References::random, 0)));
  trained.inspect("swap", {});
  EXPECT_EQ(trained.file("swap_evidence.png"), png(swap_grid(pictures, References::random, 256)));
}

void check_references(const MlVae& trained) {
  EXPECT_THROW(trained.inspect("swap", {{"references", "fixed"}}), Error) << "these are no images of MNIST";
  EXPECT_NO_THROW(trained.inspect("swap", {{"references", "random"}}));
}

/// An option of t-SNE by the numbers that it should give.
std::function<void(const MlVae&)> check_tsne(const Texts& texts, const ml_vae::TsneInput& input,
                                             const eval::TsneOptions& tsne, const std::string& name) {
  return [=](const MlVae& trained) {
    const auto run = trained.loaded();
    const auto pictures = run->recipe<ml_vae::MlVaeRecipe>().pictures(run->last_step());
    const auto line = [&](const ml_vae::TsneInput& of, eval::TsneOptions options, const std::string& file) {
      options.seed = 3;  // of the run
      const Tensor x = tsne_input(pictures, of, tsne_items(pictures, of.images)), y = eval::tsne(x, options);
      return fmt::format("{}: {} images, trustworthiness (k = 12) {:.4f}\n", file, x.size(0),
                         eval::trustworthiness(x, y, 12));
    };
    const std::string expected = line(input, tsne, name);
    ASSERT_NE(expected, line({}, {.iterations = 40}, "tsne_style"));
    Texts all{{"iterations", "40"}};
    all.insert(all.end(), texts.begin(), texts.end());
    EXPECT_EQ(trained.inspect("tsne", all), expected);
    EXPECT_TRUE(trained.has(name + ".svg"));
  };
}

void check_probe(const MlVae& trained, const Texts& texts, const ml_vae::Probes& probes) {
  const auto run = trained.loaded();
  const auto& recipe = run->recipe<ml_vae::MlVaeRecipe>();
  const auto expected = recipe.probe(run->last_step(), probes).numbers;
  ASSERT_NE(expected, recipe.probe(run->last_step(), {}).numbers);
  trained.inspect("probe", texts);
  EXPECT_EQ(nlohmann::ordered_json::parse(trained.file("probe.json")), expected);
}

/// The classifiers after three iterations, against those of a recipe made by hand.
void check_classify(const MlVae& trained, const Texts& texts, ml_vae::ClassifierRecipe::Settings settings) {
  const auto run = trained.loaded();
  auto& recipe = run->recipe<ml_vae::MlVaeRecipe>();
  const auto after = [&](ml_vae::ClassifierRecipe::Settings s, int64_t iterations) {
    s.reshuffle = true, s.noise_std = 0.5;  // as the run was trained
    ml_vae::ClassifierRecipe by_hand(s, encode_set(recipe.model(), recipe.data().train), 10,
                                     {DType::f32, kCpu, 3});
    train::Task task(by_hand, {.seed = 3});
    for (int64_t i = 0; i < iterations; ++i) task.step();
    std::vector<Tensor> values;
    for (const auto& p : by_hand.model().parameters()) values.push_back(p.var.value());
    return values;
  };
  const std::vector<Tensor> expected = after(settings, 3), other = after({}, 3), longer = after(settings, 4);
  Texts all{{"iterations", "3"}, {"fresh", "true"}};
  all.insert(all.end(), texts.begin(), texts.end());
  trained.inspect("classify", all);
  const SafeTensors file = load_safetensors(trained.options().run.run / "classifier/checkpoint.safetensors");
  ml_vae::ClassifierRecipe names({}, encode_set(recipe.model(), recipe.data().train), 10,
                                 {DType::f32, kCpu, 3});
  bool differs = texts.empty(), is_longer = false;
  size_t i = 0;
  for (const auto& p : names.model().parameters()) {
    EXPECT_TRUE(same_bits(file.at(p.name), expected[i])) << p.name;
    differs |= !same_bits(expected[i], other[i]);
    is_longer |= !same_bits(expected[i], longer[i]);
    ++i;
  }
  EXPECT_TRUE(differs && is_longer);
}

void check_weights(const MlVae& trained) {
  const MlVae other(trained.tool(),
                    {{"hidden", "6"}, {"style-dim", "2"}, {"class-dim", "3"}, {"batch", "20"}});
  const auto file = trained.options().run.run / "checkpoint.safetensors";
  other.inspect("import", {{"weights", file.string()}, {"fresh", "true"}});
  const SafeTensors from = load_safetensors(file),
                    to = load_safetensors(other.options().run.run / "checkpoint.safetensors");
  const auto run = trained.loaded();
  for (const auto& p : run->recipe<ml_vae::MlVaeRecipe>().model().parameters())
    EXPECT_TRUE(same_bits(from.at(p.name), to.at(p.name))) << p.name;
}

TEST(Inspections, OfMlVae) {
  const eval::TsneOptions tsne{.iterations = 40};
  check_all<ml_vae::Options>(
      {ml_vae::ml_vae_tool(),
       {{"hidden", "8"},
        {"style-dim", "3"},
        {"class-dim", "4"},
        {"batch", "50"},
        {"reshuffle", "true"},
        {"noise-std", "0.5"}}},
      {{"import --weights", check_weights},
       {"swap --references", check_references},
       {"swap --evidence-images", check_evidence_images},
       {"classify --iterations", [](const MlVae& t) { check_classify(t, {}, {}); }},
       {"classify --classifier-batch",
        [](const MlVae& t) {
          check_classify(t, {{"classifier-batch", "30"}}, {.batch = 30});
        }},
       {"classify --classifier-lr",
        [](const MlVae& t) {
          ml_vae::ClassifierRecipe::Settings settings;
          settings.adam.learning_rate = 0.01;
          check_classify(t, {{"classifier-lr", "0.01"}}, settings);
        }},
       {"tsne --code", check_tsne({{"code", "pixels"}}, {.code = Embedded::pixels}, tsne, "tsne_pixels")},
       {"tsne --evidence",
        check_tsne({{"code", "class"}, {"evidence", "true"}},
                   {.code = Embedded::class_code, .evidence = true}, tsne, "tsne_class_evidence")},
       {"tsne --means", check_tsne({{"means", "true"}}, {.means = true}, tsne, "tsne_style")},
       {"tsne --images", check_tsne({{"images", "100"}}, {.images = 100}, tsne, "tsne_style")},
       {"tsne --perplexity",
        check_tsne({{"perplexity", "5"}}, {}, {.perplexity = 5, .iterations = 40}, "tsne_style")},
       {"tsne --iterations", check_tsne({{"iterations", "70"}}, {}, {.iterations = 70}, "tsne_style")},
       {"tsne --exaggeration",
        check_tsne({{"exaggeration", "2"}}, {}, {.iterations = 40, .early_exaggeration = 2}, "tsne_style")},
       {"tsne --learning-rate",
        check_tsne({{"learning-rate", "20"}}, {}, {.iterations = 40, .learning_rate = 20}, "tsne_style")},
       {"probe --fit",
        [](const MlVae& t) {
          check_probe(t, {{"fit", "150"}}, {.fit = 150});
        }},
       {"probe --ridge", [](const MlVae& t) {
          check_probe(t, {{"ridge", "0.5"}}, {.ridge = 0.5});
        }}});
}

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

void check_with(const SymVae& trained) {
  const auto run = trained.options().run.run, other = run.parent_path() / "another";
  std::filesystem::copy(run, other, std::filesystem::copy_options::recursive);
  EXPECT_NE(losses_of(trained, {{"with", other.string()}}).find(">another</text>"), std::string::npos);
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

TEST(Run, SeedDeviceAndThreadsReachTheRecipe) {
  const Trained<m1_m2::M1Options> trained(
      m1_m2::m1_tool(), {{"hidden", "8"}, {"batch", "20"}, {"seed", "11"}, {"threads", "2"}});
  const auto run = trained.loaded();
  EXPECT_EQ(run->recipe<m1_m2::M1Recipe>().model().options().seed, 11u);
  EXPECT_EQ(run->recipe<m1_m2::M1Recipe>().model().options().device, kCpu);
  EXPECT_EQ(run->last_step().seed(), 11u);
  EXPECT_EQ(run->last_step().draw().to_vector<int64_t>(), std::vector<int64_t>{19})
      << "the last of 20 iterations";
  EXPECT_EQ(num_threads(), 2);
  EXPECT_EQ(run->images().train.size(), 300);
  EXPECT_EQ(run->images().test.size(), 120);
}

}  // namespace
}  // namespace vae
