#include "nn/train/loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "nn/train/interrupt.h"
#include "nn/train/progress.h"
#include "tensor/communicator.h"
#include "tensor/compare.h"

namespace vae::train {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Where a run begins: at a checkpoint, or at nothing.
struct Start {
  int64_t iteration = 0;
  std::optional<Best> best{};
};

json to_json(const Best& best) {
  json metrics = json::object();
  for (const auto& [name, value] : best.metrics) metrics[name] = value;
  return {{"metric", best.metric}, {"epoch", best.epoch}, {"metrics", metrics}};
}

/// Its metrics in the order of the columns. Throws json::exception for what is none.
Best best_of(const json& stored, const std::vector<std::string>& columns) {
  Best best{stored.at("metric").get<std::string>(), stored.at("epoch").get<int64_t>()};
  const json& metrics = stored.at("metrics");
  for (const std::string& name : columns)
    if (metrics.contains(name)) best.metrics.push_back({name, metrics.at(name).get<double>()});
  metrics.at(best.metric);
  return best;
}

/// Where a resumed run goes on; restores the state of the trainable.
Start restore(Trainable& trainable, const RunDirectory& directory, const LoopOptions& options) {
  const fs::path path = directory / kCheckpointFile;
  if (!directory.resumed() || !fs::exists(path)) return {};
  const json meta = load_checkpoint(path, trainable.state(), trainable.meta());
  const json loop = meta.value("loop", json());
  if (!loop.is_object() || !loop.contains("iteration") || !loop["iteration"].is_number_unsigned() ||
      loop["iteration"].get<uint64_t>() > INT64_MAX || !loop.contains("iters_per_epoch"))
    fail(ErrorKind::data, "{}: not a checkpoint of a training run", path.string());
  if (loop["iters_per_epoch"] != options.iters_per_epoch)
    fail(ErrorKind::data, "{}: the run has {} iterations in an epoch, not {}", path.string(),
         loop["iters_per_epoch"].dump(), options.iters_per_epoch);
  Start start{loop["iteration"].get<int64_t>()};
  if (loop.contains("best")) try {
      start.best = best_of(loop["best"], trainable.metric_names());
    } catch (const json::exception&) {
      fail(ErrorKind::data, "{}: what it says of the best epoch is damaged", path.string());
    }
  return start;
}

double value_of(const Scalars& metrics, const std::string& name) {
  const auto found = std::ranges::find(metrics, name, &Scalar::name);
  return found == metrics.end() ? NAN : found->value;
}

/// What rank 0 writes.
struct Files {
  Files(const RunDirectory& directory, Trainable& trainable, const LoopOptions& options, int64_t total,
        int64_t done)
      : metrics(directory.path(), trainable.metric_names(), resume_step(directory, done)),
        events(directory.path(), resume_step(directory, done)),
        progress({.total = total,
                  .done = done,
                  .iters_per_epoch = options.iters_per_epoch,
                  .images_per_step = trainable.images_per_step(),
                  .quiet = options.quiet},
                 options.now()) {}
  static std::optional<int64_t> resume_step(const RunDirectory& directory, int64_t done) {
    return directory.resumed() ? std::optional(done) : std::nullopt;
  }
  MetricsLog metrics;
  EventFile events;
  Progress progress;
};

/// One run of the loop.
class Loop {
 public:
  Loop(Trainable& trainable, const RunDirectory& directory, const LoopOptions& options, const Start& start)
      : trainable_(trainable),
        directory_(directory),
        options_(options),
        total_(options.epochs * options.iters_per_epoch),
        done_(start.iteration),
        selection_(trainable.selection()),
        best_(start.best) {
    ranks_.on_first([&] {
      files_.emplace(directory, trainable, options, total_, done_);
      last_ = files_->metrics.kept();
    });
    epoch_begin_ = begin_;
    row_step_ = start.iteration;
  }

  LoopResult run() {
    const InterruptGuard interrupt;
    if (done_ == 0 && total_ > 0) check_resumable(trainable_);
    row_begin_ = options_.now();
    while (done_ < total_ && !ranks_.any(interrupt.requested())) {
      trainable_.step();
      ++done_;
      const bool epoch_end = done_ % options_.iters_per_epoch == 0;
      if (epoch_end || (options_.log_every > 0 && done_ % options_.log_every == 0)) write_row(epoch_end);
      if (epoch_end && options_.after_epoch)
        ranks_.on_first([&] { options_.after_epoch(epoch(), done_, files_->events); });
      if (epoch_end || (options_.checkpoint_every > 0 && done_ % options_.checkpoint_every == 0)) save();
      if (epoch_end) row_begin_ = options_.now();  // pictures and checkpoint are no part of the next row
      if (files_) files_->progress.update(done_, options_.now());
    }
    if (done_ < total_) {
      save();
      fail(ErrorKind::interrupted, "{}: saved at iteration {}; {}", directory_.path().string(), done_,
           options_.how_to_go_on);
    }
    return {done_, run_seconds(), last_, best_};
  }

 private:
  using Clock = Progress::Clock;
  double since(Clock::time_point begin) const {
    return std::chrono::duration<double>(options_.now() - begin).count();
  }
  /// Of the whole run: what earlier processes logged, and this one.
  double run_seconds() const { return (files_ ? files_->metrics.seconds_before() : 0) + since(begin_); }
  int64_t epoch() const { return (done_ - 1) / options_.iters_per_epoch + 1; }

