#include "nn/parallel/mpi.h"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <thread>
#include <vector>

#include "nn/parallel/first.h"
#include "nn/parallel/mpi_sum.h"
#include "nn/parallel/watch.h"
#include "tensor/recorder.h"

namespace vae::parallel {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int64_t kPiece = int64_t{1} << 30;  // bytes of a call, whose counts are of 32 bits

void check_on_host(const char* what, const Tensor& x) {
  VAE_CHECK(x.device().is_cpu(), "{}: {} is not for MPI", what, x.str());
}

class Mpi final : public Communicator {
 public:
  Mpi(const Environment& e, milliseconds limit) : environment_(e), limit_(limit) {
    const Watch watch(e, limit, "not all ranks have started");
    int provided = 0;
    check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &all_), "MPI_Comm_dup");
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &beats_), "MPI_Comm_dup");
    int rank = 0, size = 0;
    MPI_Comm_rank(all_, &rank), MPI_Comm_size(all_, &size);
    if (rank != e.rank || size != e.size)
      fail(ErrorKind::usage, "{} says that this is process {} of {}, but MPI that it is {} of {}", e.launcher,
           e.rank, e.size, rank, size);
    if (provided < MPI_THREAD_SERIALIZED) fail(ErrorKind::usage, "this MPI takes calls from one thread only");
  }

  /// Not in the middle of a failure: the other ranks may never come to the end.
  ~Mpi() override {
    if (std::uncaught_exceptions() > 0) return;
    const Watch watch(environment_, limit_, "not all ranks have ended");
    MPI_Comm_free(&beats_), MPI_Comm_free(&all_);
    MPI_Finalize();
  }

  int rank() const override { return environment_.rank; }
  int size() const override { return environment_.size; }

  void all_reduce(const Tensor& sums) override {
    check_on_host("all_reduce", sums);
    run_or_record("all_reduce", sums.device(), {sums}, [this, sums] {
      std::vector<MpiSum> begun;
      begun.emplace_back(sums, all_, sums_++);
      wait_for_sums(begun);
    });
  }

  void all_gather(const Tensor& own, const Tensor& all, std::span<const int64_t> rows) override {
    check_on_host("all_gather", own), check_on_host("all_gather", all);
    std::vector<int> counts(static_cast<size_t>(size()), static_cast<int>(own.size(0))), begins{0};
    if (!rows.empty()) counts.assign(rows.begin(), rows.end());
    for (const int count : counts) begins.push_back(begins.back() + count);
    VAE_CHECK(counts.size() == static_cast<size_t>(size()) && own.dtype() == all.dtype() &&
                  counts[static_cast<size_t>(rank())] == own.size(0) && begins.back() == all.size(0),
              "all_gather: {} into {} of {} rows", own.str(), all.str(), begins.back());
    run_or_record("all_gather", all.device(), {own, all}, [=, this] {
      if (all.numel() == 0) return;
      MPI_Datatype row = MPI_DATATYPE_NULL;
      MPI_Type_contiguous(static_cast<int>(all.bytes() / static_cast<size_t>(all.size(0))), MPI_BYTE, &row);
      MPI_Type_commit(&row);
      MPI_Request request = MPI_REQUEST_NULL;
      check_mpi(MPI_Iallgatherv(own.raw(), static_cast<int>(own.size(0)), row, all.raw(), counts.data(),
                                begins.data(), row, all_, &request),
                "all_gather");
      wait(request, "all_gather");
      MPI_Type_free(&row);
    });
  }

  void broadcast(const Tensor& values, int root) override {
    check_on_host("broadcast", values);
    run_or_record("broadcast", values.device(), {values}, [=, this] {
      auto* const bytes = static_cast<std::byte*>(values.raw());
      const auto count = static_cast<int64_t>(values.bytes());
      for (int64_t done = 0; done < count; done += kPiece) {
        MPI_Request request = MPI_REQUEST_NULL;
        check_mpi(MPI_Ibcast(bytes + done, static_cast<int>(std::min(kPiece, count - done)), MPI_BYTE, root,
                             all_, &request),
                  "broadcast");
        wait(request, "broadcast");
      }
    });
  }

  void start(const Tensor& sums) override { begin(sums, Half::both); }
  void start_piece(const Tensor& sums) override { begin(sums, Half::add); }
  void spread(const Tensor& values) override { begin(values, Half::spread); }
  Piece piece(int64_t n) const override { return MpiSum::piece(n, rank(), size()); }

  void finish() override {
    run_or_record("all_reduce", kCpu, {}, [this] {
      wait_for_sums(begun_);
      begun_.clear();
    });
  }

  void barrier() override {
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Ibarrier(all_, &request), "barrier");
    wait(request, "barrier");
  }

  bool any(bool here) override {
    int value = here;
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Iallreduce(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_MAX, all_, &request), "any");
    wait(request, "any");
    return value != 0;
  }

  void on_first(const std::function<void()>& work) override {
    if (first()) return work_as_first(*this, limit_, work, [this](Word word) { tell(word); });
    wait_for_first(*this, [this] {
      Word said{};
      MPI_Request request = MPI_REQUEST_NULL;
      check_mpi(MPI_Irecv(&said, 1, MPI_CHAR, 0, 0, beats_, &request), "rank 0");
      wait(request, "rank 0");
      return said;
    });
  }

  [[noreturn]] void abort(int exit_code) override {
    const Watch watch(environment_, milliseconds(3000), "the other ranks could not be ended");
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    ::_exit(exit_code);
  }

 private:
  void begin(const Tensor& sums, Half half) {
    check_on_host("all_reduce", sums);
    run_or_record("all_reduce", sums.device(), {sums}, [this, sums, half] {
      for (MpiSum& begun : begun_) begun.advance();  // MPI goes on while it is called
      begun_.emplace_back(sums, all_, sums_++, half);
    });
  }

  void wait_for_sums(std::vector<MpiSum>& begun) const {
    wait_until("all_reduce", [&] {
      bool done = true;
      for (MpiSum& sum : begun) done = sum.advance() && done;
      return done;
    });
  }

  /// A word to every other rank.
  void tell(const Word& said) const {
    for (int to = 1; to < size(); ++to) {
      MPI_Request request = MPI_REQUEST_NULL;
      check_mpi(MPI_Isend(&said, 1, MPI_CHAR, to, 0, beats_, &request), "rank 0");
      wait(request, "rank 0");
    }
  }

  void wait(MPI_Request& request, const char* what) const {
    wait_until(what, [&] {
      int done = 0;
      check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), what);
      return done != 0;
    });
  }

  void wait_until(const char* what, const std::function<bool()>& done) const {
    Clock::time_point last = Clock::now();
    Clock::duration waited{};
    for (;;) {
      // Most waits are short. Who waits longer sleeps: among other programs a core that was merely yielded
      // comes back after their time slices, and one that is spun on is kept from those he waits for.
      for (int i = 0; i < 200; ++i)
        if (done()) return;
      // Time in which this process was stopped does not count: it was the others that had no answer.
      const Clock::time_point now = Clock::now();
      waited += std::min<Clock::duration>(now - last, std::chrono::seconds(1));
      last = now;
      if (waited > limit_)
        fail(ErrorKind::peer, "no answer from other ranks for {:.3g} s ({})",
             std::chrono::duration<double>(limit_).count(), what);
      if (waited > std::chrono::microseconds(200))
        std::this_thread::sleep_for(std::chrono::microseconds(waited > milliseconds(20) ? 100 : 20));
    }
  }

  Environment environment_;
  milliseconds limit_;
  MPI_Comm all_ = MPI_COMM_NULL, beats_ = MPI_COMM_NULL;
  std::vector<MpiSum> begun_;
  int64_t sums_ = 0;  // begun so far
};

}  // namespace

bool has_mpi() { return true; }

std::unique_ptr<Communicator> connect_mpi(const Environment& e, milliseconds limit) {
  if (!e.has_mpi)
    fail(
        ErrorKind::usage,
        "process {} of {} was started by {} without MPI, over which ranks on CPUs speak: use mpirun, or srun "
        "--mpi=pmix",
        e.rank, e.size, e.launcher);
  return std::make_unique<Mpi>(e, limit);
}

}  // namespace vae::parallel
