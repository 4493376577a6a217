#include "kernels/model/library.h"

#include <fmt/format.h>

namespace vae::model {
namespace {

bool overlap(const Operand& a, const Operand& b) {
  const auto begin = [](const Operand& x) { return reinterpret_cast<uintptr_t>(x.pointer); };
  return a.bytes > 0 && b.bytes > 0 && begin(a) < begin(b) + b.bytes && begin(b) < begin(a) + a.bytes;
}

std::string fault_among(const std::vector<Use>& uses) {
  for (const Use& use : uses) {
    if (use.operand.bytes > 0 && reinterpret_cast<uintptr_t>(use.operand.pointer) % use.alignment)
      return fmt::format("{} is not aligned to {} bytes", use.operand.what, use.alignment);
    for (const Use& other : uses)
      if (&use != &other && use.written && overlap(use.operand, other.operand))
        return fmt::format("{} overlaps {}", use.operand.what, other.operand.what);
  }
  return "";
}

}  // namespace

bool on_its_device(const char* function, int device) {
  if (device == current_device()) return true;
  violate(fmt::format("{}: a handle of device {} is used while device {} is current", function, device,
                      current_device()));
  return false;
}

cudaError_t submit(cudaStream_t stream, const char* function, const std::vector<Use>& uses,
                   std::function<void()> work) {
  if (const std::string fault = fault_among(uses); !fault.empty())
    return violation(function, fault, cudaErrorInvalidValue);
  std::vector<Operand> operands;
  for (const Use& use : uses) operands.push_back(use.operand);
  return queue(stream, function, std::move(operands), std::move(work));
}

}  // namespace vae::model
