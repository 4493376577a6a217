// The multi-level VAE: evidence against plain loops, the complete losses of every mode against central
// differences, what detaching leaves alone, training steps.
#include <gtest/gtest.h>

#include "autograd/gradcheck.h"
#include "models/ml_vae/classifier.h"
#include "models/ml_vae/recipe.h"
#include "nn/train/task.h"
#include "tensor/allocator.h"
#include "tests/autograd/cases/catalogue.h"
#include "tests/expect_error.h"
#include "tests/models/few.h"

namespace vae::ml_vae::ml_vae_test {

constexpr int64_t kRows = 7, kX = 6, kGroups = 4;
const std::vector<int64_t> kLabels{2, 0, 2, 3, 0, 2, 2};  // no 1

Tensor f64(Shape shape, uint64_t stream, double high = 1.5) {
  return test::sample_tensor(shape, DType::f64, kCpu, -high, high, stream);
}

Groups groups(DType dtype = DType::f64) {
  return make_groups(Tensor::from(kLabels, {kRows}), kGroups, dtype);
}

TEST(Evidence, IsTheProductOfTheMembers) {
  constexpr int64_t dims = 3;
  for (const DType dtype : {DType::f64, DType::f32}) {
    const double tolerance = dtype == DType::f64 ? 1e-14 : 1e-6;  // a few roundings
    const Tensor mean = test::tensor_of(to_doubles(f64({kRows, dims}, 1)), {kRows, dims}, dtype);
    std::vector<double> log_vars = to_doubles(f64({kRows, dims}, 2, 4));
    log_vars[2 * dims] = -800;  // underflows: variance 1e-6
    const Gaussian g =
        accumulate_evidence({Var(mean), Var(test::tensor_of(log_vars, {kRows, dims}, dtype))}, groups(dtype));
    const std::vector<double> means = to_doubles(mean);
    for (int64_t group = 0; group < kGroups; ++group)
      for (int64_t d = 0; d < dims; ++d) {
        double precision = 0, weighted = 0;
        for (int64_t i = 0; i < kRows; ++i) {
          if (kLabels[i] != group) continue;
          const double log_var = log_vars[i * dims + d], p = 1 / (log_var == -800 ? 1e-6 : std::exp(log_var));
          precision += p, weighted += p * means[i * dims + d];
        }
        const bool absent = group == 1;
        const double expected_mean = absent ? 0 : weighted / precision;
        const double expected_log_var = absent ? 0 : -std::log(precision);
        EXPECT_NEAR(to_doubles(g.mean.value())[group * dims + d], expected_mean, tolerance * 2);
        EXPECT_NEAR(to_doubles(g.log_var.value())[group * dims + d], expected_log_var, tolerance * 20);
      }
  }
}

TEST(Evidence, OneMemberIsItself) {
  const Tensor mean = f64({kRows, 2}, 1), log_var = f64({kRows, 2}, 2, 20);
  const Groups own = make_groups(train::items_of({4, 0, 2, 6, 1, 3, 5}, kCpu), kRows, DType::f64);
  const Gaussian back = of_members(accumulate_evidence({Var(mean), Var(log_var)}, own), own);
  EXPECT_LE(test::distance(to_doubles(back.mean.value()), to_doubles(mean)), 1e-14);
  EXPECT_LE(test::distance(to_doubles(back.log_var.value()), to_doubles(log_var)), 1e-14);
}

TEST(Evidence, Gradient) {
  const Var mean(f64({kRows, 3}, 1), true), log_var(f64({kRows, 3}, 2), true);
  for (const bool variance : {false, true}) {
    const auto result = autograd::gradcheck(
        [&] {
          const Gaussian g = accumulate_evidence({mean, log_var}, groups());
          return variance ? g.log_var : g.mean;
        },
        {mean, log_var});
    EXPECT_TRUE(result.ok) << result.where << ", error " << result.worst;
  }
}

Config small_config() {
  Config config;
  config.x_size = kX, config.hidden = 5, config.style_dim = 3, config.class_dim = 2;
  return config;
}

/// Calls body with every combination of the switches.
template <class Body>
void for_modes(const Body& body) {
  Config config = small_config();
  for (const auto gradient : {ClassGradient::detached, ClassGradient::attached})
    for (const auto count : {ClassKlCount::per_member, ClassKlCount::per_group})
      for (const auto noise : {ClassNoise::per_group, ClassNoise::per_image})
        for (const auto divisor : {LossDivisor::pixels, LossDivisor::groups}) {
          config.class_gradient = gradient, config.class_kl_count = count;
          config.class_noise = noise, config.divisor = divisor;
          config.reconstruction_coef = 1.5, config.kl_coef = 0.7;
          SCOPED_TRACE(fmt::format("gradient {} count {} noise {} divisor {}", static_cast<int>(gradient),
                                   static_cast<int>(count), static_cast<int>(noise),
                                   static_cast<int>(divisor)));
          body(config);
        }
}

train::Step step() { return train::Step(0, Tensor::scalar(int64_t{0})); }

Noise noise_of(const Config& c, DType dtype = DType::f64) {
  const int64_t draws = c.class_noise == ClassNoise::per_group ? kGroups : kRows;
  return {Var(test::sample_tensor({kRows, c.style_dim}, dtype, kCpu, -2, 2, 4)),
          Var(test::sample_tensor({draws, c.class_dim}, dtype, kCpu, -1, 1, 5))};
}

TEST(MlVaeLoss, TermsByTheirDefinition) {
  for_modes([](const Config& config) {
    MlVae model(config, {.dtype = DType::f64});
    test::scatter(model);
    const Tensor x = test::sample_tensor({kRows, kX}, DType::f64, kCpu, 0, 1, 3);
    train::Notes notes;
    const Losses losses = model.loss(Var(x), kRows, groups(), noise_of(config), step().with_notes(notes));
    const auto noted = [&](const std::string& name) { return to_doubles(notes.at(name).value()); };
    const double divisor = config.divisor == LossDivisor::pixels ? kRows * kX : 3;  // groups present
    const auto kl = [](const std::vector<double>& mean, const std::vector<double>& log_var) {
      double sum = 0;
      for (size_t i = 0; i < mean.size(); ++i)
        sum += 0.5 * (mean[i] * mean[i] + std::exp(log_var[i]) - 1 - log_var[i]);
      return sum;
    };
    double squares = 0, class_kl = 0;
    const std::vector<double> logits = noted("logits"), pixels = to_doubles(x);
    for (size_t i = 0; i < pixels.size(); ++i)
      squares += std::pow(1 / (1 + std::exp(-logits[i])) - pixels[i], 2);
    const Gaussian members = of_members({notes.at("group_mu"), notes.at("group_logvar")}, groups());
    if (config.class_kl_count == ClassKlCount::per_member)
      class_kl = kl(to_doubles(members.mean.value()), to_doubles(members.log_var.value()));
    else
      class_kl = kl(noted("group_mu"), noted("group_logvar"));
    const double style_kl = kl(noted("style_mu"), noted("style_logvar"));
    EXPECT_NEAR(losses.reconstruction.value().item(), 1.5 * squares / divisor, 1e-12);
    EXPECT_NEAR(losses.style_kl.value().item(), 0.7 * style_kl / divisor, 1e-12);
    EXPECT_NEAR(losses.class_kl.value().item(), 0.7 * class_kl / divisor, 1e-12);
    EXPECT_NEAR(losses.total.value().item(), (1.5 * squares + 0.7 * (style_kl + class_kl)) / divisor, 1e-12);
    for (int64_t i : {0, 2, 5, 6}) {  // members of one group share a code, unless each has noise of its own
      const std::vector<double> z = noted("class_z");
      EXPECT_EQ(z[i * config.class_dim] == z[0], i == 0 || config.class_noise == ClassNoise::per_group);
    }
  });
}

TEST(MlVaeGradcheck, CompleteLoss) {
  for_modes([](const Config& config) {
    MlVae model(config, {.dtype = DType::f64});
    const std::vector<Var> parameters = test::scatter(model);
    const Var x(test::sample_tensor({kRows, kX}, DType::f64, kCpu, 0, 1, 3));
    const Codes codes = model.encode(x);
    // Detached, the class statistics are constants: the loss with these is what has the gradient.
    const Gaussian frozen{Var(codes.class_code.mean.value().clone()),
                          Var(codes.class_code.log_var.value().clone())};
    const bool detached = config.class_gradient == ClassGradient::detached;
    const auto loss = [&] {
      if (!detached) return model.loss(x, kRows, groups(), noise_of(config), step()).total;
      const Gaussian style = model.encode(x).style;
      return model
          .loss(x, kRows, style, accumulate_evidence(frozen, groups()), groups(), noise_of(config), step())
          .total;
    };
    const auto result = autograd::gradcheck(loss, parameters);
    EXPECT_TRUE(result.ok) << result.where << ", error " << result.worst;

    autograd::Tape tape;
    for (Var p : parameters) p.clear_grad();
    tape.backward(model.loss(x, kRows, groups(), noise_of(config), step()).total);
    for (const nn::Module::Parameter& p : model.parameters())
      EXPECT_EQ(p.var.has_grad(), !detached || p.name.find("encoder.class_") == std::string::npos) << p.name;
    std::vector<std::vector<double>> whole;
    for (const Var& p : parameters)
      whole.push_back(p.has_grad() ? to_doubles(p.grad()) : std::vector<double>{});
    if (!detached) return;
    for (Var p : parameters) p.clear_grad();
    autograd::Tape again;
    again.backward(loss());
    for (size_t i = 0; i < parameters.size(); ++i)
      if (!whole[i].empty()) {
        EXPECT_EQ(to_doubles(parameters[i].grad()), whole[i]) << model.parameters()[i].name;
      }
  });
}

TEST(MlVaeStep, RecordsNothingWithoutACase) {
  const autograd::OpObserver observer;
  for_modes([](const Config& config) {
    MlVae model(config, {});
    train::Groups all({{"model", &model, nn::Adam::Settings{}, {}}});
    const Var x(test::sample_tensor({kRows, kX}, DType::f32, kCpu, 0, 1, 3));
    all.run({{}, {[&] {
               const Var loss =
                   model.loss(x, kRows, groups(DType::f32), noise_of(config, DType::f32), step()).total;
               EXPECT_TRUE(std::isfinite(loss.value().item()));
               return loss;
             }}},
            step().iteration());
  });
  nn::Module root;
  LatentClassifier net(&root, "net", 3, 8, kGroups, 1);
  train::Groups all({{"net", &net, nn::Adam::Settings{}, {}}});
  all.run({{}, {[&] {
             return autograd::cross_entropy(net(Var(test::sample_tensor({kRows, 3}, DType::f32))),
                                            Tensor::from(kLabels, {kRows}));
           }}},
          step().iteration());
  EXPECT_EQ(autograd::uncovered_ops(observer.names(), autograd::catalogue()), std::vector<std::string>{});
}

/// Images whose pixels tell the label.
ImageSet striped(int64_t count) {
  std::vector<uint8_t> pixels(static_cast<size_t>(count * kX));
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < count; ++i) {
    labels.push_back(i % kGroups);
    for (int64_t d = 0; d < kX; ++d)
      pixels[i * kX + d] = static_cast<uint8_t>(d % kGroups == i % kGroups ? 200 + i % 50 : i % 40);
  }
  return {Tensor::from(pixels, {count, 1, kX, 1}), Tensor::from(labels, {count}), train::Inputs::unit};
}

