// The complete losses of M1 and M2 against central differences, with parameters of their own and in flat
// buffers.
#include <gtest/gtest.h>

#include <functional>

#include "autograd/gradcheck.h"
#include "models/m1_m2/m2.h"
#include "nn/flat_parameters.h"

namespace vae::m1_m2::m1_m2_gradcheck_test {

using autograd::gradcheck, autograd::GradcheckResult;

constexpr int64_t kLabeled = 4, kUnlabeled = 5, kX = 6, kZ = 3, kClasses = 3;
constexpr nn::Options kOptions{.dtype = DType::f64, .device = kCpu, .seed = 3};

Tensor normal(Shape shape, const char* stream, double scale = 1) {
  const Tensor noise = Tensor::empty(shape, DType::f64);
  kernels::random_normal(noise, RandomKey::named(11, stream), Tensor::scalar(int64_t{0}), {});
  return autograd::affine(Var(noise), scale, 0).value();
}

Tensor binary(Shape shape, const char* stream) {
  return autograd::map(kernels::Map::at_least, {Var(normal(shape, stream))}, {0.3, 1}).value();
}

/// Every parameter away from its constant start, so that no gradient is zero by symmetry.
std::vector<Var> scatter_parameters(nn::Module& module) {
  std::vector<Var> parameters;
  for (const nn::Module::Parameter& p : module.parameters()) {
    p.var.value().copy_from(normal(p.var.shape(), p.name.c_str(), 0.6));
    parameters.push_back(p.var);
  }
  return parameters;
}

/// Gradients of `loss` in all parameters, plain and as slices of flat buffers.
void check(nn::Module& module, const std::function<Var()>& loss) {
  const std::vector<Var> parameters = scatter_parameters(module);
  const GradcheckResult plain = gradcheck(loss, parameters);
  EXPECT_TRUE(plain.ok) << plain.str();
  nn::FlatParameters flat(module);
  const GradcheckResult sliced = gradcheck(loss, parameters);
  EXPECT_TRUE(sliced.ok) << sliced.str();
  flat.finish_gradients();
  const double squares = autograd::sum(autograd::square(Var(flat.gradients()))).value().item();
  EXPECT_GT(squares, 1e-4) << "nothing was checked";
}

NetConfig net(std::vector<int64_t> hidden, kernels::Map activation = kernels::Map::softplus) {
  return {.hidden = std::move(hidden), .activation = kernels::activation(activation)};
}

/// Noise that is the same in every call of a loss.
train::Step step() { return train::Step(11, Tensor::scalar(int64_t{0}), DType::f64); }

M1Config m1_config(LikelihoodKind decoder) {
  M1Config config;
  config.decoder = decoder;
  config.x_size = kX;
  config.z_size = kZ;
  config.encoder = net({5, 4});
  config.decoder_net = net({4, 5}, kernels::Map::elu);
  return config;
}

void check_m1(const M1Config& config) {
  M1 model(config, kOptions);
  const bool bernoulli = config.decoder == LikelihoodKind::bernoulli;
  const Tensor x = bernoulli ? binary({kLabeled, kX}, "x") : normal({kLabeled, kX}, "x");
  check(model, [&] { return model.loss(x, kLabeled, step()); });
}

TEST(M1M2Gradcheck, M1Bernoulli) { check_m1(m1_config(LikelihoodKind::bernoulli)); }

TEST(M1M2Gradcheck, M1Gaussian) {
  for (const ZTerm q_z : {ZTerm::marginal, ZTerm::sampled}) {
    M1Config config = m1_config(LikelihoodKind::gaussian);
    config.samples = 2;
    config.q_z = q_z;
    config.p_z = q_z == ZTerm::marginal ? ZTerm::sampled : ZTerm::marginal;
    check_m1(config);
  }
}

TEST(M1M2Gradcheck, M1NormsBeforeTheLayers) {
  M1Config config = m1_config(LikelihoodKind::bernoulli);
  config.batch_norm_before_activation = false;
  config.encoder.batch_norm_to_input = false;
  check_m1(config);
}

/// M2 with the data of one iteration and its losses.
class Losses {
 public:
  explicit Losses(const M2Config& config) : model_(config, kOptions) {
    const bool bernoulli = config.decoder == LikelihoodKind::bernoulli;
    x_labeled_ = Var(bernoulli ? binary({kLabeled, kX}, "xl") : normal({kLabeled, kX}, "xl"));
    x_unlabeled_ = Var(bernoulli ? binary({kUnlabeled, kX}, "xu") : normal({kUnlabeled, kX}, "xu"));
    labels_ = Tensor::from(std::vector<int64_t>{0, 2, 1, 2}, {kLabeled});
  }

