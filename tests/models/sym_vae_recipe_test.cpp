// Training of the model of binary codes and what is made of a trained one.
#include <gtest/gtest.h>

#include "models/sym_vae/generate.h"
#include "models/sym_vae/recipe.h"
#include "nn/train/task.h"
#include "tests/autograd/cases/catalogue.h"
#include "tests/expect_error.h"
#include "tests/models/sym_vae_models.h"

namespace vae::sym_vae {
namespace {

train::Data few(const Config& c, int64_t count = 40, int64_t others = 15) {
  train::Data data{test::few_images(count, 28, 28, 10, 0), test::few_images(others, 28, 28, 10, 1)};
  if (c.likelihood == nn::LikelihoodKind::bernoulli)
    data.train.inputs = data.test.inputs = train::Inputs::binary;
  return data;
}

SymVaeRecipe::Settings settings(const Config& c, Learning learning) {
  return {.model = c, .learning = learning, .batch = 8, .adam = {.learning_rate = 0.02, .rule = {}}};
}

/// Calls body with every variant and both ways of learning.
template <class Body>
void for_recipes(const Body& body) {
  for_variants([&](const Config& c) {
    for (const Learning learning : {Learning::symmetric, Learning::elbo}) {
      SCOPED_TRACE(fmt::format("learning {}", static_cast<int>(learning)));
      body(settings(c, learning));
    }
  });
}

TEST(SymVaeRecipe, LearnsFromAllImagesAsBits) {
  const Config c = small();
  const train::Data data = few(c);
  const SymVaeRecipe all(settings(c, Learning::symmetric), data, {});
  ASSERT_EQ(all.images().size(), 55);
  for (const auto& [part, begin] : {std::pair{&data.train, 0}, {&data.test, 40}}) {
    const auto before = part->pixels.to_vector<uint8_t>(),
               after = all.images().pixels.slice(begin, begin + part->size()).to_vector<uint8_t>();
    for (size_t i = 0; i < before.size(); ++i) ASSERT_EQ(after[i], before[i] >= 112 ? 255 : 0);
  }
  SymVaeRecipe::Settings train = settings(c, Learning::symmetric);
  train.trained_on = TrainedOn::train;
  EXPECT_EQ(SymVaeRecipe(train, data, {}).images().size(), 40);
  train.batch = 1024;
  const SymVaeRecipe whole(train, data, {});
  EXPECT_EQ(whole.images_per_step(), 40) << "no larger than the set";
  EXPECT_EQ(whole.steps_per_pass(), 1);
  const Config grey = small(EncoderKind::ladder, nn::LikelihoodKind::gaussian);
  const SymVaeRecipe bytes(settings(grey, Learning::symmetric), few(grey), {});
  EXPECT_TRUE(test::same_bits(bytes.images().pixels.slice(0, 40), data.train.pixels));
}

// Of 40 images each pixel with its own draw; within five standard deviations.
TEST(SymVaeRecipe, CorruptsTheShareThatIsAsked) {
  for (const auto likelihood : {nn::LikelihoodKind::bernoulli, nn::LikelihoodKind::gaussian}) {
    const Config c = small(EncoderKind::reverse, likelihood);
    SymVaeRecipe::Settings s = settings(c, Learning::symmetric);
    s.flipped = 0.2, s.noise = 0.3;
    const SymVaeRecipe recipe(s, few(c), {});
    const Var clean = images(40, c, DType::f32);
    const std::vector<double> x = to_doubles(clean.value()),
                              y = to_doubles(recipe.corrupted(clean, 40, first_step(DType::f32)).value());
    double sum = 0, squares = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_TRUE(y[i] == 0 || y[i] == 1 || c.likelihood == nn::LikelihoodKind::gaussian);
      sum += y[i] - x[i], squares += std::pow(y[i] - x[i], 2);
    }
    const auto n = static_cast<double>(x.size());
    if (likelihood == nn::LikelihoodKind::bernoulli) {
      EXPECT_NEAR(squares / n, 0.2, 5 * std::sqrt(0.2 * 0.8 / n));
    } else {
      EXPECT_NEAR(sum / n, 0, 5 * 0.3 / std::sqrt(n));
      EXPECT_NEAR(std::sqrt(squares / n), 0.3, 5 * 0.3 / std::sqrt(2 * n));
    }
    s.flipped = s.noise = 0;
    const SymVaeRecipe still(s, few(c), {});
    EXPECT_TRUE(test::same_bits(still.corrupted(clean, 40, first_step(DType::f32)).value(), clean.value()));
  }
}

std::vector<Tensor> values_of(const nn::Module& module) {
  std::vector<Tensor> values;
  for (const nn::Module::Parameter& p : module.parameters()) values.push_back(p.var.value().clone());
  return values;
}

/// Parameters that differ.
int changed(const std::vector<Tensor>& before, const std::vector<Tensor>& after) {
  int count = 0;
  for (size_t i = 0; i < before.size(); ++i) count += !test::same_bits(before[i], after[i]);
  return count;
}

TEST(SymVaeStep, PlayersTakeTurns) {
  for_variants([](const Config& c) {
    SymVaeRecipe recipe(settings(c, Learning::symmetric), few(c), {});
    SymVae& model = recipe.model();
    test::scatter(model, 0.5);
    train::Groups groups(recipe.groups());
    train::Notes notes;
    const train::Step step = first_step(DType::f32);
    const std::vector<train::Update> updates = recipe.updates(step.with_notes(notes));
    ASSERT_EQ(updates.size(), 2u);
    const auto p = [&] { return values_of(model.generator()); };
    const auto q = [&] { return values_of(model.encoder()); };
    const std::vector<Tensor> p0 = p(), q0 = q();
    const Drawn before = model.draw(8, step.in("p"));
    groups.run(updates[0], step.iteration());
    const std::vector<Tensor> p1 = p();
    EXPECT_GT(changed(p0, p1), 5);
    EXPECT_EQ(changed(q0, q()), 0) << "the generator's step is not the encoder's";
    const Drawn of_stepped = model.draw(8, step.in("p"));
    groups.run(updates[1], step.iteration());
    EXPECT_GT(changed(q0, q()), 5);
    EXPECT_EQ(changed(p1, p()), 0) << "the encoder's step is not the generator's";
    EXPECT_TRUE(test::same_bits(notes.at("p/x").value(), of_stepped.x.value()))
        << "the encoder learns from the generator that has stepped";
    EXPECT_FALSE(test::same_bits(before.x.value(), of_stepped.x.value()));
  });
}

TEST(SymVaeStep, RecordsNothingWithoutACase) {
  const autograd::OpObserver observer;
  for_recipes([](const SymVaeRecipe::Settings& s) {
    SymVaeRecipe recipe(s, few(s.model), {});
    train::Task task(recipe, {});
    task.step();
    for (const train::Scalar& scalar : task.drain()) EXPECT_TRUE(std::isfinite(scalar.value)) << scalar.name;
  });
  EXPECT_EQ(autograd::uncovered_ops(observer.names(), autograd::catalogue()), std::vector<std::string>{});
}

// The running averages of the first iterations are the means of the metrics, per bit and pixel.
TEST(SymVaeTask, ReadsWhatItLogs) {
  for_recipes([](const SymVaeRecipe::Settings& s) {
    SymVaeRecipe recipe(s, few(s.model), {});
    train::Task task(recipe, {.seed = 1});
    for (int i = 0; i < 3; ++i) task.step();
    std::map<std::string, double> row;
    std::vector<std::string> names;
    for (const train::Scalar& scalar : task.drain())
      row[scalar.name] = scalar.value, names.push_back(scalar.name);
    const bool ladder = s.model.encoder == EncoderKind::ladder, elbo = s.learning == Learning::elbo;
    const double nz0 = 2, nz1 = 3;
    std::map<std::string, double> expected;
    if (ladder && elbo)
      expected = {{"dloss", row.at("loss_data") / 784},
                  {"kl0loss", row.at("loss_kl0") / nz0},
                  {"kl1loss", row.at("loss_kl1") / nz1}};
    else if (ladder)
      expected = {{"ploss1", row.at("loss_p_z1") / nz1},
                  {"plossx", row.at("loss_p_x") / 784},
                  {"qloss0", row.at("loss_q_z0") / nz0},
                  {"qloss1", row.at("loss_q_z1") / nz1}};
    else if (elbo)
      expected = {{"dloss", row.at("loss_data") / 784}, {"klloss", row.at("loss_kl") / (nz0 + nz1)}};
    else
      expected = {{"ploss", (row.at("loss_p_z1") + row.at("loss_p_x")) / (784 + nz1)},
                  {"qloss", (row.at("loss_q_z0") + row.at("loss_q_z1")) / (nz0 + nz1)}};
    const auto mean = [](const Tensor& x) {
      double sum = 0;
      for (const double v : to_doubles(x)) sum += v / static_cast<double>(x.numel());
      return sum;
    };
    if (const auto& statistics = recipe.model().statistics()) {
      expected["pmi1"] = mean(statistics->p_z1.information);
      expected["qmi0"] = mean(statistics->q_z0.information);
      expected["qmi1"] = mean(statistics->q_z1.information);
    }
    double squares = 0, count = 0;
    for (const Tensor& p : values_of(recipe.model()))
      for (const double v : to_doubles(p)) squares += v * v, ++count;
    expected["len"] = squares / count;
    EXPECT_EQ(recipe.reading_metrics().size(), expected.size());
    for (const auto& [name, value] : expected)
      EXPECT_NEAR(row.at(name), value, 1e-5 * std::abs(value) + 1e-9) << name;
    const train::Scalars tested = task.evaluate();
    ASSERT_EQ(tested.size(), 1u);
    names.push_back(tested[0].name);
    EXPECT_EQ(task.metric_names(), names);
  });
}

TEST(SymVaeTask, LearnsInBothWays) {
  for (const auto& [learning, config] :
       {std::pair{Learning::symmetric, small()},
        {Learning::elbo, small(EncoderKind::reverse, nn::LikelihoodKind::gaussian)}}) {
    SymVaeRecipe recipe(settings(config, learning), few(config), {.seed = 2});
    train::Task task(recipe, {.seed = 1});
    const auto loss_of_pixels = [&](int steps) {
      for (int i = 0; i < steps; ++i) task.step();
      for (const train::Scalar& scalar : task.drain())
        if (scalar.name == "loss_p_x" || scalar.name == "loss_data") return scalar.value;
      return 0.0;
    };
    const double before = loss_of_pixels(1);
    loss_of_pixels(25);
    EXPECT_LT(loss_of_pixels(5), before - 1);
  }
}

// Chains of other numbers, and the same parameters.
TEST(SymVaeTask, ChainsGoOnAsideOfTheTraining) {
  for_variants([](const Config& c) {
    const auto after = [&](int64_t chains) {
      SymVaeRecipe::Settings s = settings(c, Learning::symmetric);
      s.chains = chains;
      SymVaeRecipe recipe(s, few(c), {.seed = 1});
      const Tensor start = recipe.chain().clone();
      EXPECT_EQ(start.shape(), (Shape{chains, kPixels}));
      const std::vector<double> pixels = to_doubles(start);
      double mean = 0;
      for (const double v : pixels) {
        mean += v / static_cast<double>(pixels.size());
        EXPECT_TRUE(c.likelihood == nn::LikelihoodKind::gaussian ? v >= 0 && v < 1 : v == 0 || v == 1);
      }
      EXPECT_NEAR(mean, 0.5, 5 * 0.5 / std::sqrt(static_cast<double>(pixels.size())));
      train::Task task(recipe, {.seed = 1});
      for (int i = 0; i < 2; ++i) task.step();
      EXPECT_FALSE(test::same_bits(recipe.chain(), start));
      return values_of(recipe.model());
    };
    EXPECT_EQ(changed(after(10), after(3)), 0);
  });
}

// ---- what a model makes

TEST(Generated, SetsOfImagesAndTheirCodes) {
  for_variants([](const Config& c) {
    SymVae model(c, {});
    test::scatter(model, 0.5);
    const train::Step step = first_step(DType::f32);
    const auto check = [&](const MadeSet& set, int64_t passes, int64_t expected_passes) {
      EXPECT_EQ(passes, expected_passes);
      const auto decoded = [&] {
        const auto bits = set.z1.to_vector<uint8_t>();
        const std::vector<double> z1(bits.begin(), bits.end());
        return model.decode(Var(test::tensor_of(z1, set.z1.shape(), DType::f32))).value();
      };
      EXPECT_TRUE(test::same_bits(set.images, bytes_of(model, decoded())));
      EXPECT_EQ(set.z0.shape(), (Shape{3, 2}));
    };
    int64_t done = 0;
    const auto on_pass = [&](int64_t n) { EXPECT_EQ(n, ++done); };
    const MadeSet random = random_set(model, 3, step, on_pass);
    check(random, done, passes_of(3, 0));
    done = 0;
    const MadeSet limiting = limiting_set(model, 3, 2, step, on_pass);
    check(limiting, done, passes_of(3, 2));
    EXPECT_FALSE(test::same_bits(random.z1, limiting.z1));
  });
  EXPECT_EQ(passes_of(1001, 4), 10);
}

TEST(Generated, BytesOfMeans) {
  EXPECT_EQ(byte_of(-1), 0);
  EXPECT_EQ(byte_of(0.499f / 255), 0);
  EXPECT_EQ(byte_of(0.501f / 255), 1);
  EXPECT_EQ(byte_of(0.2f), 51);
  EXPECT_EQ(byte_of(1), 255);
  EXPECT_EQ(byte_of(7), 255);
  for_variants([](const Config& c) {
    const SymVae model(c, {});
    const Tensor decoded = test::sample_tensor({2, kPixels}, DType::f32, kCpu, -0.2, 1.2);
    const std::vector<double> values = to_doubles(decoded);
    const auto bytes = bytes_of(model, decoded).to_vector<uint8_t>();
    for (size_t i = 0; i < bytes.size(); ++i)
      EXPECT_EQ(bytes[i], !model.has_bits() ? byte_of(static_cast<float>(values[i]))
                          : values[i] > 0   ? 255
                                            : 0);
  });
}

// Four rows of ten; of grey values the chain as drawn, too; black gaps of two pixels, and black where there
// are fewer images.
TEST(Generated, GridsAreNoWiderThanTheirImages) {
  const auto size = [](int64_t images) {
    const report::Image grid = image_rows(std::vector<float>(static_cast<size_t>(images * kPixels)), 4);
    return std::pair(grid.width, grid.height);
  };
  EXPECT_EQ(size(3), std::pair(3 * 30 + 2, 32));
  EXPECT_EQ(size(4), std::pair(4 * 30 + 2, 32));
  EXPECT_EQ(size(5), std::pair(4 * 30 + 2, 62));
}

TEST(Generated, Snapshot) {
  for_variants([](const Config& c) {
    const auto of = [&](int64_t count, int64_t chains) {
      SymVaeRecipe::Settings s = settings(c, Learning::symmetric);
      s.trained_on = TrainedOn::train, s.chains = chains;
      const SymVaeRecipe recipe(s, few(c, count), {});
      const report::Image image = snapshot(recipe, first_step(DType::f32));
      EXPECT_EQ(image.width, 10 * 30 + 2);
      EXPECT_EQ(image.height, (recipe.model().has_bits() ? 4 : 5) * 30 + 2);
      return image;
    };
    /// Whether the tile of a row and column has a pixel that is not black.
    const auto shows = [](const report::Image& image, int row, int column) {
      int sum = 0;
      for (int y = 0; y < 28; ++y)
        for (int x = 0; x < 28; ++x)
          sum += image.pixels[static_cast<size_t>((2 + row * 30 + y) * image.width + 2 + column * 30 + x)];
      return sum > 0;
    };
    const report::Image whole = of(40, 10), part = of(3, 10), few_chains = of(40, 4);
    for (int column = 0; column < 10; ++column) {
      EXPECT_TRUE(shows(whole, 0, column));
      EXPECT_EQ(shows(part, 0, column), column < 3);
      EXPECT_TRUE(shows(whole, 3, column) || c.likelihood == nn::LikelihoodKind::gaussian);
      EXPECT_FALSE(column >= 4 && shows(few_chains, 3, column));
    }
  });
}

// ---- misuse

TEST(SymVaeRecipe, RefusesOtherImages) {
  const auto refused = [](int64_t height, int64_t width, int64_t channels) {
    train::Data data = few(small());
    for (train::ImageSet* set : {&data.train, &data.test})
      set->pixels = Tensor::zeros({set->size(), height, width, channels}, DType::u8);
    test::expect_error(ErrorKind::data, "28 x 28 grey",
                       [&] { SymVaeRecipe(settings(small(), Learning::symmetric), data, {}); });
  };
  refused(27, 28, 1), refused(28, 29, 1), refused(28, 28, 3);
}

}  // namespace
}  // namespace vae::sym_vae
