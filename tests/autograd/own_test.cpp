// Elementwise functions of a program's own: values, gradients and broadcasting as those of the library, on
// every device that the file is compiled for: by g++ the CPU and the emulator, by nvcc (own_test.cu) or for the
// model (own_model_test.cpp) the CPU and CUDA devices.
#include "autograd/own.h"

#include <gtest/gtest.h>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::autograd {
namespace {

using kernels::detail::sigmoid_of;

struct Swish {
  static constexpr int arity = 1;
  VAE_FWD1 { return x * sigmoid_of(x); }
  VAE_D1 { return y + sigmoid_of(x) * (T(1) - y); }
};

/// k.a x0^2 + x0 x1
struct Bilinear {
  static constexpr int arity = 2;
  VAE_FWD2 { return k.a * x0 * x0 + x0 * x1; }
  VAE_D2(0) { return T(2) * k.a * x0 + x1; }
  VAE_D2(1) { return x0; }
};

/// x0 (x1 - x2)
struct Weighted {
  static constexpr int arity = 3;
  VAE_FWD3 { return x0 * (x1 - x2); }
  VAE_D3(0) { return x1 - x2; }
  VAE_D3(1) { return x0; }
  VAE_D3(2) { return -x0; }
};

#if defined(__CUDACC__)
#define VAE_SUITE OwnMapOfNvcc
constexpr DeviceType kMissing = DeviceType::simt;
#elif defined(VAE_MODEL)
#define VAE_SUITE OwnMapOnTheModel
constexpr DeviceType kMissing = DeviceType::simt;
#else
#define VAE_SUITE OwnMap
constexpr DeviceType kMissing = DeviceType::cuda;
#endif

std::vector<Device> devices() {
  std::vector<Device> all = kernels::devices();
  std::erase_if(all, [](Device device) { return device.type == kMissing; });
  return all;
}

Var sample(Shape shape, DType dtype, Device device, uint64_t stream = 0) {
  return Var(test::sample_tensor(shape, dtype, device, -2, 2, stream), true);
}

TEST(VAE_SUITE, ValuesAreThoseOfACompositionOfKnownFunctions) {
  for (const Device device : devices())
    for (const DType dtype : {DType::f32, DType::f64}) {
      const double tolerance = dtype == DType::f32 ? 1e-6 : 1e-14;
      for (const Shape& shape : {Shape{5, 7}, Shape{3, 400}, Shape{40000}, Shape{0, 4}}) {
        const Var x = sample(shape, dtype, device), z = sample(shape, dtype, device, 1);
        const auto agree = [&](const Var& own, const Var& known) {
          EXPECT_EQ(own.shape(), known.shape());
          EXPECT_LE(test::distance(to_doubles(own.value()), to_doubles(known.value())), tolerance);
        };
        agree(map<Swish>(x), x * sigmoid(x));
        agree(map<Bilinear>({x, z}, {3, 0}), 3.0 * square(x) + x * z);
        if (shape.rank() == 2) {
          const Var products = x * (z - x);
          agree(rowsum<Weighted>(x, z, x), sum(products, kernels::Axis::columns(shape[0], shape[1])));
        }
      }
    }
}

TEST(VAE_SUITE, GradientsAgreeWithDifferencesWhateverBroadcasts) {
  for (const Device device : devices()) {
    const auto check = [&](const std::function<Var()>& f, const std::vector<Var>& inputs) {
      const GradcheckResult result = gradcheck(f, inputs);
      EXPECT_TRUE(result.ok) << device.str() << ": " << result.where;
    };
    const Var x = sample({4, 6}, DType::f64, device), bias = sample({6}, DType::f64, device, 1),
              column = sample({4, 1}, DType::f64, device, 2), number = sample({1}, DType::f64, device, 3);
    check([&] { return map<Swish>(x); }, {x});
    check([&] { return map<Bilinear>({x, bias}, {0.7, 0}); }, {x, bias});
    check([&] { return map<Weighted>(x, column, number); }, {x, column, number});
    check([&] { return rowsum<Weighted>(column, x, bias); }, {x, column, bias});
    check([&] { return map<Swish>(x) * map<Swish>(x); }, {x});
  }
}

TEST(VAE_SUITE, SumsOfRowsDoNotDependOnTheNumberOfThreads) {
  const Var x = sample({300, 500}, DType::f32, kCpu), y = sample({300, 500}, DType::f32, kCpu, 1);
  const auto results = [&](int threads) {
    const ThreadsScope scope(threads);
    Tape tape;
    Var operand(x.value(), true);
    const Var loss = sum(rowsum<Bilinear>({operand, y}, {1, 0}));
    tape.backward(loss);
    return std::vector<Tensor>{loss.value(), operand.grad()};
  };
  const auto one = results(1), three = results(3);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(test::same_bits(one[i], three[i]));
}

TEST(VAE_SUITE, ErrorsNameTheStruct) {
  const Var x = sample({4, 6}, DType::f32, kCpu), wrong = sample({5}, DType::f32, kCpu);
  test::expect_error(ErrorKind::usage, "Bilinear: x1 is f32 [5], x0 is f32 [4, 6]: expected the same shape",
                     [&] { map<Bilinear>(x, wrong); });
  EXPECT_EQ(kernels::name_of(kernels::map_of<Swish>()), "Swish");
  EXPECT_EQ(kernels::map_of<Swish>(), kernels::map_of<Swish>());
  EXPECT_NE(kernels::map_of<Swish>(), kernels::map_of<Bilinear>());
  EXPECT_FALSE(kernels::is_activation(kernels::map_of<Swish>()));
  test::expect_error(ErrorKind::device,
                     fmt::format("Swish is not compiled for {}: call map<Swish> in a file that nvcc compiles",
                                 name_of(kMissing)),
                     [] { kernels::own_loops(kernels::map_of<Swish>(), kMissing); });
}

}  // namespace
}  // namespace vae::autograd
