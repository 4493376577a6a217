#pragma once
// Calls of the model's cuBLASLt as its tests make them.
#include <cublasLt.h>

#include "tests/model/product_case.h"
#include "tests/model/vendor.h"

namespace vae::test {

/// What a caller says of a product; the right thing for a case, which a test may spoil.
struct Description {
  explicit Description(const ProductCase& p, const float* bias) {
    cublasLtMatmulDescInit(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    set(CUBLASLT_MATMUL_DESC_TRANSA, p.ta ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_TRANSB, p.tb ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT);
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    layout(a, p.ta ? p.k : p.m, p.ta ? p.m : p.k, p.lda());
    layout(b, p.tb ? p.n : p.k, p.tb ? p.k : p.n, p.ldb());
    layout(c, p.m, p.n, p.ldc());
    layout(d, p.m, p.n, p.ldc());
    cublasLtMatmulPreferenceInit(&preference);
  }
  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, T value) {
    EXPECT_EQ(cublasLtMatmulDescSetAttribute(&operation, attribute, &value, sizeof value),
              CUBLAS_STATUS_SUCCESS);
  }
  template <class T>
  void prefer(cublasLtMatmulPreferenceAttributes_t attribute, T value) {
    EXPECT_EQ(cublasLtMatmulPreferenceSetAttribute(&preference, attribute, &value, sizeof value),
              CUBLAS_STATUS_SUCCESS);
  }
  static void layout(cublasLtMatrixLayoutOpaque_t& matrix, int64_t rows, int64_t columns, int64_t ld) {
    EXPECT_EQ(cublasLtMatrixLayoutInit(&matrix, CUDA_R_32F, static_cast<uint64_t>(rows),
                                       static_cast<uint64_t>(columns), ld),
              CUBLAS_STATUS_SUCCESS);
  }

  cublasLtMatmulDescOpaque_t operation{};
  cublasLtMatrixLayoutOpaque_t a{}, b{}, c{}, d{};
  cublasLtMatmulPreferenceOpaque_t preference{};
};

class CublasLt : public Vendor {
 protected:
  void SetUp() override { ASSERT_EQ(cublasLtCreate(&handle_), CUBLAS_STATUS_SUCCESS); }

  std::vector<cublasLtMatmulHeuristicResult_t> heuristics(Description& description, int requested = 8) {
    std::vector<cublasLtMatmulHeuristicResult_t> found(static_cast<size_t>(requested));
    int count = 0;
    EXPECT_EQ(cublasLtMatmulAlgoGetHeuristic(handle_, &description.operation, &description.a, &description.b,
                                             &description.c, &description.d, &description.preference,
                                             requested, found.data(), &count),
              CUBLAS_STATUS_SUCCESS);
    found.resize(static_cast<size_t>(count));
    return found;
  }

  cublasLtHandle_t handle_ = nullptr;
};

/// Memory of a product, and a call for it.
struct Matmul {
  explicit Matmul(const ProductCase& p)
      : alpha(static_cast<float>(p.alpha)),
        beta(static_cast<float>(p.beta)),
        a(p.a()),
        b(p.b()),
        c(p.c()),
        d(nans(p.ldc() * p.n)),
        bias_values(sample(p.m, -1, 1, 4)),
        bias(bias_values),
        description(p, bias.data()) {}

  cublasStatus_t run(cublasLtHandle_t handle, const cublasLtMatmulAlgo_t& algorithm,
                     void* workspace = nullptr, size_t bytes = 0) {
    return cublasLtMatmul(handle, &description.operation, &alpha, a.data(), &description.a, b.data(),
                          &description.b, &beta, c.data(), &description.c, d.data(), &description.d,
                          &algorithm, workspace, bytes, nullptr);
  }

  float alpha, beta;
  DeviceArray<float> a, b, c, d;
  std::vector<double> bias_values;
  DeviceArray<float> bias;
  Description description;
};

/// The default preference allows no workspace, and promises 256 bytes of alignment.
inline constexpr size_t kPlenty = size_t{1} << 20;

}  // namespace vae::test