train::Data few() { return {striped(64), striped(16), kGroups, "stripes", {}}; }

TEST(MlVaeTask, LearnsAndAllocatesNothingOnceWarm) {
  Config config = small_config();
  config.class_gradient = ClassGradient::attached;
  MlVaeRecipe recipe({.model = config, .batch = 20, .adam = {.learning_rate = 1e-2, .rule = {}}}, few(), {});
  train::Task task(recipe, {});
  EXPECT_EQ(recipe.steps_per_pass(), 3);
  const auto steps = [&](int count) {
    for (int i = 0; i < count; ++i) task.step();
    return allocator(kCpu).stats();
  };
  const AllocatorStats warm = steps(3), later = steps(3);
  EXPECT_EQ(later.raw_allocations, warm.raw_allocations);
  EXPECT_EQ(later.live_bytes, warm.live_bytes);
  const double before = task.drain()[0].value;
  steps(1000);
  task.drain();
  steps(100);
  const double after = task.drain()[0].value;
  EXPECT_LT(after, 0.5 * before);
  EXPECT_EQ(task.metric_names().size(), task.drain().size() + 3 + task.evaluate().size());
}

TEST(MlVaeTask, DetachedClassHeadsStay) {
  MlVaeRecipe recipe({.model = small_config(), .batch = 20}, few(), {});
  const MlVae& model = recipe.model();
  train::Task task(recipe, {});
  std::vector<Tensor> before;
  for (const nn::Module::Parameter& p : model.parameters()) before.push_back(p.var.value().clone());
  for (int i = 0; i < 5; ++i) task.step();
  const auto parameters = model.parameters();
  for (size_t i = 0; i < parameters.size(); ++i)
    EXPECT_EQ(test::same_bits(parameters[i].var.value(), before[i]),
              parameters[i].name.starts_with("encoder.class_"))
        << parameters[i].name;
}

