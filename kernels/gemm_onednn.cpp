#include "kernels/gemm_onednn.h"

#include <bit>

#include "kernels/onednn_primitive.h"

namespace vae::kernels::cpu::onednn {
namespace {

Primitive make(const GemmSizes& s, DType factors, Transpose ta, Transpose tb, float beta) {
  using Tag = dnnl::memory::format_tag;
  const auto tag = [](Transpose t) { return t == Transpose::yes ? Tag::ba : Tag::ab; };
  const Desc a({s.m, s.k}, type_of(factors), tag(ta)), b({s.k, s.n}, type_of(factors), tag(tb)),
      c({s.m, s.n}, type_of(DType::f32), Tag::ab);
  dnnl::primitive_attr attributes = scratch_from_caller();
  if (beta != 0) {
    dnnl::post_ops behind;
    behind.append_sum(beta);
    attributes.set_post_ops(behind);
  }
  const auto description = described_forward<dnnl::matmul>(engine(), attributes, a, b, c);
  return {dnnl::matmul(description),
          description.scratchpad_desc(),
          {{DNNL_ARG_SRC, a, a, false}, {DNNL_ARG_WEIGHTS, b, b, false}},
          {DNNL_ARG_DST, c, c, true}};
}

}  // namespace

bool gemm(const GemmSizes& s, In a, Transpose ta, In b, Transpose tb, Out c, double beta) {
  const auto kept = static_cast<float>(beta);
  const Key key =
      key_of(Operation::product, a.dtype(),
             {s.m, s.n, s.k, ta == Transpose::yes, tb == Transpose::yes, std::bit_cast<int32_t>(kept)});
  const auto p = primitive_for(key, [&] { return make(s, a.dtype(), ta, tb, kept); });
  if (p) run(*p, {&a, &b}, c);
  return p != nullptr;
}

}  // namespace vae::kernels::cpu::onednn
