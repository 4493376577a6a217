// Primitives are made once per sizes and number of threads and kept, the least recently used falling out.
// Weights are reordered in every call to the blocked format that the primitive prefers, which costs a small
// part of the convolution they are used in; images stay NHWC. Scratch memory is the caching allocator's.
#include "kernels/conv_onednn.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "kernels/onednn.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu::onednn {
namespace {

using dnnl::memory;
using dnnl::prop_kind;
using Desc = memory::desc;
using Arguments = std::unordered_map<int, memory>;

enum class Pass : int64_t { forward, forward_bias, input, weight };

const dnnl::engine& engine() {
  static const auto* one = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *one;
}

dnnl::primitive_attr scratch_from_caller() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

/// One operand of a convolution: our layout, the one that the primitive wants and, where they differ, the way
/// from one to the other.
struct Operand {
  Operand(int argument, const Desc& ours, const Desc& wanted, bool is_result)
      : argument(argument), ours(ours), wanted(wanted) {
    if (ours == wanted) return;
    const dnnl::reorder::primitive_desc description(engine(), is_result ? wanted : ours, engine(),
                                                    is_result ? ours : wanted, scratch_from_caller());
    reorder = dnnl::reorder(description);
    scratch = description.scratchpad_desc();
  }
  bool reordered() const { return static_cast<bool>(reorder); }

  int argument;
  Desc ours, wanted, scratch;
  dnnl::primitive reorder;
};

struct Primitive {
  dnnl::primitive convolution;
  Desc scratch;
  std::vector<Operand> in;
  Operand result;
};

Desc described(const memory::dims& sizes, memory::format_tag layout) {
  return {sizes, memory::data_type::f32, layout};
}

/// The primitive for sizes s. Throws dnnl::error where there is none.
Primitive make(Pass pass, const ConvSizes& s) {
  using Tag = memory::format_tag;
  const memory::dims kernels{s.o, s.c, s.window.h.kernel, s.window.w.kernel};
  const Desc image = described({s.n, s.c, s.h, s.w}, Tag::nhwc),
             result = described({s.n, s.o, s.oh, s.ow}, Tag::nhwc), bias = described({s.o}, Tag::x),
             weights = described(kernels, Tag::any), our_weights = described(kernels, Tag::ohwi);
  const auto algorithm = dnnl::algorithm::convolution_direct;
  const memory::dims strides{s.window.h.stride, s.window.w.stride},
      padding{s.window.h.padding, s.window.w.padding};
  const dnnl::primitive_attr attributes = scratch_from_caller();
  using Forward = dnnl::convolution_forward;
  const auto forward = described_forward<Forward>(
      engine(), attributes, prop_kind::forward_training, algorithm, image, weights,
      pass == Pass::forward_bias ? bias : Desc{}, result, strides, padding, padding);
  if (pass == Pass::input) {
    using Input = dnnl::convolution_backward_data;
    const auto first = [&] {
      return described_backward<Input>(engine(), attributes, forward, algorithm, image, weights, result,
                                       strides, padding, padding);
    };
    const auto is = [](const Input::primitive_desc& description, const char* kind) {
      return std::string(description.impl_info_str()).starts_with(kind);
    };
    auto input = first();
    // The kernels that oneDNN 3 prefers under strides take 1.15 to 1.4 times the time of those behind them.
    if (is(input, "brgconv_strided") && !(input.next_impl() && is(input, "jit"))) input = first();
    return {Input(input),
            input.scratchpad_desc(),
            {{DNNL_ARG_DIFF_DST, result, result, false},
             {DNNL_ARG_WEIGHTS, our_weights, input.weights_desc(), false}},
            {DNNL_ARG_DIFF_SRC, image, image, true}};
  }
  if (pass == Pass::weight) {
    using Weight = dnnl::convolution_backward_weights;
    const auto weight = described_backward<Weight>(engine(), attributes, forward, algorithm, image, weights,
                                                   result, strides, padding, padding);
    return {Weight(weight),
            weight.scratchpad_desc(),
            {{DNNL_ARG_DIFF_DST, result, result, false}, {DNNL_ARG_SRC, image, image, false}},
            {DNNL_ARG_DIFF_WEIGHTS, our_weights, weight.diff_weights_desc(), true}};
  }
  Primitive made{
      Forward(forward),
      forward.scratchpad_desc(),
      {{DNNL_ARG_SRC, image, image, false}, {DNNL_ARG_WEIGHTS, our_weights, forward.weights_desc(), false}},
      {DNNL_ARG_DST, result, result, true}};
  if (pass == Pass::forward_bias) made.in.emplace_back(DNNL_ARG_BIAS, bias, bias, false);
  return made;
}

/// The primitive for sizes s; null where oneDNN has none.
std::shared_ptr<const Primitive> made_or_null(Pass pass, const ConvSizes& s) {
  try {
    return std::make_shared<const Primitive>(make(pass, s));
  } catch (const dnnl::error&) {  // no such kernel on this processor
    return nullptr;
  }
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

/// Runs the convolution of `pass` on its operands in the order of make; false where oneDNN has none.
bool convolve(Pass pass, const ConvSizes& s, std::initializer_list<const Tensor*> in, Out result) {
  const auto p = cache().find(pass, s);
  if (!p) return false;
  const auto over = [](const Desc& desc, In tensor) { return memory(desc, engine(), tensor.raw()); };
  Arguments arguments;
  std::vector<Scratch> copies;  // in the wanted layouts
  copies.reserve(p->in.size() + 1);
  const auto copy_of = [&](const Operand& operand) { return copies.emplace_back(operand.wanted).memory; };
  auto tensor = in.begin();
  for (const Operand& operand : p->in) {
    memory given = over(operand.ours, **tensor++);
    if (operand.reordered()) {
      const memory copy = copy_of(operand);
      run(operand.reorder, operand.scratch, {{DNNL_ARG_FROM, given}, {DNNL_ARG_TO, copy}});
      given = copy;
    }
    arguments.insert({operand.argument, given});
  }
  const memory ours = over(p->result.ours, result),
               written = p->result.reordered() ? copy_of(p->result) : ours;
  arguments.insert({p->result.argument, written});
  run(p->convolution, p->scratch, std::move(arguments));
  if (p->result.reordered())
    run(p->result.reorder, p->result.scratch, {{DNNL_ARG_FROM, written}, {DNNL_ARG_TO, ours}});
  note_conv_engine("oneDNN");
  return true;
}

}  // namespace

bool conv2d_fwd(const ConvSizes& s, In x, In w, In bias, Out y) {
  if (bias.defined()) return convolve(Pass::forward_bias, s, {&x, &w, &bias}, y);
  return convolve(Pass::forward, s, {&x, &w}, y);
}

bool conv2d_bwd_input(const ConvSizes& s, In dy, In w, Out dx) {
  return convolve(Pass::input, s, {&dy, &w}, dx);
}

bool conv2d_bwd_weight(const ConvSizes& s, In dy, In x, Out dw) {
  return convolve(Pass::weight, s, {&dy, &x}, dw);
}

}  // namespace vae::kernels::cpu::onednn