TEST(Codes, WholeSets) {
  MlVae model(small_config(), {});
  test::scatter(model);
  const ImageSet set = striped(2500);  // more than two evaluation batches
  const SetCodes codes = encode_set(model, set);
  const Codes direct = model.encode(Var(set.gather(train::all_items(set))));
  EXPECT_LE(test::distance(to_doubles(codes.style.mean), to_doubles(direct.style.mean.value())), 1e-6);
  EXPECT_LE(
      test::distance(to_doubles(codes.class_code.log_var), to_doubles(direct.class_code.log_var.value())),
      1e-6);
  const ReconstructionErrors errors = reconstruction_errors(model, set, codes, kGroups);
  const Tensor images = decode_images(model, codes.style.mean, codes.class_code.mean);
  const std::vector<double> have = to_doubles(images), want = to_doubles(set.gather(train::all_items(set)));
  double squares = 0;
  for (size_t i = 0; i < have.size(); ++i)
    squares += std::pow(have[i] - want[i], 2) / static_cast<double>(have.size());
  EXPECT_NEAR(errors.single, squares, 1e-6);
  EXPECT_NE(errors.single, errors.evidence);
  const Tensor swapped = swap_images(model, codes.style.mean.slice(0, 2), codes.class_code.mean.slice(0, 3));
  EXPECT_EQ(swapped.shape(), (Shape{2, 3, kX}));
  EXPECT_LE(test::distance(to_doubles(swapped.slice(1, 2).reshape({3, kX}).slice(1, 2)),
                           to_doubles(images.slice(1, 2))),
            1e-6);
}

