#pragma once
// Communicator: what processes that train one model together exchange. Each of them, a rank, holds some rows
// of every batch; sums and counts travel, never means of means, so N ranks compute what one computes. The
// tensors lie on the CPU, or on the device that the communicator was made for; all ranks call the same
// functions in the same order with tensors of the same sizes.
#include <functional>
#include <span>
#include <string>

#include "tensor/tensor.h"

namespace vae::parallel {

/// Neighbouring elements of a flat tensor.
struct Piece {
  int64_t begin = 0, end = 0;
  Tensor of(const Tensor& flat) const { return flat.slice(begin, end); }
};

/// Throws Error(peer), naming this rank and what it waited for, where another rank has failed or does not
/// answer within the time limit of the communicator. What is done with tensors can be part of a recorded
/// step: it is done when a function returns (CPU), queued on the stream of the device (CUDA), or recorded.
class Communicator {
 public:
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  bool alone() const { return size() == 1; }
  /// Whether this rank owns files and messages.
  bool first() const { return rank() == 0; }

  /// Puts the sum over the ranks (f32, f64 or i64) in place, the same bits on all of them.
  virtual void all_reduce(const Tensor& sums) = 0;
  /// all = the rows of every rank, in the order of ranks. Rank r has rows[r] of them, all the same number
  /// where none are named. Any dtype.
  virtual void all_gather(const Tensor& own, const Tensor& all, std::span<const int64_t> rows = {}) = 0;
  /// values = those of the rank `root`. Any dtype.
  virtual void broadcast(const Tensor& values, int root = 0) = 0;

  /// Begins an all_reduce beside the work that follows; nobody touches the tensor before finish(), which
  /// waits for all that were begun.
  virtual void start(const Tensor& sums) = 0;
  virtual void finish() = 0;

  /// Work on sums that ranks share: start_piece() begins an all_reduce of which this rank needs its piece of
  /// the n elements alone, the rest being left undefined; spread() begins to give that piece of a tensor to
  /// the others and to take theirs. Where nothing is said of pieces, each rank has and does all.
  virtual Piece piece(int64_t n) const { return {0, n}; }
  virtual void start_piece(const Tensor& sums) { start(sums); }
  virtual void spread(const Tensor&) {}

  /// Waits for all ranks; now, on the host, as the next.
  virtual void barrier() = 0;
  /// Whether `here` is true on any rank.
  virtual bool any(bool here) = 0;
  /// Does work on rank 0, as if it were alone, while the others wait for its end however long it takes, as
  /// long as rank 0 is alive: files, pictures. An Error of the work is thrown on all ranks.
  virtual void on_first(const std::function<void()>& work) = 0;
  /// Ends all ranks at once with an exit code, since they cannot go on without this one.
  [[noreturn]] virtual void abort(int exit_code) = 0;
};

/// One process alone: every function leaves its tensors as they are, or copies them.
class Self final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void all_reduce(const Tensor&) override {}
  void all_gather(const Tensor& own, const Tensor& all, std::span<const int64_t> = {}) override {
    all.copy_from(own);
  }
  void broadcast(const Tensor&, int) override {}
  void start(const Tensor&) override {}
  void finish() override {}
  void barrier() override {}
  bool any(bool here) override { return here; }
  void on_first(const std::function<void()>& work) override { work(); }
  [[noreturn]] void abort(int exit_code) override;
};

/// Rank 0's text, on all ranks.
std::string text_of_first(Communicator& ranks, const std::string& own);

/// The communicator of the innermost scope of this thread; without one, that of a process alone.
Communicator& current();

/// Whose rows a batch norm takes its statistics of: those of the whole batch, or of this rank's share alone.
enum class Statistics { global, local };

/// The communicator over whose ranks statistics of a batch are gathered; null where this rank's rows are all
/// of them.
Communicator* of_statistics();

/// Makes a communicator the current one of this thread while it lives.
class Scope {
 public:
  explicit Scope(Communicator& communicator, Statistics statistics = Statistics::global);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Communicator* outer_;
  Statistics outer_statistics_;
};

/// This process alone while it lives, whatever the scope around.
class Alone {
 private:
  Self self_;
  Scope scope_{self_};
};

}  // namespace vae::parallel
