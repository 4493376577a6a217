// Primitives are made once per sizes and number of threads and kept, the least recently used falling out.
// Weights are reordered in every call to the blocked format that the primitive prefers, which costs a small
// part of the convolution they are used in; images stay NHWC but for Winograd's algorithm, which gains more
// than their reordering costs. Scratch memory is the caching allocator's.
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

/// Layouts of sizes s: ours, and those left to the primitive.
struct Layouts {
  explicit Layouts(const ConvSizes& s)
      : image(described({s.n, s.c, s.h, s.w}, memory::format_tag::nhwc)),
        result(described({s.n, s.o, s.oh, s.ow}, memory::format_tag::nhwc)),
        weights(described({s.o, s.c, s.window.h.kernel, s.window.w.kernel}, memory::format_tag::ohwi)),
        bias(described({s.o}, memory::format_tag::x)) {}
  Desc image, result, weights, bias;
};

Desc any_layout(const Desc& like) { return described(like.dims(), memory::format_tag::any); }

/// Whether Winograd's algorithm pays: F(4x4, 3x3) takes a quarter of the products, but images change to
/// blocks of 16 channels and back. Measured from 16 to 256 channels.
bool winograd_pays(Pass pass, const ConvSizes& s) {
  const auto fits = [](const WindowAxis& a) { return a.kernel == 3 && a.stride == 1 && a.padding <= 1; };
  const auto many = [pass](int64_t channels) {
    return channels % 16 == 0 && channels >= (pass == Pass::weight ? 64 : 32);
  };
  return fits(s.window.h) && fits(s.window.w) && many(s.c) && many(s.o);
}

Primitive make(Pass pass, const ConvSizes& s, bool winograd) {
  const Layouts ours(s);
  const auto algorithm =
      winograd ? dnnl::algorithm::convolution_winograd : dnnl::algorithm::convolution_direct;
  const memory::dims strides{s.window.h.stride, s.window.w.stride},
      padding{s.window.h.padding, s.window.w.padding};
  const dnnl::primitive_attr attributes = scratch_from_caller();
  const Desc image = winograd ? any_layout(ours.image) : ours.image,
             result = winograd ? any_layout(ours.result) : ours.result, weights = any_layout(ours.weights),
             bias = pass == Pass::forward_bias ? ours.bias : Desc{};
  using Forward = dnnl::convolution_forward;
  const Forward::primitive_desc forward(
      {prop_kind::forward_training, algorithm, image, weights, bias, result, strides, padding, padding},
      attributes, engine());
  if (pass == Pass::input) {
    using Input = dnnl::convolution_backward_data;
    const Input::primitive_desc input({algorithm, image, weights, result, strides, padding, padding},
                                      attributes, engine(), forward);
    return {Input(input),
            input.scratchpad_desc(),
            {{DNNL_ARG_DIFF_DST, ours.result, input.diff_dst_desc(), false},
             {DNNL_ARG_WEIGHTS, ours.weights, input.weights_desc(), false}},
            {DNNL_ARG_DIFF_SRC, ours.image, input.diff_src_desc(), true}};
  }
  if (pass == Pass::weight) {
    using Weight = dnnl::convolution_backward_weights;
    const Weight::primitive_desc weight({algorithm, image, weights, result, strides, padding, padding},
                                        attributes, engine(), forward);
    return {Weight(weight),
            weight.scratchpad_desc(),
            {{DNNL_ARG_DIFF_DST, ours.result, weight.diff_dst_desc(), false},
             {DNNL_ARG_SRC, ours.image, weight.src_desc(), false}},
            {DNNL_ARG_DIFF_WEIGHTS, ours.weights, weight.diff_weights_desc(), true}};
  }
  Primitive made{Forward(forward),
                 forward.scratchpad_desc(),
                 {{DNNL_ARG_SRC, ours.image, forward.src_desc(), false},
                  {DNNL_ARG_WEIGHTS, ours.weights, forward.weights_desc(), false}},
                 {DNNL_ARG_DST, ours.result, forward.dst_desc(), true}};
  if (pass == Pass::forward_bias) made.in.emplace_back(DNNL_ARG_BIAS, ours.bias, ours.bias, false);
  return made;
}

/// The primitive for sizes s; null where oneDNN has none.
std::shared_ptr<const Primitive> made_or_null(Pass pass, const ConvSizes& s) {
  for (const bool winograd : {true, false}) {
    if (winograd && !winograd_pays(pass, s)) continue;
    try {
      return std::make_shared<const Primitive>(make(pass, s, winograd));
    } catch (const dnnl::error&) {  // no such kernel on this processor
    }
  }
  return nullptr;
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
