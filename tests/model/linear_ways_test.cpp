// What our own linear layers make of what cuBLASLt offers: an algorithm that fits, a product on top of the
// bias where there is none, an error where the library finds fault with the call.
#include <cublas_v2.h>

#include "kernels/model/heuristics.h"
#include "kernels/precision.h"
#include "tests/expect_error.h"
#include "tests/model/ways.h"

namespace vae::kernels {
namespace {

using model::Fault;
using model::Offer;
using model::OfferScope;
using test::called;
using test::sample_tensor;

class LinearWays : public test::Vendor {
 protected:
  /// y[m, n] of a new problem: algorithms are remembered by its sizes.
  void run(int64_t m, int64_t n = 12, int64_t k = 20, int64_t bias_offset = 0, DType factors = DType::f32) {
    const auto y_on = [&](Device device) {
      const Tensor x = Tensor::empty({m, k}, factors, device), w = Tensor::empty({n, k}, factors, device);
      cast(sample_tensor({m, k}, DType::f32, device, -1, 1, 1), x);
      cast(sample_tensor({n, k}, DType::f32, device, -1, 1, 2), w);
      const Tensor bias = sample_tensor({n + bias_offset}, DType::f32, device, -1, 1, 3),
                   y = Tensor::empty({m, n}, DType::f32, device);
      linear_fwd(x, w, bias.slice(bias_offset, n + bias_offset), y);
      return to_doubles(y);
    };
    EXPECT_LE(test::distance(y_on(kCuda), y_on(kCpu)), 1e-6);
  }
  void expect_way(int64_t matmuls, int64_t gemms, const std::function<void()>& body) {
    const int64_t matmuls_before = called("cublasLtMatmul"), gemms_before = called("cublasGemmEx_64");
    body();
    EXPECT_EQ(called("cublasLtMatmul") - matmuls_before, matmuls);
    EXPECT_EQ(called("cublasGemmEx_64") - gemms_before, gemms);
  }
};

TEST_F(LinearWays, TakeWhatCublasLtOffers) {
  expect_way(1, 0, [&] { run(31); });
  EXPECT_EQ(calls_while("cublasLtMatmulAlgoGetHeuristic", [&] { run(31); }), 0) << "the choice is remembered";
}

TEST_F(LinearWays, TakeWhatCublasLtOffersForFactorsOfBf16) {
  const auto narrow = [&](int64_t m) { run(m, 12, 20, 0, DType::bf16); };
  expect_way(1, 0, [&] { run(32); });
  EXPECT_EQ(calls_while("cublasLtMatmulAlgoGetHeuristic", [&] { narrow(32); }), 1)
      << "a choice of f32 serves bf16";
  expect_way(1, 0, [&] { narrow(32); });
  const PrecisionScope allowed(Precision::tf32);  // which is for factors of f32
  expect_way(1, 0, [&] { narrow(33); });
  const OfferScope scope(Offer::nothing);
  expect_way(0, 1, [&] { narrow(34); });
}

TEST_F(LinearWays, RepeatBitForBit) {
  const Tensor x = sample_tensor({64, 48}, DType::f32, kCuda), w = sample_tensor({32, 48}, DType::f32, kCuda),
               bias = sample_tensor({32}, DType::f32, kCuda), y = Tensor::empty({64, 32}, DType::f32, kCuda);
  linear_fwd(x, w, bias, y);
  const std::vector<double> first = to_doubles(y);
  for (int i = 0; i < 3; ++i) {
    linear_fwd(x, w, bias, y);
    EXPECT_EQ(to_doubles(y), first);
  }
}

TEST_F(LinearWays, FallBackWhereNothingIsOffered) {
  for (const Offer offer : {Offer::nothing, Offer::declined}) {
    const int64_t m = 40 + static_cast<int64_t>(offer);
    {
      const OfferScope scope(offer);
      expect_way(0, 1, [&] { run(m); });
    }
    expect_way(0, 1, [&] { run(m); });  // which is remembered
  }
}

TEST_F(LinearWays, FallBackWhereCublasLtDoesNotSupportIt) {
  const Fault heuristics("cublasLtMatmulAlgoGetHeuristic", 1, CUBLAS_STATUS_NOT_SUPPORTED);
  expect_way(0, 1, [&] { run(50); });
  const Fault candidate("cublasLtMatmul", 1, CUBLAS_STATUS_NOT_SUPPORTED);
  expect_way(1, 1, [&] { run(51); });
  expect_way(0, 1, [&] { run(51); });
}

TEST_F(LinearWays, ReportWhatIsWrong) {
  {
    const Fault fault("cublasLtMatmul", 1, CUBLAS_STATUS_INVALID_VALUE);
    test::expect_error(ErrorKind::device, "cuBLASLt linear_fwd: an invalid value was given",
                       [&] { run(60); });
  }
  {
    const Fault fault("cublasLtMatmulAlgoGetHeuristic", 1, CUBLAS_STATUS_INVALID_VALUE);
    test::expect_error(ErrorKind::device, "cuBLASLt", [&] { run(61); });
  }
  {
    const Fault fault("cublasLtMatrixLayoutInit_internal", 2, CUBLAS_STATUS_ALLOC_FAILED);
    test::expect_error(ErrorKind::device, "cuBLASLt matrix", [&] { run(62); });
  }
  const OfferScope scope(Offer::nothing);
  const Fault fault("cublasGemmEx_64", 1, CUBLAS_STATUS_EXECUTION_FAILED);
  test::expect_error(ErrorKind::device, "cuBLAS gemm: the work failed to launch", [&] { run(63); });
}

TEST_F(LinearWays, KeepToTheAlignmentOfTheBias) {
  run(70);
  run(70, 12, 20, 1);  // four bytes into its buffer
  run(71, 12, 20, 1);
  run(71);
  run(71, 12, 20, 4);
}

TEST_F(LinearWays, KeepToTheAlignmentOfTheFactorsAndTheResult) {
  const auto y_on = [](Device device, int64_t at_x, int64_t at_w, int64_t at_y) {
    const Tensor x = sample_tensor({33, 7}, DType::f32, device),
                 w = sample_tensor({14, 7}, DType::f32, device),
                 bias = sample_tensor({13}, DType::f32, device),
                 y = Tensor::empty({33, 13}, DType::f32, device);
    const Tensor result = y.slice(at_y, 32 + at_y);
    linear_fwd(x.slice(at_x, 32 + at_x), w.slice(at_w, 13 + at_w), bias, result);
    return to_doubles(result);
  };
  for (const int64_t at_x : {0, 1})
    for (const int64_t at_w : {0, 1})
      for (const int64_t at_y : {0, 1})  // a row of seven or thirteen further, so aligned to four bytes
        EXPECT_LE(test::distance(y_on(kCuda, at_x, at_w, at_y), y_on(kCpu, at_x, at_w, at_y)), 1e-6);
}

TEST_F(LinearWays, DifferInTheirPrecision) {
  const auto difference = [&](int64_t m) {
    const Tensor x = sample_tensor({m, 64}, DType::f32, kCuda), w = sample_tensor({9, 64}, DType::f32, kCuda),
                 bias = sample_tensor({9}, DType::f32, kCuda), y = Tensor::empty({m, 9}, DType::f32, kCuda);
    linear_fwd(x, w, bias, y);
    const Tensor expected = Tensor::empty({m, 9}, DType::f32);
    linear_fwd(x.to(kCpu), w.to(kCpu), bias.to(kCpu), expected);
    return test::distance(to_doubles(y), to_doubles(expected));
  };
  EXPECT_LT(difference(80), 1e-6);
  {
    const PrecisionScope scope(Precision::tf32);
    EXPECT_GT(difference(80), 1e-5);
    EXPECT_GT(difference(81), 1e-5);
  }
  EXPECT_LT(difference(81), 1e-6);
}

}  // namespace
}  // namespace vae::kernels
