#include "tensor/graph.h"

#include <cstdint>

#include "tensor/error.h"

namespace vae {

GraphMode parse_graph_mode(std::string_view text) {
  if (text == "auto") return GraphMode::automatic;
  if (text == "on") return GraphMode::on;
  if (text == "off") return GraphMode::off;
  fail(ErrorKind::usage, "unknown graph mode '{}': expected auto, on or off", text);
}

StepGraph::StepGraph(Device device, GraphMode mode)
    : device_(device),
      enabled_(mode == GraphMode::on ||
               (mode == GraphMode::automatic && device.type == DeviceType::cuda && !sync_launches())) {}

void StepGraph::run(const std::function<void()>& step, const std::vector<int64_t>& key) {
  if (!enabled_) return step();
  Recorded& recorded = recorded_[key];
  if (recorded.runs < kWarmUp) {
    step();
    ++recorded.runs;
    return;
  }
  if (!recorded.work) {
    recorded.pool = std::make_unique<MemoryPool>(allocator(device_));
    const MemoryPool::Scope scope(*recorded.pool);
    recorded.work = runtime(device_.type).record(device_.index, step);
  }
  recorded.work->replay();
}

}  // namespace vae
