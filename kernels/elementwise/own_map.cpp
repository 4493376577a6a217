#include "kernels/elementwise/own_map.h"

#include <cxxabi.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>

namespace vae::kernels {
namespace {

/// Entries never move, and are complete before they are counted.
struct Added {
  std::mutex adding;
  std::array<OwnMap, 256> functions;
  std::atomic<size_t> count = 0;
};

Added& added() {
  static Added all;
  return all;
}

}  // namespace

Map add_map(OwnMap function) {
  Added& all = added();
  const std::lock_guard lock(all.adding);
  const size_t next = all.count;
  if (next == all.functions.size())
    fail(ErrorKind::usage, "{}: more than {} elementwise functions of one's own", function.name, next);
  all.functions[next] = std::move(function);
  all.count = next + 1;
  return static_cast<Map>(kMaps + static_cast<int>(next));
}

const OwnMap* own_map(Map op) {
  const int index = static_cast<int>(op) - kMaps;
  return index < 0 ? nullptr : &added().functions.at(static_cast<size_t>(index));
}

const MapLoops* own_loops(Map op, DeviceType device) {
  const OwnMap* function = own_map(op);
  if (!function) return nullptr;
  const MapLoops* loops = function->loops[static_cast<int>(device)];
  if (!loops)
    fail(ErrorKind::device, "{} is not compiled for {}: call map<{}> in a file that nvcc compiles",
         function->name, name_of(device), function->name);
  return loops;
}

OwnMap named_map(const std::type_info& type, int arity) {
  const std::unique_ptr<char, void (*)(void*)> full(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, nullptr), std::free);
  std::string name = full ? full.get() : type.name();
  if (const size_t scope = name.rfind("::"); scope != name.npos) name.erase(0, scope + 2);
  OwnMap own;
  own.name = name;
  own.signature = name + (arity == 1 ? "(x)" : arity == 2 ? "(x0, x1)" : "(x0, x1, x2)");
  own.arity = arity;
  return own;
}

}  // namespace vae::kernels
