// Every option that an inspection has of its own reaches what it is for: what the inspection writes or prints
// is what the library gives for that value, named here as a number, and not what it gives for the default.
#include "tests/tools/inspections.h"

#include "tensor/compare.h"
#include "tensor/parallel.h"
#include "tensor/safetensors.h"
#include "tools/adgm/options.h"
#include "tools/m1_m2/options.h"
#include "tools/ml_vae/options.h"

namespace vae {
namespace {

using test::Checks, test::check_all, test::check_nll, test::png, test::printed, test::Texts, test::Trained;

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
    const std::string picture = (run->folder() / (name + ".png")).string();
    EXPECT_EQ(trained.inspect("tsne", all), fmt::format("picture: {}\n{}", picture, expected));
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
