// What our own convolutions make of what cuDNN offers: a deterministic algorithm of modest size in the
// precision that is set, columns where there is none, an error where the library finds fault with the call.
#include <cudnn.h>

#include "kernels/model/heuristics.h"
#include "kernels/precision.h"
#include "tests/expect_error.h"
#include "tests/model/ways.h"

namespace vae::kernels {
namespace {

using model::Fault;
using model::Offer;
using model::OfferScope;
using test::sample_tensor;

constexpr int64_t kN = 2, kW = 7, kIn = 3, kOut = 4;
const Window kWindow(3, 2, 1);

struct Tensors {
  Tensors(int64_t height, Device device, DType factors)
      : x(sample_tensor({kN, height, kW, kIn}, DType::f32, device, -1, 1, 1)),
        w(sample_tensor({kOut, 3, 3, kIn}, DType::f32, device, -1, 1, 2)),
        y(sample_tensor(kWindow.output("y", x.shape(), kOut), DType::f32, device, -1, 1, 3)),
        factors(factors) {}
  Tensor factor(const Tensor& t) const {
    const Tensor copy = Tensor::empty(t.shape(), factors, t.device());
    cast(t, copy);
    return copy;
  }
  Tensor x, w, y;
  DType factors;
};

/// A pass of a convolution, and the function of cuDNN that computes it.
struct Pass {
  const char *name, *function, *heuristics;
  std::vector<double> (*compute)(const Tensors& t);
  std::vector<double> run(int64_t height, Device device, DType factors = DType::f32) const {
    return compute(Tensors(height, device, factors));
  }
};

const Pass kPasses[] = {
    {"forward", "cudnnConvolutionForward", "cudnnGetConvolutionForwardAlgorithm_v7",
     [](const Tensors& t) {
       conv2d_fwd(t.factor(t.x), t.factor(t.w), Tensor(), t.y, kWindow, Activation{});
       return to_doubles(t.y);
     }},
    {"input", "cudnnConvolutionBackwardData", "cudnnGetConvolutionBackwardDataAlgorithm_v7",
     [](const Tensors& t) {
       conv2d_bwd_input(t.factor(t.y), t.factor(t.w), t.x, kWindow, Write::add);
       return to_doubles(t.x);
     }},
    {"weight", "cudnnConvolutionBackwardFilter", "cudnnGetConvolutionBackwardFilterAlgorithm_v7",
     [](const Tensors& t) {
       conv2d_bwd_weight(t.factor(t.y), t.factor(t.x), t.w, kWindow, Write::set);
       return to_doubles(t.w);
     }},
};

class ConvolutionWays : public test::Vendor {
 protected:
  /// The difference to the CPU; a height of its own for each test, since plans are remembered by sizes.
  static double difference(const Pass& pass, int64_t height) {
    return test::distance(pass.run(height, kCuda), pass.run(height, kCpu));
  }
  static void expect_way(const Pass& pass, int64_t convolutions, int64_t height) {
    EXPECT_EQ(calls_while(pass.function, [&] { EXPECT_LT(difference(pass, height), 1e-6); }), convolutions)
        << pass.name << ", height " << height;
  }
};

TEST_F(ConvolutionWays, TakeADeterministicPlainAlgorithmOfModestSize) {
  for (const Pass& pass : kPasses) {
    expect_way(pass, 1, 20);
    EXPECT_EQ(calls_while(pass.heuristics, [&] { expect_way(pass, 1, 20); }), 0) << "the plan is remembered";
    const auto first = pass.run(20, kCuda);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(pass.run(20, kCuda), first) << pass.name;
  }
}

TEST_F(ConvolutionWays, FallBackToColumnsWhereNothingFits) {
  for (const Pass& pass : kPasses)
    for (const Offer offer :
         {Offer::nothing, Offer::declined, Offer::nondeterministic, Offer::oversized, Offer::tf32}) {
      const int64_t height = 30 + static_cast<int64_t>(offer);
      {
        const OfferScope scope(offer);
        expect_way(pass, 0, height);
      }
      expect_way(pass, 0, height);
    }
}

TEST_F(ConvolutionWays, FallBackWhereTheCandidateDeclines) {
  for (const Pass& pass : kPasses) {
    const Fault fault(pass.function, 1, CUDNN_STATUS_NOT_SUPPORTED_SHAPE);
    expect_way(pass, 1, 40);
    expect_way(pass, 0, 40);
  }
}

TEST_F(ConvolutionWays, ReportWhatIsWrong) {
  for (const Pass& pass : kPasses) {
    const Fault fault(pass.function, 1, CUDNN_STATUS_BAD_PARAM);
    test::expect_error(ErrorKind::device, "CUDNN_STATUS_BAD_PARAM", [&] { pass.run(50, kCuda); });
    expect_way(pass, 1, 50);
    const Fault heuristics(pass.heuristics, 1, CUDNN_STATUS_BAD_PARAM);
    test::expect_error(ErrorKind::device, "CUDNN_STATUS_BAD_PARAM", [&] { pass.run(51, kCuda); });
    expect_way(pass, 1, 51);
  }
}

TEST_F(ConvolutionWays, GiveDescriptorsBackWhereAPlanFails) {
  const Fault fault("cudnnSetFilter4dDescriptor", 1, CUDNN_STATUS_INTERNAL_ERROR);
  EXPECT_EQ(calls_while("cudnnDestroyTensorDescriptor",
                        [&] {
                          EXPECT_EQ(calls_while("cudnnCreateTensorDescriptor",
                                                [&] {
                                                  test::expect_error(ErrorKind::device, "filter descriptor",
                                                                     [&] { kPasses[0].run(60, kCuda); });
                                                }),
                                    2);
                        }),
            2);
}

TEST_F(ConvolutionWays, DifferInTheirPrecision) {
  for (const Pass& pass : kPasses) {
    EXPECT_LT(difference(pass, 70), 1e-6);
    {
      const PrecisionScope scope(Precision::tf32);
      EXPECT_GT(difference(pass, 70), 1e-5) << "a plan of fp32 serves TF32, " << pass.name;
      EXPECT_GT(difference(pass, 71), 1e-5);
    }
    EXPECT_LT(difference(pass, 71), 1e-6) << "a plan of TF32 serves fp32, " << pass.name;
  }
}

TEST_F(ConvolutionWays, WidenBf16AndTakeTensorCores) {
  for (const Pass& pass : kPasses) {
    const auto narrow = [&](Device device) { return pass.run(90, device, DType::bf16); };
    const OfferScope scope(Offer::tf32);
    EXPECT_EQ(
        calls_while(pass.function, [&] { EXPECT_LT(test::distance(narrow(kCuda), narrow(kCpu)), 1e-6); }), 1)
        << pass.name;
    EXPECT_GT(test::distance(narrow(kCpu), pass.run(90, kCpu)), 1e-4);
  }
}

TEST_F(ConvolutionWays, TakeAPlainAlgorithmUnderTf32WhereThereIsNoOther) {
  const PrecisionScope precision(Precision::tf32);
  const OfferScope scope(Offer::plain);
  for (const Pass& pass : kPasses) expect_way(pass, 1, 80);
}

}  // namespace
}  // namespace vae::kernels
