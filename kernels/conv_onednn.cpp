// Primitives are made once per sizes and number of threads and kept, the least recently used falling out.
// Images stay NHWC; weights are reordered in every call to the blocked format that the primitive prefers,
// which costs a small part of the convolution they are used in. Scratch memory is the caching allocator's.
#include "kernels/conv_onednn.h"

#include <array>
#include <dnnl.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "tensor/parallel.h"

namespace vae::kernels::cpu::onednn {
namespace {

using dnnl::memory;
using dnnl::prop_kind;
using Desc = memory::desc;
using Arguments = std::unordered_map<int, memory>;

enum class Pass : int64_t { forward, forward_bias, input, weight };

/// A convolution and the reordering of its weights, with the formats they want.
struct Primitive {
  dnnl::primitive convolution, reorder;
  Desc weights, scratch, reorder_scratch;
  bool reordered = false;
};

const dnnl::engine& engine() {
  static const auto* one = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *one;
}

/// Names of the memory layouts of sizes s.
struct Layouts {
  explicit Layouts(const ConvSizes& s)
      : image({s.n, s.c, s.h, s.w}, memory::data_type::f32, memory::format_tag::nhwc),
        result({s.n, s.o, s.oh, s.ow}, memory::data_type::f32, memory::format_tag::nhwc),
        weights({s.o, s.c, s.window.h.kernel, s.window.w.kernel}, memory::data_type::f32,
                memory::format_tag::ohwi),
        any_weights(weights.dims(), memory::data_type::f32, memory::format_tag::any),
        bias({s.o}, memory::data_type::f32, memory::format_tag::x) {}
  Desc image, result, weights, any_weights, bias;
};

dnnl::primitive_attr scratch_from_caller() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

/// The primitive of a description, with the reordering between our weights and `preferred`.
template <class PrimitiveType, class Description>
Primitive finish(const Description& convolution, const Desc& ours, const Desc& preferred, bool to_ours) {
  Primitive made;
  made.convolution = PrimitiveType(convolution);
  made.scratch = convolution.scratchpad_desc();
  made.weights = preferred;
  made.reordered = preferred != ours;
  if (!made.reordered) return made;
  const dnnl::reorder::primitive_desc reorder(engine(), to_ours ? preferred : ours, engine(),
                                              to_ours ? ours : preferred, scratch_from_caller());
  made.reorder = dnnl::reorder(reorder);
  made.reorder_scratch = reorder.scratchpad_desc();
  return made;
}

Primitive make(Pass pass, const ConvSizes& s) {
  const Layouts like(s);
  const auto direct = dnnl::algorithm::convolution_direct;
  const memory::dims strides{s.window.h.stride, s.window.w.stride},
      padding{s.window.h.padding, s.window.w.padding};
  const dnnl::primitive_attr attributes = scratch_from_caller();
  using Forward = dnnl::convolution_forward;
  const Desc bias = pass == Pass::forward_bias ? like.bias : Desc{};
  const Forward::primitive_desc forward({prop_kind::forward_training, direct, like.image, like.any_weights,
                                         bias, like.result, strides, padding, padding},
                                        attributes, engine());
  if (pass == Pass::input) {
    using Input = dnnl::convolution_backward_data;
    const Input::primitive_desc input(
        {direct, like.image, like.any_weights, like.result, strides, padding, padding}, attributes, engine(),
        forward);
    return finish<Input>(input, like.weights, input.weights_desc(), false);
  }
  if (pass == Pass::weight) {
    using Weight = dnnl::convolution_backward_weights;
    const Weight::primitive_desc weight(
        {direct, like.image, like.any_weights, like.result, strides, padding, padding}, attributes, engine(),
        forward);
    return finish<Weight>(weight, like.weights, weight.diff_weights_desc(), true);
  }
  return finish<Forward>(forward, like.weights, forward.weights_desc(), false);
}

using Key = std::array<int64_t, 15>;

Key key_of(Pass pass, const ConvSizes& s) {
  const auto& [h, w] = s.window;
  return {static_cast<int64_t>(pass),
          s.n,
          s.h,
          s.w,
          s.c,
          s.o,
          s.oh,
          s.ow,
          h.kernel,
          h.stride,
          h.padding,
          w.kernel,
          w.stride,
          w.padding,
          num_threads()};
}

/// The primitives in use; null for sizes without one.
class Cache {
 public:
  std::shared_ptr<const Primitive> find(Pass pass, const ConvSizes& s) {
    const std::lock_guard lock(mutex_);
    const auto [entry, fresh] = entries_.try_emplace(key_of(pass, s));
    entry->second.last_use = ++uses_;
    if (fresh) {
      entry->second.primitive = made_or_null(pass, s);
      if (entries_.size() > kCapacity) entries_.erase(oldest());
    }
    return entry->second.primitive;
  }

