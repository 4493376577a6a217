// The model's cuBLAS: products against plain loops, documented statuses, and one planted mistake after the
// other.
#include <cublas_v2.h>

#include "tests/model/product_case.h"
#include "tests/model/vendor.h"
#include "tests/scoped_variable.h"

namespace vae {
namespace {

using test::DeviceArray;
using test::ProductCase;

template <class T>
constexpr cudaDataType kType = sizeof(T) == 4 ? CUDA_R_32F : CUDA_R_64F;
template <class T>
constexpr cublasComputeType_t kCompute = sizeof(T) == 4 ? CUBLAS_COMPUTE_32F : CUBLAS_COMPUTE_64F;

/// What a call passes to cublasGemmEx_64; the right arguments of a case, which a test may spoil.
template <class T>
struct Gemm {
  explicit Gemm(const ProductCase& p)
      : m(p.m),
        n(p.n),
        k(p.k),
        lda(p.lda()),
        ldb(p.ldb()),
        ldc(p.ldc()),
        ta(p.ta ? CUBLAS_OP_T : CUBLAS_OP_N),
        tb(p.tb ? CUBLAS_OP_T : CUBLAS_OP_N),
        alpha(static_cast<T>(p.alpha)),
        beta(static_cast<T>(p.beta)),
        a(p.a()),
        b(p.b()),
        c(p.c()) {}

  cublasStatus_t run(cublasHandle_t handle) {
    return cublasGemmEx_64(handle, ta, tb, m, n, k, &alpha, a.data(), type, lda, b.data(), kType<T>, ldb,
                           &beta, c.data(), kType<T>, ldc, compute, CUBLAS_GEMM_DEFAULT);
  }

  int64_t m, n, k, lda, ldb, ldc;
  cublasOperation_t ta, tb;
  T alpha, beta;
  cudaDataType type = kType<T>;
  cublasComputeType_t compute = kCompute<T>;
  DeviceArray<T> a, b, c;
};

class Cublas : public test::Vendor {
 protected:
  void SetUp() override { ASSERT_EQ(cublasCreate(&handle_), CUBLAS_STATUS_SUCCESS); }

  template <class T>
  std::vector<double> result(const ProductCase& p, cublasComputeType_t compute = kCompute<T>) {
    Gemm<T> gemm(p);
    gemm.compute = compute;
    EXPECT_EQ(gemm.run(handle_), CUBLAS_STATUS_SUCCESS);
    return p.columns(gemm.c.values());
  }