  Var labeled() const {
    return -autograd::mean(model_.labeled_bound(x_labeled_, labels_, kLabeled, step()));
  }
  Var unlabeled() const { return model_.unlabeled_loss(x_unlabeled_, kUnlabeled, step()); }
  Var classifier() const { return 2.5 * autograd::cross_entropy(model_.classify(x_labeled_), labels_); }
  Var joint() const { return labeled() + unlabeled() + classifier(); }
  M2& model() { return model_; }

 private:
  M2 model_;
  Var x_labeled_, x_unlabeled_;
  Tensor labels_;
};

M2Config m2_config(LikelihoodKind decoder) {
  M2Config config;
  config.decoder = decoder;
  config.x_size = kX;
  config.y_size = kClasses;
  config.z_size = kZ;
  config.encoder_xy_z = net({5, 4});
  config.encoder_x_y = net({4}, kernels::Map::tanh);
  config.decoder_net = net({5});
  return config;
}

void check_m2(const M2Config& config) {
  for (const auto loss : {&Losses::labeled, &Losses::unlabeled, &Losses::classifier, &Losses::joint}) {
    Losses losses(config);
    check(losses.model(), [&] { return (losses.*loss)(); });
  }
}

TEST(M1M2Gradcheck, M2Bernoulli) { check_m2(m2_config(LikelihoodKind::bernoulli)); }

TEST(M1M2Gradcheck, M2Gaussian) { check_m2(m2_config(LikelihoodKind::gaussian)); }

TEST(M1M2Gradcheck, M2GaussianExplicitTerms) {
  for (const ZTerm term : {ZTerm::marginal, ZTerm::sampled}) {
    M2Config config = m2_config(LikelihoodKind::gaussian);
    config.z_terms = ZTerms::explicit_terms;
    config.p_z = config.q_z = term;
    check_m2(config);
  }
}

TEST(M1M2Gradcheck, M2NormsBeforeTheLayers) {
  M2Config config = m2_config(LikelihoodKind::bernoulli);
  config.batch_norm_before_activation = false;
  check_m2(config);
}

// The running statistics are written by every forward pass in training mode and read by none.
TEST(M1M2Gradcheck, RunningStatisticsAreNotRead) {
  Losses losses(m2_config(LikelihoodKind::bernoulli));
  scatter_parameters(losses.model());
  const double first = losses.joint().value().item();
  const Tensor statistics = losses.model().buffers().front().tensor.clone();
  const double second = losses.joint().value().item();
  EXPECT_EQ(first, second);
  EXPECT_NE(statistics.to_vector<double>(), losses.model().buffers().front().tensor.to_vector<double>());
}

// A gradient that lacks a term is noticed.
TEST(M1M2Gradcheck, NoticesAMissingTerm) {
  Losses losses(m2_config(LikelihoodKind::bernoulli));
  const std::vector<Var> parameters = scatter_parameters(losses.model());
  const GradcheckResult result =
      gradcheck([&] { return losses.labeled() + Var(losses.classifier().value().clone()); }, parameters);
  EXPECT_FALSE(result.ok);
}

}  // namespace vae::m1_m2::m1_m2_gradcheck_test