  void write_row(bool epoch_end) {
    last_ = trainable_.drain();
    const double images = static_cast<double>((done_ - row_step_) * trainable_.images_per_step());
    const double rate = images / since(row_begin_);
    check_finite();
    if (epoch_end) {
      const Scalars evaluated = trainable_.evaluate();
      last_.insert(last_.end(), evaluated.begin(), evaluated.end());
      check_finite();
      if (selection_) keep_best(evaluated);
    }
    ranks_.on_first([&] {
      files_->metrics.write(done_, epoch(), last_);
      files_->metrics.write_timing(done_, run_seconds(), rate);
      files_->events.add_scalars(done_, last_);
      if (epoch_end) print_epoch();
    });
    row_begin_ = options_.now();
    row_step_ = done_;
  }

  /// An evaluation without the metric is no better than any.
  void keep_best(const Scalars& evaluated) {
    const double value = value_of(evaluated, selection_->metric), sign = selection_->more_is_better ? 1 : -1;
    if (std::isnan(value) || (best_ && sign * value <= sign * best_->value())) return;
    best_ = Best{selection_->metric, epoch(), evaluated};
    json meta = trainable_.meta();
    meta["best"] = to_json(*best_);
    ranks_.on_first([&] { save_checkpoint(directory_.claim(kBestFile), trainable_.weights(), meta); });
  }

  void check_finite() const {
    for (const auto& [name, value] : last_)
      if (!std::isfinite(value)) fail(ErrorKind::numeric, "{} is {} at iteration {}", name, value, done_);
  }

  void print_epoch() {
    if (!options_.quiet) {
      std::string line = fmt::format("epoch {}/{}  iteration {}", epoch(), options_.epochs, done_);
      for (const auto& [name, value] : last_) line += fmt::format("  {} {:.5g}", name, value);
      line += fmt::format("  {:.1f} s\n", since(epoch_begin_));
      files_->progress.clear();
      std::fwrite(line.data(), 1, line.size(), stdout);
      std::fflush(stdout);
    }
    epoch_begin_ = options_.now();
  }

  void save() {
    json meta = trainable_.meta();
    meta["loop"] = {{"iteration", done_}, {"iters_per_epoch", options_.iters_per_epoch}};
    if (best_) meta["loop"]["best"] = to_json(*best_);
    const nn::StateDict state = trainable_.state();  // of all ranks
    ranks_.on_first([&] {
      files_->metrics.sync();  // the rows a checkpoint stands for must survive whatever it survives
      save_checkpoint(directory_.claim(kCheckpointFile), state, meta);
    });
  }

  Trainable& trainable_;
  const RunDirectory& directory_;
  const LoopOptions& options_;
  const int64_t total_;
  int64_t done_;
  parallel::Communicator& ranks_ = parallel::current();
  std::optional<Files> files_;  // of rank 0
  const std::optional<Selection> selection_;
  std::optional<Best> best_;
  Scalars last_;
  const Clock::time_point begin_ = options_.now();
  Clock::time_point row_begin_, epoch_begin_;
  int64_t row_step_ = 0;
};

}  // namespace

double Best::value() const { return value_of(metrics, metric); }

LoopResult run_loop(Trainable& trainable, const RunDirectory& directory, const LoopOptions& options) {
  int64_t total = 0;
  if (options.epochs < 0 || options.iters_per_epoch < 1 || options.log_every < 0 ||
      options.checkpoint_every < 0 || __builtin_mul_overflow(options.epochs, options.iters_per_epoch, &total))
    fail(ErrorKind::usage, "cannot train {} epochs of {} iterations, logging every {}, checkpoints every {}",
         options.epochs, options.iters_per_epoch, options.log_every, options.checkpoint_every);
  const auto columns = trainable.metric_names();
  if (const auto selection = trainable.selection();
      selection && std::ranges::find(columns, selection->metric) == columns.end())
    fail(ErrorKind::usage, "the best epoch is that of '{}', which is no metric here", selection->metric);
  const Start start = restore(trainable, directory, options);
  return Loop(trainable, directory, options, start).run();
}

void check_resumable(Trainable& trainable) {
  const auto copies = [&] {
    std::vector<Tensor> values;
    const nn::StateDict state = trainable.state();
    for (const auto& [name, tensor] : state.entries()) values.push_back(tensor.to(kCpu));
    return values;
  };
  const std::vector<Tensor> before = copies();
  const auto step_from_there = [&] {
    trainable.step();
    std::vector<Tensor> after = copies();
    const nn::StateDict state = trainable.state();
    for (size_t i = 0; i < before.size(); ++i) state.entries()[i].second.copy_from(before[i]);
    return after;
  };
  const std::vector<Tensor> once = step_from_there(), again = step_from_there();
  const nn::StateDict state = trainable.state();
  for (size_t i = 0; i < before.size(); ++i)
    if (!same_bits(once[i], again[i]))
      fail(ErrorKind::usage,
           "step: two steps from the same state() left different values in '{}': "
           "a counter or a draw is not in state(), and a resumed run would repeat it",
           state.entries()[i].first);
}

}  // namespace vae::train
