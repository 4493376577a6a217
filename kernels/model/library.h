#pragma once
// What the model's cuBLAS, cuBLASLt and cuDNN share: the objects that they hand out, and how they queue work.
#include <deque>
#include <set>

#include "kernels/model/calls.h"
#include "kernels/model/stream.h"

namespace vae::model {

/// Objects that a library hands out by address, known while they live. No address is handed out twice.
template <class T>
class Living {
 public:
  T* make() {
    T* object = &all_.emplace_back();
    alive_.insert(object);
    return object;
  }
  bool has(const T* object) const { return alive_.contains(object); }
  /// Ends a life; false where there was none.
  bool end(const T* object) { return alive_.erase(object) == 1; }

 private:
  std::deque<T> all_;
  std::set<const T*> alive_;
};

/// Notes a violation by a function and returns a status.
template <class Status>
Status violation(const char* function, const std::string& sentence, Status status) {
  violate(std::string(function) + ": " + sentence);
  return status;
}

/// Whether a handle of a device may be used now: that device must be current. A violation if not.
bool on_its_device(const char* function, int device);

/// alpha or beta, which must lie in host memory (a violation if not) and are not null. T: float or double.
struct Scalar {
  bool readable = false;
  double value = 0;
};
template <class T>
Scalar host_scalar(const char* function, const void* pointer) {
  if (device_of_address(pointer) < 0) return {true, static_cast<double>(*static_cast<const T*>(pointer))};
  violate(std::string(function) + ": a scalar lies in device memory, the pointer mode says host");
  return {};
}

/// Memory that work of a library uses: bytes that begin at a multiple of `alignment`.
struct Use {
  Operand operand;
  size_t alignment = 1;
  bool written = false;
};

/// Queues work of a library. Memory must be aligned and lie in live allocations of the stream's device, and
/// what is written must not overlap anything else: violations, and an error.
cudaError_t submit(cudaStream_t stream, const char* function, const std::vector<Use>& uses,
                   std::function<void()> work);

}  // namespace vae::model
