#include "nn/train/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace vae::train {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kPlain = std::chrono::seconds(30);
constexpr int kMinBar = 8, kMaxBar = 40;

/// A terminal that can erase a line.
bool is_terminal(int file) {
  const char* kind = std::getenv("TERM");
  return ::isatty(file) && kind && std::string_view(kind) != "dumb";
}

int terminal_width(int file) {
  winsize size{};
  return ::ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

double fraction(const ProgressState& state) {
  return state.total > 0 ? std::clamp(static_cast<double>(state.done) / state.total, 0.0, 1.0) : 1.0;
}

/// Three digits or more: "0.512", "20.5", "4100".
std::string rate_text(double rate) {
  return rate < 100 ? fmt::format("{:.3g}", rate) : fmt::format("{:.0f}", rate);
}

}  // namespace

std::string clock_text(double seconds) {
  if (!(seconds < 3.6e8)) return "?";  // 100 000 hours, or not a number
  const auto whole = static_cast<int64_t>(std::ceil(std::max(seconds, 0.0)));
  const int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

std::string progress_text(const ProgressState& state) {
  std::string text =
      state.label.empty() ? fmt::format("epoch {}/{}", state.epoch, state.epochs) : state.label;
  text += fmt::format("  {}/{}  {:.0f}%", state.done, state.total, std::floor(100 * fraction(state)));
  if (!(state.steps_per_s > 0)) return text;
  text += fmt::format("  {} it/s", rate_text(state.steps_per_s));
  if (state.images_per_s > 0) text += fmt::format("  {} images/s", rate_text(state.images_per_s));
  return text + fmt::format("  ETA {}",
                            clock_text(static_cast<double>(state.total - state.done) / state.steps_per_s));
}

std::string progress_bar(const ProgressState& state, int width) {
  std::string text = progress_text(state);
  const int room = std::min(width - static_cast<int>(text.size()) - 3, kMaxBar);
  if (room >= kMinBar) {
    const auto full = static_cast<size_t>(fraction(state) * room);
    text = fmt::format("[{}{}] {}", std::string(full, '#'), std::string(room - full, '.'), text);
  }
  return text.substr(0, static_cast<size_t>(std::max(width, 0)));
}

Progress::Progress(const Options& options, Clock::time_point now)
    : options_(options), terminal_(is_terminal(options.file)), begin_(now), last_(now) {}

void Progress::update(int64_t done, Clock::time_point now) {
  if (options_.quiet || now - last_ < (terminal_ ? Clock::duration(kRedraw) : Clock::duration(kPlain)))
    return;
  last_ = now;
  const double elapsed = std::chrono::duration<double>(now - begin_).count();
  const int64_t per_epoch = std::max<int64_t>(options_.iters_per_epoch, 1);
  ProgressState state{.done = done,
                      .total = options_.total,
                      .epoch = std::max<int64_t>(done - 1, 0) / per_epoch + 1,
                      .epochs = (options_.total + per_epoch - 1) / per_epoch,
                      .steps_per_s = elapsed > 0 ? static_cast<double>(done - options_.done) / elapsed : 0,
                      .label = options_.label};
  state.images_per_s = state.steps_per_s * static_cast<double>(options_.images_per_step);
  if (!terminal_) return print(progress_text(state) + "\n");
  // One column stays free: a full line would make some terminals wrap.
  print("\r\x1b[K" + progress_bar(state, terminal_width(options_.file) - 1));
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) print("\r\x1b[K");
  drawn_ = false;
}

void Progress::print(const std::string& text) {
  // A terminal that went away must not end the training, so the result does not matter.
  if (::write(options_.file, text.data(), text.size()) < 0) options_.quiet = true;
}

}  // namespace vae::train