 private:
  static constexpr size_t kCapacity = 512;
  struct Entry {
    std::shared_ptr<const Primitive> primitive;
    uint64_t last_use = 0;
  };
  using Entries = std::map<Key, Entry>;

  static std::shared_ptr<const Primitive> made_or_null(Pass pass, const ConvSizes& s) {
    try {
      return std::make_shared<const Primitive>(make(pass, s));
    } catch (const dnnl::error&) {
      return nullptr;
    }
  }
  Entries::iterator oldest() {
    return std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
      return a.second.last_use < b.second.last_use;
    });
  }

  std::mutex mutex_;
  Entries entries_;
  uint64_t uses_ = 0;
};

Cache& cache() {
  static auto* one = new Cache;
  return *one;
}

/// Memory of a layout that lives for one call.
class Scratch {
 public:
  explicit Scratch(const Desc& desc)
      : storage_(Tensor::empty({static_cast<int64_t>(desc.get_size())}, DType::u8)),
        memory(desc, engine(), storage_.raw()) {}

 private:
  Tensor storage_;

 public:
  dnnl::memory memory;
};

void run(const dnnl::primitive& primitive, const Desc& scratch, Arguments arguments) {
  const Scratch pad(scratch);
  arguments.insert({DNNL_ARG_SCRATCHPAD, pad.memory});
  dnnl::stream stream(engine());
  primitive.execute(stream, arguments);
  stream.wait();
}

memory over(const Desc& desc, In tensor) { return {desc, engine(), tensor.raw()}; }

/// Runs a convolution that reads weights; arguments are all others.
void run_with_weights(const Primitive& p, const memory& weights, Arguments arguments) {
  if (!p.reordered) {
    arguments.insert({DNNL_ARG_WEIGHTS, weights});
    return run(p.convolution, p.scratch, std::move(arguments));
  }
  const Scratch blocked(p.weights);
  run(p.reorder, p.reorder_scratch, {{DNNL_ARG_FROM, weights}, {DNNL_ARG_TO, blocked.memory}});
  arguments.insert({DNNL_ARG_WEIGHTS, blocked.memory});
  run(p.convolution, p.scratch, std::move(arguments));
}

}  // namespace

bool conv2d_fwd(const ConvSizes& s, In x, In w, In bias, Out y) {
  const auto p = cache().find(bias.defined() ? Pass::forward_bias : Pass::forward, s);
  if (!p) return false;
  const Layouts like(s);
  Arguments arguments{{DNNL_ARG_SRC, over(like.image, x)}, {DNNL_ARG_DST, over(like.result, y)}};
  if (bias.defined()) arguments.insert({DNNL_ARG_BIAS, over(like.bias, bias)});
  run_with_weights(*p, over(like.weights, w), std::move(arguments));
  return true;
}

bool conv2d_bwd_input(const ConvSizes& s, In dy, In w, Out dx) {
  const auto p = cache().find(Pass::input, s);
  if (!p) return false;
  const Layouts like(s);
  run_with_weights(*p, over(like.weights, w),
                   {{DNNL_ARG_DIFF_DST, over(like.result, dy)}, {DNNL_ARG_DIFF_SRC, over(like.image, dx)}});
  return true;
}

bool conv2d_bwd_weight(const ConvSizes& s, In dy, In x, Out dw) {
  const auto p = cache().find(Pass::weight, s);
  if (!p) return false;
  const Layouts like(s);
  const memory ours = over(like.weights, dw);
  Arguments arguments{{DNNL_ARG_SRC, over(like.image, x)}, {DNNL_ARG_DIFF_DST, over(like.result, dy)}};
  if (!p->reordered) {
    arguments.insert({DNNL_ARG_DIFF_WEIGHTS, ours});
    run(p->convolution, p->scratch, std::move(arguments));
    return true;
  }
  const Scratch blocked(p->weights);
  arguments.insert({DNNL_ARG_DIFF_WEIGHTS, blocked.memory});
  run(p->convolution, p->scratch, std::move(arguments));
  run(p->reorder, p->reorder_scratch, {{DNNL_ARG_FROM, blocked.memory}, {DNNL_ARG_TO, ours}});
  return true;
}

}  // namespace vae::kernels::cpu::onednn