  cublasHandle_t handle_ = nullptr;
};

TEST_F(Cublas, MatchesPlainLoops) {
  struct Size {
    int64_t m, n, k;
  };
  for (const Size s : {Size{1, 1, 1}, {3, 5, 7}, {17, 33, 2}, {40, 1, 90}, {1, 12, 5}, {6, 4, 0}})
    for (const bool ta : {false, true})
      for (const bool tb : {false, true})
        for (const double beta : {0.0, -1.5})
          for (const int64_t gap : {0, 3}) {
            const ProductCase p{s.m, s.n, s.k, ta, tb, 0.5, beta, gap};
            SCOPED_TRACE(fmt::format("{} x {} x {} {}{} {} {}", s.m, s.n, s.k, ta, tb, beta, gap));
            EXPECT_LE(test::distance(result<float>(p), p.result()), 1e-6);
            EXPECT_LE(test::distance(result<double>(p), p.result()), 1e-14);
          }
}

TEST_F(Cublas, Tf32RoundsTheFactors) {
  const ProductCase p{20, 30, 64};
  const std::vector<double> exact = result<float>(p),
                            rounded = result<float>(p, CUBLAS_COMPUTE_32F_FAST_TF32);
  EXPECT_GT(test::distance(rounded, exact), 1e-5);
  EXPECT_LT(test::distance(rounded, exact), 1e-2);
}

TEST_F(Cublas, ScalarsAreReadAtTheCall) {
  const ProductCase p{4, 3, 5};
  Gemm<float> gemm(p);
  EXPECT_EQ(gemm.run(handle_), CUBLAS_STATUS_SUCCESS);
  gemm.alpha = gemm.beta = std::nanf("");
  EXPECT_LE(test::distance(gemm.c.values(), p.result()), 1e-6);
}

TEST_F(Cublas, RefusesWhatIsDocumentedAsInvalid) {
  const auto status = [&](auto spoil) {
    Gemm<float> gemm({4, 3, 5});
    spoil(gemm);
    return gemm.run(handle_);
  };
  EXPECT_EQ(status([](auto&) {}), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(status([](auto& g) { g.n = -1; }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(status([](auto& g) { g.lda = 3; }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(status([](auto& g) { g.ldb = 4; }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(status([](auto& g) { g.ldc = 3; }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(status([](auto& g) { g.ta = static_cast<cublasOperation_t>(7); }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(status([](auto& g) { g.type = CUDA_R_64F; }), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(status([](auto& g) { g.type = CUDA_R_16BF; }), CUBLAS_STATUS_NOT_SUPPORTED);  // of both or none
  EXPECT_EQ(status([](auto& g) { g.compute = CUBLAS_COMPUTE_64F; }), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(Gemm<float>({4, 3, 5}).run(nullptr), CUBLAS_STATUS_NOT_INITIALIZED);
  EXPECT_EQ(cublasCreate(nullptr), CUBLAS_STATUS_INVALID_VALUE);
}

TEST_F(Cublas, SettingTheStreamGivesUpTheWorkspace) {
  const DeviceArray<float> workspace(test::nans(64));
  ASSERT_EQ(cublasSetWorkspace(handle_, workspace.data(), workspace.bytes()), CUBLAS_STATUS_SUCCESS);
  cudaMemsetAsync(workspace.data(), 0, workspace.bytes(), nullptr);
  result<float>({4, 3, 5});
  EXPECT_TRUE(std::isnan(workspace.values()[0])) << "a product works in the workspace that it was given";
  ASSERT_EQ(cublasSetStream(handle_, nullptr), CUBLAS_STATUS_SUCCESS);
  cudaMemsetAsync(workspace.data(), 0, workspace.bytes(), nullptr);
  result<float>({4, 3, 5});
  EXPECT_EQ(workspace.values()[0], 0);
}

TEST_F(Cublas, FailsOnRequest) {
  const model::Fault fault("cublasGemmEx_64", 2, CUBLAS_STATUS_ALLOC_FAILED);
  Gemm<float> gemm({4, 3, 5});
  EXPECT_EQ(gemm.run(handle_), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(gemm.run(handle_), CUBLAS_STATUS_ALLOC_FAILED);
  EXPECT_EQ(gemm.run(handle_), CUBLAS_STATUS_SUCCESS);
}

/// Planted mistakes: each is answered by a status, a violation, or numbers that a comparison refuses.
using PlantedInCublas = Cublas;

TEST_F(PlantedInCublas, SwappedLeadingDimensions) {
  const ProductCase p{6, 5, 9, false, false};  // lda 6, ldb 9
  Gemm<float> gemm(p);
  std::swap(gemm.lda, gemm.ldb);
  EXPECT_EQ(gemm.run(handle_), CUBLAS_STATUS_INVALID_VALUE);  // columns of b overlap

  const ProductCase apart{6, 5, 4, false, true, 1, 0, 1};  // lda 7, ldb 6: either is enough
  Gemm<float> other(apart);
  std::swap(other.lda, other.ldb);
  EXPECT_EQ(other.run(handle_), CUBLAS_STATUS_SUCCESS);
  expect_violation("B has ");
}

TEST_F(PlantedInCublas, TranspositionFlag) {
  const ProductCase p{5, 5, 5};  // square, so that the sizes do not tell
  Gemm<float> gemm(p);
  gemm.ta = CUBLAS_OP_T;
  EXPECT_EQ(gemm.run(handle_), CUBLAS_STATUS_SUCCESS);
  EXPECT_FALSE(test::distance(gemm.c.values(), p.result()) < 0.1);
}

TEST_F(PlantedInCublas, BetaOneForZero) {
  const ProductCase p{5, 4, 3};
  Gemm<float> gemm(p);
  gemm.beta = 1;
  EXPECT_EQ(gemm.run(handle_), CUBLAS_STATUS_SUCCESS);
  EXPECT_FALSE(test::distance(gemm.c.values(), p.result()) < 0.1);
}

TEST_F(PlantedInCublas, ResultTooSmall) {
  Gemm<float> gemm({5, 4, 3});
  gemm.n = 5;
  EXPECT_EQ(gemm.run(handle_), CUBLAS_STATUS_SUCCESS);
  expect_violation("D has 100 bytes, 80 are left");
}

TEST_F(PlantedInCublas, ResultOverAFactor) {
  Gemm<float> gemm({4, 4, 4});
  EXPECT_EQ(cublasGemmEx_64(handle_, gemm.ta, gemm.tb, 4, 4, 4, &gemm.alpha, gemm.a.data(), CUDA_R_32F, 4,
                            gemm.b.data(), CUDA_R_32F, 4, &gemm.beta, gemm.a.data(), CUDA_R_32F, 4,
                            CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
            CUBLAS_STATUS_EXECUTION_FAILED);
  expect_violation("D overlaps A");
}

TEST_F(PlantedInCublas, ScalarInDeviceMemory) {
  Gemm<float> gemm({4, 4, 4});
  const DeviceArray<float> alpha({1});
  EXPECT_EQ(cublasGemmEx_64(handle_, gemm.ta, gemm.tb, 4, 4, 4, alpha.data(), gemm.a.data(), CUDA_R_32F, 4,
                            gemm.b.data(), CUDA_R_32F, 4, &gemm.beta, gemm.c.data(), CUDA_R_32F, 4,
                            CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
            CUBLAS_STATUS_EXECUTION_FAILED);
  expect_violation("a scalar lies in device memory");
}

TEST_F(PlantedInCublas, WorkspaceSmallerThanPromised) {
  const DeviceArray<float> workspace(test::nans(64));
  EXPECT_EQ(cublasSetWorkspace(handle_, workspace.data(), 512), CUBLAS_STATUS_INVALID_VALUE);
  expect_violation("the workspace has 512 bytes, 256 are left");
  EXPECT_EQ(cublasSetWorkspace(handle_, workspace.data() + 1, 128), CUBLAS_STATUS_INVALID_VALUE);
}

TEST_F(PlantedInCublas, WorkspaceOverTheResult) {
  Gemm<float> gemm({4, 4, 4});
  ASSERT_EQ(cublasSetWorkspace(handle_, gemm.c.data(), 64), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(gemm.run(handle_), CUBLAS_STATUS_EXECUTION_FAILED);
  expect_violation("D overlaps the workspace");
}

TEST_F(PlantedInCublas, HandleOfAnotherDevice) {
  const test::ScopedVariable two("VAE_MODEL_DEVICES", "2");
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  {
    Gemm<float> gemm({4, 3, 5});
    EXPECT_EQ(gemm.run(handle_), CUBLAS_STATUS_EXECUTION_FAILED);
    expect_violation("a handle of device 0 is used while device 1 is current");
  }
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
}

TEST_F(PlantedInCublas, StreamOfAnotherDevice) {
  const test::ScopedVariable two("VAE_MODEL_DEVICES", "2");
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
  EXPECT_EQ(cublasSetStream(handle_, stream), CUBLAS_STATUS_INVALID_VALUE);
  expect_violation("the stream is not of the handle's device");
}

TEST_F(PlantedInCublas, MemoryOfAnotherDevice) {
  const test::ScopedVariable two("VAE_MODEL_DEVICES", "2");
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  {
    Gemm<float> gemm({4, 3, 5});
    ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
    EXPECT_EQ(gemm.run(handle_), CUBLAS_STATUS_SUCCESS);
    expect_violation("in the memory of device 1, the work is on 0");
  }
}

}  // namespace
}  // namespace vae
