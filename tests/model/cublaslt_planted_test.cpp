// Mistakes in calls of cuBLASLt, one after the other: each is answered by a status, a violation, or numbers
// that a comparison refuses.
#include "tests/model/cublaslt_calls.h"

namespace vae {
namespace {

using namespace test;

using PlantedInCublasLt = CublasLt;

TEST_F(PlantedInCublasLt, SwappedLeadingDimensions) {
  const ProductCase p{6, 5, 4, false, true, 1, 0, 1};  // lda 7, ldb 6: either is enough
  Matmul matmul(p);
  Description& d = matmul.description;
  d.layout(d.a, 6, 4, p.ldb());
  d.layout(d.b, 5, 4, p.lda());
  const auto found = heuristics(d).at(0);
  EXPECT_EQ(matmul.run(handle_, found.algo), CUBLAS_STATUS_SUCCESS);
  expect_violation("B has 104 bytes, 96 are left");
}

TEST_F(PlantedInCublasLt, TranspositionFlag) {
  const ProductCase p{5, 5, 5};  // square, so that the sizes do not tell
  Matmul matmul(p);
  matmul.description.set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  EXPECT_EQ(matmul.run(handle_, heuristics(matmul.description).at(0).algo), CUBLAS_STATUS_SUCCESS);
  EXPECT_FALSE(distance(matmul.d.values(), p.result(matmul.bias_values)) < 0.1);
}

TEST_F(PlantedInCublasLt, BetaOneForZero) {
  const ProductCase p{5, 4, 3};
  Matmul matmul(p);
  matmul.beta = 1;
  EXPECT_EQ(matmul.run(handle_, heuristics(matmul.description).at(0).algo), CUBLAS_STATUS_SUCCESS);
  EXPECT_FALSE(distance(matmul.d.values(), p.result(matmul.bias_values)) < 0.1);
}

TEST_F(PlantedInCublasLt, BiasOfTheWrongLength) {
  const ProductCase p{6, 4, 3};
  Matmul matmul(p);
  const DeviceArray<float> short_bias({1, 2, 3, 4});  // as long as the rows of d, not its columns
  matmul.description.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, short_bias.data());
  EXPECT_EQ(matmul.run(handle_, heuristics(matmul.description).at(0).algo), CUBLAS_STATUS_SUCCESS);
  expect_violation("the bias has 24 bytes, 16 are left");
}

TEST_F(PlantedInCublasLt, BiasForgotten) {
  Matmul matmul({6, 4, 3});
  const auto found = heuristics(matmul.description).at(0);
  matmul.description.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const float*>(nullptr));
  EXPECT_EQ(matmul.run(handle_, found.algo), CUBLAS_STATUS_INVALID_VALUE);
  expect_violation("a bias is to be added, and there is none");
}

TEST_F(PlantedInCublasLt, MisalignedBias) {
  const ProductCase p{6, 4, 3};
  Matmul matmul(p);
  const auto found = heuristics(matmul.description).at(0);
  const DeviceArray<float> longer(sample(7, -1, 1));
  matmul.description.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, longer.data() + 1);
  EXPECT_EQ(matmul.run(handle_, found.algo), CUBLAS_STATUS_INVALID_VALUE);
  expect_violation("the bias was promised to be aligned to 256 bytes and is to 4");
}

TEST_F(PlantedInCublasLt, MisalignedMatrix) {
  const ProductCase p{6, 4, 3};
  Matmul matmul(p);
  const auto found = heuristics(matmul.description).at(0);
  const DeviceArray<float> longer(sample(19, -1, 1));
  EXPECT_EQ(cublasLtMatmul(handle_, &matmul.description.operation, &matmul.alpha, longer.data() + 1,
                           &matmul.description.a, matmul.b.data(), &matmul.description.b, &matmul.beta,
                           matmul.c.data(), &matmul.description.c, matmul.d.data(), &matmul.description.d,
                           &found.algo, nullptr, 0, nullptr),
            CUBLAS_STATUS_INVALID_VALUE);
  expect_violation("A was promised to be aligned to 256 bytes and is to 4");
}

TEST_F(PlantedInCublasLt, WorkspaceSmallerThanPromised) {
  Matmul matmul({32, 16, 8});
  matmul.description.prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kPlenty);
  matmul.description.prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                            uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
  const auto found = heuristics(matmul.description).at(0);
  ASSERT_EQ(found.workspaceSize, 2u * 32 * 16 * sizeof(float));
  const DeviceArray<float> half(nans(32 * 16));
  EXPECT_EQ(matmul.run(handle_, found.algo, half.data(), half.bytes()), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(matmul.run(handle_, found.algo, nullptr, found.workspaceSize), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(matmul.run(handle_, found.algo, half.data(), found.workspaceSize), CUBLAS_STATUS_SUCCESS);
  expect_violation("the workspace has 4096 bytes, 2048 are left");
}

TEST_F(PlantedInCublasLt, AlgorithmOfAnotherProblem) {
  Matmul one({6, 4, 3}), other({6, 4, 5});
  const auto found = heuristics(one.description).at(0);
  EXPECT_EQ(other.run(handle_, found.algo), CUBLAS_STATUS_INVALID_VALUE);
  expect_violation("the algorithm was found for another problem");

  one.description.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DEFAULT);  // one without the bias
  EXPECT_EQ(one.run(handle_, found.algo), CUBLAS_STATUS_INVALID_VALUE);
  expect_violation("the algorithm was found for another problem");
}

}  // namespace
}  // namespace vae
