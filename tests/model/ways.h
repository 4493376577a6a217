#pragma once
// Which way our own code takes on a device of the model.
#include "tests/model/vendor.h"

namespace vae::kernels {

inline const Device kCuda{DeviceType::cuda, 0};

/// How often a function of a vendor is called while the body runs.
template <class Body>
int64_t calls_while(const char* function, const Body& body) {
  const int64_t before = test::called(function);
  body();
  return test::called(function) - before;
}

}  // namespace vae::kernels
