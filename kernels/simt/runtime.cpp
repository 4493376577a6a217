// The device `simt` as the tensor library sees it. A program that links the emulator has one such device.
#include "tensor/runtime.h"

#include <cstring>

#include "kernels/simt/dry_run.h"
#include "kernels/simt/memory.h"

namespace vae {
namespace {

class SimtRuntime final : public DeviceRuntime {
 public:
  int count() const override { return 1; }
  std::string name(int) const override { return "emulator"; }
  void* allocate(int, size_t bytes) override { return simt::memory().allocate(bytes); }
  void release(int, void* pointer) override { simt::memory().release(pointer); }
  void prepare(int, void* pointer, size_t bytes) override {
    if (!simt::dry()) simt::memory().prepare(pointer, bytes);
  }
  void copy_from_host(int, void* to, const void* from, size_t bytes) override { copy(to, from, bytes); }
  void copy_to_host(int, void* to, const void* from, size_t bytes) override { copy(to, from, bytes); }
  void copy_on_device(int, void* to, const void* from, size_t bytes) override { copy(to, from, bytes); }
  void fill_zero(int, void* to, size_t bytes) override {
    if (simt::counted()) return;
    const simt::Arena::Opened opened(simt::memory());
    std::memset(to, 0, bytes);
  }
  void synchronize(int) override {}

 private:
  static void copy(void* to, const void* from, size_t bytes) {
    if (simt::counted()) return;
    const simt::Arena::Opened opened(simt::memory());
    std::memcpy(to, from, bytes);
  }
};

}  // namespace

DeviceRuntime* detail::simt_runtime() {
  static auto* runtime = new SimtRuntime;
  return runtime;
}

}  // namespace vae
