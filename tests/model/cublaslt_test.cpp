// The model's cuBLASLt: products with bias against plain loops, what its heuristics promise, documented
// statuses.
#include "kernels/model/heuristics.h"
#include "tests/model/cublaslt_calls.h"

namespace vae {
namespace {

using namespace test;

TEST_F(CublasLt, MatchesPlainLoops) {
  struct Size {
    int64_t m, n, k;
  };
  for (const Size s : {Size{1, 1, 1}, {3, 5, 7}, {32, 16, 8}, {40, 1, 90}, {1, 12, 5}})
    for (const bool ta : {false, true})
      for (const bool tb : {false, true})
        for (const double beta : {0.0, -1.5})
          for (const int64_t gap : {0, 3}) {
            const ProductCase p{s.m, s.n, s.k, ta, tb, 0.5, beta, gap};
            SCOPED_TRACE(fmt::format("{} x {} x {} {}{} {} {}", s.m, s.n, s.k, ta, tb, beta, gap));
            Matmul matmul(p);
            matmul.description.prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kPlenty);
            for (const auto& found : heuristics(matmul.description)) {
              const DeviceArray<float> workspace(sample(1 + static_cast<int64_t>(found.workspaceSize), 1, 2));
              EXPECT_EQ(matmul.run(handle_, found.algo, workspace.data(), found.workspaceSize),
                        CUBLAS_STATUS_SUCCESS);
              EXPECT_LE(distance(p.columns(matmul.d.values()), p.result(matmul.bias_values)), 1e-6);
            }
          }
}

TEST_F(CublasLt, HeuristicsKeepToThePreference) {
  const ProductCase p{32, 16, 8};
  Matmul matmul(p);
  Description& wish = matmul.description;
  EXPECT_EQ(heuristics(wish).size(), 1u) << "no workspace is allowed";
  wish.prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kPlenty);
  EXPECT_EQ(heuristics(wish).size(), 3u);
  EXPECT_EQ(heuristics(wish, 2).size(), 2u);
  wish.prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
  EXPECT_EQ(heuristics(wish).size(), 2u) << "sums in any order are excluded";
  wish.prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, uint32_t{4});
  EXPECT_EQ(heuristics(wish).size(), 1u) << "16 bytes cannot be read at once";
}

TEST_F(CublasLt, SumsInPlaceDifferFromRunToRun) {
  const ProductCase p{32, 16, 8};
  Matmul matmul(p);
  matmul.description.prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kPlenty);
  const auto found = heuristics(matmul.description);
  const DeviceArray<float> workspace(nans(4096));
  const auto repeated = [&](const cublasLtMatmulAlgo_t& algorithm) {
    std::vector<double> first;
    bool same = true;
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(matmul.run(handle_, algorithm, workspace.data(), workspace.bytes()), CUBLAS_STATUS_SUCCESS);
      const std::vector<double> now = matmul.d.values();
      same = same && (i == 0 || now == first);
      if (i == 0) first = now;
    }
    return same;
  };
  ASSERT_EQ(found.size(), 3u);
  EXPECT_FALSE(repeated(found[0].algo));
  EXPECT_TRUE(repeated(found[1].algo));
  EXPECT_TRUE(repeated(found[2].algo));
}

TEST_F(CublasLt, OffersWhatIsAskedFor) {
  Matmul matmul({32, 16, 8});
  {
    const model::OfferScope scope(model::Offer::nothing);
    EXPECT_TRUE(heuristics(matmul.description).empty());
  }
  const model::OfferScope scope(model::Offer::declined);
  for (const auto& found : heuristics(matmul.description))
    EXPECT_EQ(found.state, CUBLAS_STATUS_NOT_SUPPORTED);
}

TEST_F(CublasLt, RefusesWhatIsDocumentedAsInvalid) {
  const ProductCase p{4, 3, 5};
  Matmul matmul(p);
  const auto found = heuristics(matmul.description).at(0);
  const auto status = [&](auto spoil) {
    Description before = matmul.description;
    spoil(matmul.description);
    const cublasStatus_t now = matmul.run(handle_, found.algo);
    matmul.description = before;
    return now;
  };
  EXPECT_EQ(status([](auto&) {}), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(status([](auto& d) { d.layout(d.b, 6, 3, 6); }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(status([](auto& d) { d.layout(d.d, 4, 3, 3); }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(status([](auto& d) { d.operation = {}; }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(status([](auto& d) { d.a = {}; }), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(status([](auto& d) { cublasLtMatmulDescInit(&d.operation, CUBLAS_COMPUTE_64F, CUDA_R_32F); }),
            CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(matmul.run(nullptr, found.algo), CUBLAS_STATUS_NOT_INITIALIZED);
  EXPECT_EQ(matmul.run(handle_, cublasLtMatmulAlgo_t{}), CUBLAS_STATUS_INVALID_VALUE);
  Description& d = matmul.description;
  const uint64_t wide = 1;
  EXPECT_EQ(cublasLtMatmulDescSetAttribute(&d.operation, CUBLASLT_MATMUL_DESC_TRANSA, &wide, sizeof wide),
            CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(cublasLtMatmulPreferenceSetAttribute(&d.preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                 nullptr, sizeof wide),
            CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(cublasLtMatmulDescInit_internal(&d.operation, 8, CUBLAS_COMPUTE_32F, CUDA_R_32F),
            CUBLAS_STATUS_ALLOC_FAILED);
}

}  // namespace
}  // namespace vae
