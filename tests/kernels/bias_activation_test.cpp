// Bias and activation against plain loops, for rows shorter and longer than a vector.
#include <gtest/gtest.h>

#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::kernels::bias_activation_test {

using test::distance, test::sample_tensor;

/// Calls body(activation, shape, dtype, device, tolerance) for the identity and all activations.
template <class Body>
void for_all(const Body& body) {
  std::vector<Activation> all{{}};
  for (const std::string_view name : activation_names()) all.push_back(parse_activation(name));
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Shape& shape : {Shape{0, 3}, {1, 1}, {37, 1}, {1100, 3}, {2, 5, 3, 33}, {3, 700}})
        for (const Activation& f : all) {
          SCOPED_TRACE(
              fmt::format("{} of {} {} on {}", name_of(f), name_of(dtype), shape.str(), device.str()));
          body(f, shape, dtype, device, dtype == DType::f32 ? 1e-6 : 1e-14);
        }
}

TEST(Naive, bias_activation_fwd) {
  for_all([](const Activation& f, const Shape& shape, DType dtype, Device device, double tolerance) {
    const Tensor y = sample_tensor(shape, dtype, device),
                 bias = sample_tensor({shape[-1]}, dtype, device, -1, 1, 2);
    for (const Tensor& b : {bias, Tensor{}}) {
      std::vector<double> expected = to_doubles(y);
      const std::vector<double> shift = to_doubles(bias);
      for (size_t i = 0; b.defined() && i < expected.size(); ++i) expected[i] += shift[i % shift.size()];
      if (f.function) {
        const Tensor x = test::tensor_of(expected, shape, DType::f64),
                     value = Tensor::empty(shape, DType::f64);
        map_fwd(*f.function, f.params, {&x, 1}, value);
        expected = to_doubles(value);
      }
      const Tensor result = y.clone();
      bias_activation_fwd(b, result, f);
      EXPECT_LE(distance(to_doubles(result), expected), tolerance);
    }
  });
}

TEST(Naive, bias_activation_bwd) {
  for_all([](const Activation& f, const Shape& shape, DType dtype, Device device, double tolerance) {
    if (!has_slope_of_value(f)) return;
    const Tensor u = sample_tensor(shape, dtype, device, -1, 1, 1),
                 dy = sample_tensor(shape, dtype, device, -1, 1, 2), y = u.clone(),
                 dx = sample_tensor(shape, dtype, device),
                 dbias = sample_tensor({shape[-1]}, dtype, device, -1, 1, 4);
    bias_activation_fwd({}, y, f);
    std::vector<double> expected = to_doubles(dy), sums(static_cast<size_t>(shape[-1]));
    if (f.function) {
      const Tensor x = test::tensor_of(to_doubles(u), shape, DType::f64),
                   value = Tensor::empty(shape, DType::f64);
      map_bwd(*f.function, f.params, 0, test::tensor_of(expected, shape, DType::f64), {&x, 1}, {}, value,
              Write::set);
      expected = to_doubles(value);
    }
    for (size_t i = 0; i < expected.size(); ++i) sums[i % sums.size()] += expected[i];
    bias_activation_bwd(dy, y, dx, dbias, f, Write::set);
    EXPECT_LE(distance(to_doubles(dx), expected), tolerance);
    EXPECT_LE(distance(to_doubles(dbias), sums), tolerance);
    for (double& sum : sums) sum *= 2;
    bias_activation_bwd(dy, y, dx, dbias, f, Write::add);
    EXPECT_LE(distance(to_doubles(dbias), sums), tolerance) << "added";
    if (y.numel() > 0) {  // in parts
      const Tensor parts = sample_tensor({3, shape[-1]}, dtype, device, -1, 1, 5);
      bias_activation_bwd(dy, y, dx, parts, f, Write::set);
      const std::vector<double> of_parts = to_doubles(parts);
      for (size_t c = 0, n = sums.size(); c < n; ++c)
        EXPECT_NEAR(of_parts[c] + of_parts[n + c] + of_parts[2 * n + c], sums[c] / 2,
                    tolerance * (1 + std::abs(sums[c])));
    }
    bias_activation_bwd(dy, y, dx, {}, f, Write::set);
    EXPECT_LE(distance(to_doubles(dx), expected), tolerance) << "without a bias";
  });
}

TEST(BiasActivation, RefusesWhatDoesNotFit) {
  const Tensor y = Tensor::zeros({4, 3});
  const auto refused = [&](const std::string& words, In dy, In dx, In dbias, Map function) {
    test::expect_error(ErrorKind::internal, words,
                       [&] { bias_activation_bwd(dy, y, dx, dbias, activation(function), Write::set); });
  };
  refused("bias_activation_bwd: gradients", Tensor::zeros({3, 4}), y, {}, Map::tanh);
  refused("bias_activation_bwd: gradients", y, Tensor::zeros({4, 3}, DType::f64), {}, Map::tanh);
  refused("bias_activation_bwd: bias", y, y, Tensor::zeros({4}), Map::tanh);
  refused("the slope of elu does not follow from its value", y, y, {}, Map::elu);
  test::expect_error(ErrorKind::internal, "bias_activation_fwd: bias",
                     [&] { bias_activation_fwd(Tensor::zeros({4}), y, {}); });
  test::expect_error(ErrorKind::internal, "exp is no activation", [&] {
    bias_activation_fwd({}, y, {Map::exp, {}});
  });
}

}  // namespace vae::kernels::bias_activation_test