TEST(Classifiers, TellClassesThatTheCodesHold) {
  // A style code that is noise, a class code that is the label.
  const int64_t count = 600;
  std::vector<int64_t> labels;
  std::vector<double> means;
  for (int64_t i = 0; i < count; ++i) {
    labels.push_back(i % kGroups);
    for (int64_t d = 0; d < kGroups; ++d) means.push_back(d == i % kGroups ? 3 : 0);
  }
  const Tensor log_var =
      test::tensor_of(std::vector<double>(count * kGroups, -2), {count, kGroups}, DType::f32);
  const SetCodes codes{.style = {test::sample_tensor({count, kGroups}, DType::f32), log_var},
                       .class_code = {test::tensor_of(means, {count, kGroups}, DType::f32), log_var},
                       .labels = Tensor::from(labels, {count})};
  ClassifierRecipe recipe({.batch = 64, .adam = {.learning_rate = 1e-3, .rule = {}}}, codes, kGroups, {});
  train::Task task(recipe, {});
  for (int i = 0; i < 200; ++i) task.step();
  const nn::StateDict state = task.state();
  std::vector<Tensor> before;
  for (const auto& [name, tensor] : state.entries()) before.push_back(tensor.clone());
  const auto scores = recipe.score(codes, "test");
  EXPECT_LT(scores[0].batch_statistics, 0.8);
  EXPECT_GT(scores[1].running_statistics, 0.95);
  EXPECT_GT(scores[2].batch_statistics, 0.95);
  EXPECT_GT(scores[2].running_statistics, 0.95);
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(test::same_bits(state.entries()[i].second, before[i])) << "scoring changes nothing";
}

TEST(MlVae, Refuses) {
  Config config = small_config();
  config.style_dim = 0;
  test::expect_error(ErrorKind::usage, "codes of 0", [&] { MlVae(config, {}); });
  EXPECT_THROW(make_groups(Tensor::from(kLabels, {kRows}), 3, DType::f32), Error);
  MlVae full({}, {});
  EXPECT_EQ(full.parameter_count(), 815824);
  nn::Module root;
  EXPECT_EQ(LatentClassifier(&root, "net", 10, 256, 10, 1).parameter_count(), 72202);
}

}  // namespace vae::ml_vae::ml_vae_test
