// The complete losses of the ADGM family against central differences.
#include <gtest/gtest.h>

#include "autograd/gradcheck.h"
#include "tests/models/adgm_models.h"

namespace vae::adgm {
namespace {

using autograd::gradcheck, autograd::GradcheckResult;

/// Every parameter away from its constant start, so that no gradient is zero by symmetry.
std::vector<Var> scatter_parameters(nn::Module& module) {
  std::vector<Var> parameters;
  uint64_t stream = 20;
  for (const nn::Module::Parameter& p : module.parameters()) {
    p.var.value().copy_from(test::sample_tensor(p.var.shape(), DType::f64, kCpu, -0.8, 0.8, ++stream));
    parameters.push_back(p.var);
  }
  return parameters;
}

TEST(AdgmGradcheck, EveryVariant) {
  for (const Variant& variant : variants()) {
    const auto model = make_model(variant.config, {.dtype = DType::f64, .device = kCpu, .seed = 3});
    const std::vector<Var> parameters = scatter_parameters(*model);
    const GradcheckResult result =
        gradcheck([&] { return loss_of(*model, variant, DType::f64); }, parameters);
    EXPECT_TRUE(result.ok) << variant.name << ": " << result.str();
    nn::FlatParameters flat(*model);
    autograd::Tape tape;
    const Var loss = loss_of(*model, variant, DType::f64);
    flat.clear_gradients();
    tape.backward(loss);
    flat.finish_gradients();
    const double squares = autograd::sum(autograd::square(Var(flat.gradients()))).value().item();
    EXPECT_GT(squares, 1e-3) << variant.name << ": nothing was checked";
  }
}

// A gradient that lacks a term is noticed.
TEST(AdgmGradcheck, NoticesAMissingTerm) {
  const Variant variant{"adgm", small(Kind::adgm)};
  const auto model = make_model(variant.config, {.dtype = DType::f64});
  const std::vector<Var> parameters = scatter_parameters(*model);
  const GradcheckResult result = gradcheck(
      [&] {
        const SemiLosses losses =
            semi_supervised_loss(*model, semi_batch(DType::f64), objective(variant), fixed_step(DType::f64));
        return losses.total + Var(losses.unlabeled.value().clone());
      },
      parameters);
  EXPECT_FALSE(result.ok);
}

}  // namespace
}  // namespace vae::adgm
