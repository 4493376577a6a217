// Every kernel on every device against the CPU, twice for the same bits; on the CPU itself, the same bits
// with any number of threads.
#include "tests/kernels/parity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tensor/runtime.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"
#include "tests/report.h"
#include "tests/scoped_variable.h"

namespace vae::test {
namespace {

constexpr DType kDTypes[] = {DType::f32, DType::f64};

void expect_parity(const ParityCase& c, Device device, DType dtype) {
  const Outputs expected = c.run({kCpu, dtype}), got = c.run({device, dtype});
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const double tolerance = got[i].dtype() == DType::f32 ? c.tolerance.f32 : c.tolerance.f64;
    EXPECT_LE(distance(to_doubles(got[i]), to_doubles(expected[i])), tolerance)
        << "output " << i << ", " << got[i].str();
  }
}

void expect_same_bits(const Outputs& a, const Outputs& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(same_bits(a[i], b[i])) << "output " << i << ", " << a[i].str();
}

template <class Body>
void for_cases(const Body& body) {
  for (const ParityCase& c : parity_cases())
    for (const DType dtype : kDTypes) {
      SCOPED_TRACE(fmt::format("{} ({}) in {}", c.kernel, c.what, name_of(dtype)));
      body(c, dtype);
    }
}

TEST(Cases, CoverEveryKernel) {
  std::set<std::string> covered;
  for (const ParityCase& c : parity_cases()) covered.insert(c.kernel);
  for (const char* name : kernels::kernel_names()) EXPECT_TRUE(covered.contains(name)) << name;
}

TEST(Cases, AreThoseOfTheKernelsNamed) {
  {
    const ScopedVariable named("VAE_TEST_KERNELS", "softmax_fwd adam");
    std::set<std::string> kernels;
    for (const ParityCase& c : parity_cases()) kernels.insert(c.kernel);
    EXPECT_EQ(kernels, (std::set<std::string>{"adam", "softmax_fwd"}));
  }
  const ScopedVariable misspelt("VAE_TEST_KERNELS", "adamant");
  expect_error(ErrorKind::internal, "VAE_TEST_KERNELS: no kernel adamant", [] { parity_cases(); });
}

TEST(CpuKernels, GiveTheSameBitsWithAnyNumberOfThreads) {
  for_cases([](const ParityCase& c, DType dtype) {
    // The libraries of matrix products and convolutions split by threads.
    if (c.kernel == "gemm" || c.kernel.starts_with("conv2d")) return;
    if (c.kernel == "linear_fwd" && !products_keep_bits()) return;
    const auto run = [&](int threads) {
      const ThreadsScope scope(threads);
      return c.run({kCpu, dtype});
    };
    expect_same_bits(run(1), run(3));
  });
}

class DeviceKernels : public testing::TestWithParam<Device> {
 protected:
  void SetUp() override {
    if (device_count(GetParam().type) == 0)
      GTEST_SKIP() << "no device " << GetParam().str() << " on this machine";
    if (GetParam().type == DeviceType::simt && device_count(DeviceType::cuda) > 0)
      GTEST_SKIP() << "device cuda runs the same kernels";
  }
};

TEST_P(DeviceKernels, AgreeWithTheCpu) {
  std::set<std::string> covered;
  size_t cases = 0;
  for_cases([&](const ParityCase& c, DType dtype) {
    expect_parity(c, GetParam(), dtype);
    covered.insert(c.kernel);
    ++cases;
  });
  report(fmt::format("parity_{}", name_of(GetParam().type)),
         fmt::format("parity on    {:8}{:3} kernels  {:4} cases  f32 and f64 against the CPU\n",
                     GetParam().str(), covered.size(), cases));
}

TEST_P(DeviceKernels, GiveTheSameBitsTwice) {
  for_cases([](const ParityCase& c, DType dtype) {
    expect_same_bits(c.run({GetParam(), dtype}), c.run({GetParam(), dtype}));
  });
}

/// A device cannot throw: the row of an index out of range becomes NaN.
TEST_P(DeviceKernels, MarkAnIndexOutOfRange) {
  Operands in(GetParam(), DType::f32);
  const Tensor index = Tensor::from(std::vector<int64_t>{1, -1, 4}, {3}, GetParam());
  const Tensor table = in.uniform({4, 5}), pixels = in.empty({4, 5}, DType::u8), dy = in.uniform({3});
  const Tensor rows = in.empty({3, 5}), images = in.empty({3, 5}), hot = in.empty({3, 4}),
               picked = in.empty({3}), dx = in.empty({3, 4});
  kernels::gather_rows(table, index, rows);
  kernels::gather_pixels(pixels, index, images, kernels::Pixels::unit);
  kernels::one_hot(index, hot);
  kernels::pick(in.uniform({3, 4}), index, picked);
  kernels::pick_bwd(dy, index, dx, kernels::Write::set);
  for (const Tensor& tensor : {rows, images, hot, picked, dx}) {
    const std::vector<float> values = tensor.to_vector<float>();
    const size_t n = values.size() / 3;
    for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(std::isnan(values[i]), i >= n) << tensor.str() << i;
  }
}

TEST_P(DeviceKernels, RefuseTensorsOfTwoDevices) {
  const Tensor x = Tensor::zeros({2}), y = Tensor::zeros({2}, DType::f32, GetParam());
  expect_error(ErrorKind::internal, "cast: tensors on cpu and", [&] { kernels::cast(x, y); });
}

INSTANTIATE_TEST_SUITE_P(Cuda, DeviceKernels, testing::Values(Device{DeviceType::cuda, 0}));
INSTANTIATE_TEST_SUITE_P(Simt, DeviceKernels, testing::Values(Device{DeviceType::simt, 0}));

/// A build with CUDA runs on a machine without a driver, and says so.
TEST(Cuda, WithoutADriverThereIsNoDevice) {
  if (!vae::detail::cuda_runtime()) GTEST_SKIP() << "this build has no CUDA";
  if (device_count(DeviceType::cuda) > 0) GTEST_SKIP() << "this machine has a CUDA device";
  expect_error(ErrorKind::device, "no device cuda:0: this machine has 0 of type cuda", [] {
    Tensor::zeros({2}, DType::f32, {DeviceType::cuda, 0});
  });
}

}  // namespace
}  // namespace vae::test
