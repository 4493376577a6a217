// Activations by name and by function, and what they compute.
#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::autograd {
namespace {

using kernels::Activation, kernels::Map;
using test::distance;

TEST(Activation, ComputesWhatItsNameSays) {
  const Var x(test::tensor_of({-1.5, 2}, {2}, DType::f64));
  const double e = std::exp(-1.5), E = std::exp(2.);
  const std::vector<std::pair<std::string_view, std::vector<double>>> expected{
      {"sigmoid", {e / (1 + e), E / (1 + E)}},
      {"tanh", {std::tanh(-1.5), std::tanh(2.)}},
      {"softplus", {std::log1p(e), std::log1p(E)}},
      {"relu", {0, 2}},
      {"leaky_relu", {-0.3, 2}},
      {"elu", {e - 1, 2}}};
  std::vector<std::string_view> names;
  for (const auto& [name, values] : expected) {
    names.push_back(name);
    const Activation activation = kernels::parse_activation(name);
    EXPECT_EQ(kernels::name_of(activation), name);
    EXPECT_EQ(activation, kernels::activation(*activation.function));
    EXPECT_LE(distance(to_doubles(activate(activation, x).value()), values), 1e-14) << name;
  }
  EXPECT_EQ(kernels::activation_names(), names);
}

TEST(Activation, NoneIsTheIdentity) {
  const Var x(test::tensor_of({-1.5, 2}, {2}, DType::f64));
  EXPECT_EQ(activate({}, x).node(), x.node());
  EXPECT_EQ(kernels::name_of(Activation{}), "identity");
}

TEST(Activation, RefusesOtherFunctions) {
  test::expect_error(ErrorKind::internal, "exp is no activation", [] { kernels::activation(Map::exp); });
  for (const std::string bad : {"", "Relu", "swish", "exp"})
    test::expect_error(
        ErrorKind::usage,
        "unknown activation '" + bad + "': expected one of sigmoid, tanh, softplus, relu, leaky_relu, elu",
        [&] { kernels::parse_activation(bad); });
}

}  // namespace
}  // namespace vae::autograd
