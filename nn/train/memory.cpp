#include "nn/train/memory.h"

#include <algorithm>

#include "autograd/tape.h"
#include "tensor/allocator.h"
#include "tensor/communicator.h"
#include "tensor/control_group.h"

namespace vae::train {
namespace {

constexpr int64_t kSmall = 2, kLarger = 4;  // batch norm wants two

double peak_of(Device device, const std::function<Var(int64_t)>& loss, int64_t batch) {
  CachingAllocator& memory = allocator(device);
  const size_t before = memory.stats().live_bytes;
  memory.reset_peak();
  autograd::Tape tape;
  tape.backward(loss(batch));
  return static_cast<double>(memory.stats().peak_bytes - before);
}

int64_t moments_of(const nn::OptimizerSettings& rule) {
  return std::holds_alternative<nn::Adam::Settings>(rule) ? 2 : 1;
}

std::string gigabytes(double bytes) { return fmt::format("{:.3g} GB", bytes / 1e9); }

}  // namespace

double activation_bytes(nn::Module& module, const std::function<Var(int64_t)>& loss, int64_t batch) {
  const nn::KeepBuffers keep(module);
  const Device device = module.options().device;
  peak_of(device, loss, std::min(batch, kSmall));  // gradients of parameters are there from now on
  const double small = peak_of(device, loss, std::min(batch, kSmall));
  if (batch <= kSmall) return small;
  const double larger = peak_of(device, loss, kLarger);
  return small + std::max(0.0, larger - small) * static_cast<double>(batch - kSmall) / (kLarger - kSmall);
}

double optimizer_bytes(const std::vector<Group>& groups) {
  double bytes = 0;
  for (const Group& group : groups)
    for (const nn::Module::Parameter& p : group.module->parameters())
      if (p.var.needs_grad())
        bytes += static_cast<double>(p.var.value().bytes()) *
                 static_cast<double>(2 + moments_of(group.rule) + (group.average != 0));
  return bytes;
}

std::optional<double> free_bytes(Device device) {
  const std::optional<double> free = runtime(device.type).free_bytes(device.index);
  if (!free) return {};
  return *free + static_cast<double>(allocator(device).stats().cached_bytes);
}

void check_memory(Recipe& recipe, std::optional<double> free) {
  const std::optional<MemoryProbe> probe = recipe.memory_probe();
  if (!probe || !free) return;
  const int ranks = parallel::current().size();
  const int64_t share = (probe->batch + ranks - 1) / ranks;
  const parallel::Alone alone;
  const double needed =
      activation_bytes(recipe.model(), probe->loss, share) + optimizer_bytes(recipe.groups());
  if (needed > *free)
    fail(ErrorKind::usage, "--{} {} needs about {} of memory, {} are free: a smaller one fits", probe->option,
         probe->batch, gigabytes(needed), gigabytes(*free));
}

void check_memory(Recipe& recipe) { check_memory(recipe, free_bytes(recipe.model().options().device)); }

}  // namespace vae::train
