#pragma once
// How far a long job is: on a terminal one line that is redrawn, elsewhere a plain line now and then, or
// nothing.
#include <chrono>
#include <cstdint>
#include <string>

namespace vae::train {

/// What a progress line tells.
struct ProgressState {
  int64_t done = 0, total = 0;    ///< iterations
  int64_t epoch = 1, epochs = 1;  ///< counted from 1
  double steps_per_s = 0;         ///< 0: not known yet
  double images_per_s = 0;
  std::string label{};  ///< what is done, instead of the epoch
};

/// "3:07", "1:02:03"; seconds rounded up.
std::string clock_text(double seconds);
/// The line without a bar: "epoch 2/5  1234/3000  41%  20.5 it/s  4100 images/s  ETA 1:27".
std::string progress_text(const ProgressState& state);
/// The same with a bar as wide as `width` columns allow; never longer than that.
std::string progress_bar(const ProgressState& state, int width);

class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    int64_t total = 0;  ///< iterations of the whole job
    int64_t done = 0;   ///< of them before this process
    int64_t iters_per_epoch = 1;
    int64_t images_per_step = 0;
    bool quiet = false;
    int file = 2;         ///< descriptor written to: standard error
    std::string label{};  ///< of a job without epochs: what it does
  };

  explicit Progress(const Options& options, Clock::time_point now = Clock::now());
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Tells that `done` iterations are complete; draws at most ten times a second on a terminal, every 30 s
  /// elsewhere.
  void update(int64_t done, Clock::time_point now = Clock::now());
  /// Erases the bar, so that something else can be printed.
  void clear();

 private:
  void print(const std::string& text);

  Options options_;
  bool terminal_ = false;
  bool drawn_ = false;
  Clock::time_point begin_, last_;
};

}  // namespace vae::train
