// The complete losses of the ADGM family against central differences.
#include <gtest/gtest.h>

#include "autograd/gradcheck.h"
#include "tests/models/adgm_models.h"
#include "tests/models/few.h"

namespace vae::adgm {
namespace {

using autograd::gradcheck, autograd::GradcheckResult;

TEST(AdgmGradcheck, EveryVariant) {
  for (const Variant& variant : variants()) {
    const auto model = make_model(variant.config, {.dtype = DType::f64, .device = kCpu, .seed = 3});
    const std::vector<Var> parameters = test::scatter(*model);
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
  const std::vector<Var> parameters = test::scatter(*model);
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
