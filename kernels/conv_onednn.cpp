// Weights are reordered in every call to the blocked format that the primitive prefers, which costs a small
// part of the convolution they are used in; images stay NHWC.
#include "kernels/conv_onednn.h"

#include <string>

#include "kernels/onednn_primitive.h"

namespace vae::kernels::cpu::onednn {
namespace {

using dnnl::memory;
using dnnl::prop_kind;

/// The primitive for sizes s. Throws dnnl::error where there is none.
Primitive make(Operation pass, DType factors, const ConvSizes& s) {
  using Tag = memory::format_tag;
  const auto image = [&](DType type) { return Desc({s.n, s.c, s.h, s.w}, type_of(type), Tag::nhwc); };
  const auto pixels = [&](DType type) { return Desc({s.n, s.o, s.oh, s.ow}, type_of(type), Tag::nhwc); };
  const auto weights = [&](DType type, Tag layout) {
    return Desc({s.o, s.c, s.window.h.kernel, s.window.w.kernel}, type_of(type), layout);
  };
  const Desc x = image(factors), w = weights(factors, Tag::any), our_w = weights(factors, Tag::ohwi),
             y = pixels(DType::f32), dy = pixels(factors), bias({s.o}, type_of(DType::f32), Tag::x);
  const auto algorithm = dnnl::algorithm::convolution_direct;
  const memory::dims strides{s.window.h.stride, s.window.w.stride},
      padding{s.window.h.padding, s.window.w.padding};
  const dnnl::primitive_attr attributes = scratch_from_caller();
  using Forward = dnnl::convolution_forward;
  const auto forward = described_forward<Forward>(
      engine(), attributes, prop_kind::forward_training, algorithm, x, w,
      pass == Operation::forward_bias ? bias : Desc{}, y, strides, padding, padding);
  if (pass == Operation::input) {
    using Input = dnnl::convolution_backward_data;
    const Desc dx = image(DType::f32);
    const auto first = [&] {
      return described_backward<Input>(engine(), attributes, forward, algorithm, dx, w, dy, strides, padding,
                                       padding);
    };
    const auto is = [](const Input::primitive_desc& description, const char* kind) {
      return std::string(description.impl_info_str()).starts_with(kind);
    };
    auto input = first();
    // The kernels that oneDNN 3 prefers under strides take 1.15 to 1.4 times the time of those behind them.
    if (is(input, "brgconv_strided") && !(input.next_impl() && is(input, "jit"))) input = first();
    return {Input(input),
            input.scratchpad_desc(),
            {{DNNL_ARG_DIFF_DST, dy, dy, false}, {DNNL_ARG_WEIGHTS, our_w, input.weights_desc(), false}},
            {DNNL_ARG_DIFF_SRC, dx, dx, true}};
  }
  if (pass == Operation::weight) {
    using Weight = dnnl::convolution_backward_weights;
    const auto weight =
        described_backward<Weight>(engine(), attributes, forward, algorithm, x, weights(DType::f32, Tag::any),
                                   dy, strides, padding, padding);
    return {Weight(weight),
            weight.scratchpad_desc(),
            {{DNNL_ARG_DIFF_DST, dy, dy, false}, {DNNL_ARG_SRC, x, x, false}},
            {DNNL_ARG_DIFF_WEIGHTS, weights(DType::f32, Tag::ohwi), weight.diff_weights_desc(), true}};
  }
  Primitive made{Forward(forward),
                 forward.scratchpad_desc(),
                 {{DNNL_ARG_SRC, x, x, false}, {DNNL_ARG_WEIGHTS, our_w, forward.weights_desc(), false}},
                 {DNNL_ARG_DST, y, y, true}};
  if (pass == Operation::forward_bias) made.in.emplace_back(DNNL_ARG_BIAS, bias, bias, false);
  return made;
}

/// Runs the convolution of `pass` on its operands in the order of make; false where oneDNN has none.
bool convolve(Operation pass, const ConvSizes& s, std::initializer_list<const Tensor*> in, Out result) {
  const DType factors = (*in.begin())->dtype();
  const auto& [h, w] = s.window;
  const Key key = key_of(
      pass, factors,
      {s.n, s.h, s.w, s.c, s.o, s.oh, s.ow, h.kernel, h.stride, h.padding, w.kernel, w.stride, w.padding});
  const auto p = primitive_for(key, [&] { return make(pass, factors, s); });
  if (!p) return false;
  run(*p, in, result);
  note_conv_engine("oneDNN");
  return true;
}

}  // namespace

bool conv2d_fwd(const ConvSizes& s, In x, In w, In bias, Out y) {
  if (bias.defined()) return convolve(Operation::forward_bias, s, {&x, &w, &bias}, y);
  return convolve(Operation::forward, s, {&x, &w}, y);
}

bool conv2d_bwd_input(const ConvSizes& s, In dy, In w, Out dx) {
  return convolve(Operation::input, s, {&dy, &w}, dx);
}

bool conv2d_bwd_weight(const ConvSizes& s, In dy, In x, Out dw) {
  return convolve(Operation::weight, s, {&dy, &x}, dw);
}

}  // namespace vae::kernels::cpu::onednn
