// The one target of a program, as libFuzzer calls it.
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  static const vae::fuzz::Target target = vae::fuzz::targets().begin()->second;
  target(std::as_bytes(std::span(data, size)));
  return 0;
}
