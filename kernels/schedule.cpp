#include "kernels/schedule.h"

#include <algorithm>

#include "kernels/kernels.h"

namespace vae::kernels {

Decay parse_decay(std::string_view name) {
  if (name == "constant") return Decay::constant;
  if (name == "linear") return Decay::linear;
  if (name == "cosine") return Decay::cosine;
  fail(ErrorKind::usage, "unknown schedule '{}': expected constant, linear or cosine", name);
}

Schedule Schedule::pieces(const std::vector<Piece>& pieces) {
  const auto falls = [](const Piece& a, const Piece& b) { return a.from > b.from; };
  if (pieces.empty() || pieces.size() > kPieces || pieces[0].from != 0 ||
      std::ranges::adjacent_find(pieces, falls) != pieces.end())
    fail(ErrorKind::usage, "a schedule of {} pieces: 1 to {}, from iteration 0 on, in order", pieces.size(),
         kPieces);
  Schedule schedule(Form::pieces, pieces[0].value);
  schedule.length_ = static_cast<int64_t>(pieces.size());
  std::ranges::copy(pieces, schedule.pieces_);
  return schedule;
}

void check_scheduled(In iteration, Out y, std::span<const Schedule> schedules) {
  VAE_CHECK(iteration.dtype() == DType::i64 && iteration.numel() == 1 && is_floating(y.dtype()) &&
                y.numel() == static_cast<int64_t>(schedules.size()),
            "scheduled: {} of {} schedules in iteration {}", y.str(), schedules.size(), iteration.str());
}

namespace cpu {

void scheduled(In iteration, Out y, std::span<const Schedule> schedules) {
  check_scheduled(iteration, y, schedules);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (size_t i = 0; i < schedules.size(); ++i)
      y.data<T>()[i] = static_cast<T>(schedules[i].at(iteration.data<int64_t>()[0]));
  });
}

}  // namespace cpu
}  // namespace vae::kernels
