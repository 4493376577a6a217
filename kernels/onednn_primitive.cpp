#include "kernels/onednn_primitive.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>

#include "tensor/parallel.h"

namespace vae::kernels::cpu::onednn {
namespace {

using dnnl::memory;
using Arguments = std::unordered_map<int, memory>;

/// The primitives in use; null for keys without one.
class Cache {
 public:
  std::shared_ptr<const Primitive> find(const Key& key, const std::function<Primitive()>& make) {
    const std::lock_guard lock(mutex_);
    const auto [entry, fresh] = entries_.try_emplace(key);
    entry->second.last_use = ++uses_;
    if (fresh) {
      try {
        entry->second.primitive = std::make_shared<const Primitive>(make());
      } catch (const dnnl::error&) {  // no such kernel on this processor
      }
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

}  // namespace

const dnnl::engine& engine() {
  static const auto* one = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *one;
}

dnnl::primitive_attr scratch_from_caller() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

memory::data_type type_of(DType dtype) {
  return dtype == DType::bf16 ? memory::data_type::bf16 : memory::data_type::f32;
}

Operand::Operand(int argument, const Desc& ours, const Desc& wanted, bool is_result)
    : argument(argument), ours(ours), wanted(wanted) {
  if (ours == wanted) return;
  const dnnl::reorder::primitive_desc description(engine(), is_result ? wanted : ours, engine(),
                                                  is_result ? ours : wanted, scratch_from_caller());
  reorder = dnnl::reorder(description);
  scratch = description.scratchpad_desc();
}

Key key_of(Operation operation, DType factors, std::initializer_list<int64_t> sizes) {
  Key key{static_cast<int64_t>(operation), static_cast<int64_t>(factors), num_threads()};
  VAE_CHECK(sizes.size() + 3 <= key.size(), "a key of {} sizes", sizes.size());
  std::copy(sizes.begin(), sizes.end(), key.begin() + 3);
  return key;
}

std::shared_ptr<const Primitive> primitive_for(const Key& key, const std::function<Primitive()>& make) {
  static auto* cache = new Cache;
  return cache->find(key, make);
}

void run(const Primitive& p, std::initializer_list<const Tensor*> in, Out result) {
  const auto over = [](const Desc& desc, In tensor) { return memory(desc, engine(), tensor.raw()); };
  Arguments arguments;
  std::vector<Scratch> copies;  // in the wanted layouts
  copies.reserve(p.in.size() + 1);
  const auto copy_of = [&](const Operand& operand) { return copies.emplace_back(operand.wanted).memory; };
  auto tensor = in.begin();
  for (const Operand& operand : p.in) {
    memory given = over(operand.ours, **tensor++);
    if (operand.reordered()) {
      const memory copy = copy_of(operand);
      run(operand.reorder, operand.scratch, {{DNNL_ARG_FROM, given}, {DNNL_ARG_TO, copy}});
      given = copy;
    }
    arguments.insert({operand.argument, given});
  }
  const memory ours = over(p.result.ours, result), written = p.result.reordered() ? copy_of(p.result) : ours;
  arguments.insert({p.result.argument, written});
  run(p.primitive, p.scratch, std::move(arguments));
  if (p.result.reordered())
    run(p.result.reorder, p.result.scratch, {{DNNL_ARG_FROM, written}, {DNNL_ARG_TO, ours}});
}

}  // namespace vae::kernels::cpu::onednn
