// NCCL's calls do not block: the state of the communicator is polled, so that an answer that does not come
// ends with an error. A thread polls it, and what is queued, while the rank's own thread does something else.
#include "nn/parallel/nccl.h"

#include <nccl.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>
#include <vector>

#include "nn/parallel/first.h"
#include "nn/parallel/watch.h"
#include "tensor/runtime.h"
#include "tensor/stream_cuda.h"

namespace vae::parallel {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using Timing = CudaEvent::Timing;

constexpr milliseconds kGrace{3'000};  // for ncclCommAbort, which has been seen to hang

double seconds(milliseconds limit) { return std::chrono::duration<double>(limit).count(); }

ncclDataType_t type_of(const Tensor& x) {
  switch (x.dtype()) {
    case DType::f32:
      return ncclFloat32;
    case DType::f64:
      return ncclFloat64;
    case DType::i64:
      return ncclInt64;
    default:
      fail(ErrorKind::internal, "all_reduce: {}", x.str());
  }
}

/// What is queued on a device and has not been done: marks behind it, oldest first. The events are used
/// again.
class Outstanding {
 public:
  void mark(cudaStream_t stream) {
    std::unique_ptr<CudaEvent> event;
    if (spare_.empty()) {
      event = std::make_unique<CudaEvent>(Timing::off);
    } else {
      event = std::move(spare_.back());
      spare_.pop_back();
    }
    event->record(stream);
    if (marks_.empty()) since_ = Clock::now();
    marks_.push_back(std::move(event));
  }
  /// How long the oldest mark has been the oldest.
  Clock::duration waiting() {
    while (!marks_.empty() && marks_.front()->reached()) {
      spare_.push_back(std::move(marks_.front()));
      marks_.pop_front();
      since_ = Clock::now();
    }
    return marks_.empty() ? Clock::duration(0) : Clock::now() - since_;
  }

 private:
  std::deque<std::unique_ptr<CudaEvent>> marks_;
  std::vector<std::unique_ptr<CudaEvent>> spare_;
  Clock::time_point since_{};
};

class Nccl final : public Communicator, StreamWatch {
 public:
  Nccl(const Environment& e, int device, const std::string& name, milliseconds limit)
      : environment_(e), device_(made_current(device)), limit_(limit) {
    ncclUniqueId id{};
    VAE_CHECK(name.size() == sizeof id.internal, "a name of NCCL has {} bytes, not {}", sizeof id.internal,
              name.size());
    std::copy(name.begin(), name.end(), id.internal);
    compute_ = compute_stream(device);
    check_cuda(cudaStreamCreateWithFlags(&beside_, cudaStreamNonBlocking), "create stream");
    flag_ = Tensor::empty({1}, DType::i64, device_);
    synchronize(device_);  // who had that memory may still be at it
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    settle(ncclCommInitRankConfig(&comm_, e.size, id, e.rank, &config), "start");
    watch_stream(device, this);
    watching_ = std::thread([this] { watch(); });
  }

  /// Not in the middle of a failure: the other ranks may never come to the end.
  ~Nccl() override {
    watch_stream(device_.index, nullptr);
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    watching_.join();
    try {
      std::uncaught_exceptions() > 0 ? abort_now() : finalize();
    } catch (const Error&) {  // it has been aborted
    }
    cudaStreamDestroy(beside_);
  }

  int rank() const override { return environment_.rank; }
  int size() const override { return environment_.size; }

  void all_reduce(const Tensor& sums) override {
    here("all_reduce", sums, [&](const Tensor& x) { reduce(x, compute_); });
  }

  void all_gather(const Tensor& own, const Tensor& all, std::span<const int64_t> rows) override {
    here("all_gather", own, [&](const Tensor& from) {
      here("all_gather", all, [&](const Tensor& to) { gather(from, to, rows); });
    });
  }

  void broadcast(const Tensor& values, int root) override {
    here("broadcast", values, [&](const Tensor& x) {
      if (x.numel() == 0) return;
      call("broadcast", compute_,
           [&] { return ncclBroadcast(x.raw(), x.raw(), x.bytes(), ncclUint8, root, comm_, compute_); });
    });
  }

  void start(const Tensor& sums) override {
    if (sums.device().is_cpu()) return all_reduce(sums);
    here("all_reduce", sums, [&](const Tensor& x) {
      use_device(device_.index);
      fork_.record(compute_);
      fork_.hold(beside_);
      reduce(x, beside_);
      begun_.push_back(x);
    });
  }

  void finish() override {
    if (begun_.empty()) return;
    use_device(device_.index);
    join_.record(beside_);
    join_.hold(compute_);
    begun_.clear();
  }

  void barrier() override { any(false); }
  bool any(bool here) override { return sum_now(here) > 0; }

  void on_first(const std::function<void()>& work) override {
    if (first())
      return work_as_first(*this, limit_, work, [this](Word word) { sum_now(static_cast<int64_t>(word)); });
    wait_for_first(*this, [this] { return static_cast<Word>(sum_now(0)); });
  }

  [[noreturn]] void abort(int exit_code) override {
    abort_now();
    ::_exit(exit_code);
  }

  void replayed() override {
    const std::lock_guard lock(mutex_);
    outstanding_.mark(compute_);
  }
  void waited() override {
    const std::lock_guard lock(mutex_);
    throw_failure();
  }

 private:
  static Device made_current(int index) {
    const Device device{DeviceType::cuda, index};
    require_device(device);
    use_device(index);
    return device;
  }

  /// Calls work(x) for a tensor of the device; what a tensor of the host holds goes there, and comes back.
  template <class Work>
  void here(const char* what, const Tensor& x, const Work& work) {
    if (x.device().is_cpu()) {
      const Tensor there = x.to(device_);
      work(there);
      return x.copy_from(there);
    }
    VAE_CHECK(x.device() == device_, "{}: {} is not for NCCL on {}", what, x.str(), device_.str());
    work(x);
  }

  void throw_failure() const {
    if (failure_) throw Error(*failure_);
  }

  /// A call of NCCL that queues work on a stream, waited for until it has done so.
  template <class Function>
  void call(const char* what, cudaStream_t stream, const Function& function) {
    {
      const std::lock_guard lock(mutex_);
      throw_failure();
      use_device(device_.index);
      settle(function(), what);
      if (!is_recording(stream)) outstanding_.mark(stream);
    }
    wait_if_asked(stream, what);
  }

  void reduce(const Tensor& sums, cudaStream_t stream) {
    if (sums.numel() == 0) return;
    call("all_reduce", stream, [&] {
      return ncclAllReduce(sums.raw(), sums.raw(), static_cast<size_t>(sums.numel()), type_of(sums), ncclSum,
                           comm_, stream);
    });
  }

  void gather(const Tensor& own, const Tensor& all, std::span<const int64_t> rows) {
    std::vector<int64_t> counts(rows.begin(), rows.end());
    if (rows.empty()) counts.assign(static_cast<size_t>(size()), own.size(0));
    const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t{0});
    VAE_CHECK(counts.size() == static_cast<size_t>(size()) && own.dtype() == all.dtype() &&
                  counts[static_cast<size_t>(rank())] == own.size(0) && total == all.size(0),
              "all_gather: {} into {} of {} rows", own.str(), all.str(), total);
    if (all.numel() == 0) return;
    const size_t row = all.bytes() / static_cast<size_t>(total);
    call("all_gather", compute_, [&] {
      if (std::equal(counts.begin() + 1, counts.end(), counts.begin()))
        return ncclAllGather(own.raw(), all.raw(), own.bytes(), ncclUint8, comm_, compute_);
      ncclGroupStart();  // each rank broadcasts its rows
      auto* to = static_cast<std::byte*>(all.raw());
      for (int root = 0; root < size(); ++root) {
        const size_t bytes = row * static_cast<size_t>(counts[static_cast<size_t>(root)]);
        if (bytes > 0)
          ncclBroadcast(root == rank() ? own.raw() : to, to, bytes, ncclUint8, root, comm_, compute_);
        to += bytes;
      }
      return ncclGroupEnd();
    });
  }

  /// The sum of a number over the ranks, on the host.
  int64_t sum_now(int64_t number) {
    use_device(device_.index);
    check_cuda(cudaMemcpyAsync(flag_.raw(), &number, sizeof number, cudaMemcpyHostToDevice, beside_),
               "copy to device");
    reduce(flag_, beside_);
    check_cuda(cudaMemcpyAsync(&number, flag_.raw(), sizeof number, cudaMemcpyDeviceToHost, beside_),
               "copy to host");
    check_cuda(cudaStreamSynchronize(beside_), "copy to host");
    waited();
    return number;
  }

  /// Polls until a call is done. Aborts and throws where it fails or takes too long. Under the lock.
  void settle(ncclResult_t status, const char* what) {
    const Clock::time_point begin = Clock::now();
    while (status == ncclInProgress) {
      if (Clock::now() - begin > limit_)
        give_up(fmt::format("not all ranks have come within {:.3g} s ({})", seconds(limit_), what),
                ErrorKind::peer);
      const ncclResult_t asked = ncclCommGetAsyncError(comm_, &status);
      if (asked != ncclSuccess) status = asked;
      if (status == ncclInProgress)
        Clock::now() - begin > milliseconds(20) ? std::this_thread::sleep_for(milliseconds(1))
                                                : std::this_thread::yield();
    }
    if (status != ncclSuccess) give_up(describe(status, what), kind_of(status));
  }

  static ErrorKind kind_of(ncclResult_t status) {
    if (status == ncclInvalidUsage) return ErrorKind::usage;
    return status == ncclRemoteError || status == ncclSystemError ? ErrorKind::peer : ErrorKind::device;
  }

  std::string describe(ncclResult_t status, const char* what) const {
    const std::string words = comm_ ? ncclGetLastError(comm_) : "";
    return fmt::format("NCCL {}: {}{}{}", what, ncclGetErrorString(status), words.empty() ? "" : ": ", words);
  }

  /// Ends what is queued; what it leaves is worth nothing, so all that comes throws the same error.
  void fail_with(const std::string& words, ErrorKind kind) {
    failure_.emplace(kind, words);
    abort_now();
  }
  [[noreturn]] void give_up(const std::string& words, ErrorKind kind) {
    fail_with(words, kind);
    throw Error(*failure_);
  }

  void abort_now() {
    if (!comm_) return;
    const Watch watch(environment_, kGrace,
                      (failure_ ? std::string(failure_->what()) + ", and " : "") + "NCCL was not ended");
    ncclCommAbort(std::exchange(comm_, nullptr));
  }

  void finalize() {
    if (!comm_) return;
    use_device(device_.index);
    settle(ncclCommFinalize(comm_), "end");
    ncclCommDestroy(std::exchange(comm_, nullptr));
  }

  /// What the watching thread does: it looks for an error that appeared, and at how long the device waits.
  void watch() {
    std::unique_lock lock(mutex_);
    const auto pause = std::clamp<milliseconds>(limit_ / 100, milliseconds(1), milliseconds(100));
    while (!changed_.wait_for(lock, pause, [this] { return ended_; })) {
      if (!comm_) return;
      try {
        use_device(device_.index);
        ncclResult_t state = ncclSuccess;
        if (const ncclResult_t asked = ncclCommGetAsyncError(comm_, &state); asked != ncclSuccess)
          state = asked;
        if (state != ncclSuccess && state != ncclInProgress)
          fail_with(describe(state, "while it works"), kind_of(state));
        else if (outstanding_.waiting() > limit_)
          fail_with(fmt::format("no answer from other ranks for {:.3g} s", seconds(limit_)), ErrorKind::peer);
      } catch (const Error& error) {  // the device is broken
        fail_with(error.what(), error.kind());
      }
    }
  }

  Environment environment_;
  Device device_;
  milliseconds limit_;
  cudaStream_t compute_ = nullptr, beside_ = nullptr;
  CudaEvent fork_{Timing::off}, join_{Timing::off};
  std::vector<Tensor> begun_;
  Tensor flag_;

  std::mutex mutex_;  // of what follows, and of the calls of NCCL
  std::condition_variable changed_;
  ncclComm_t comm_ = nullptr;
  std::optional<Error> failure_;
  Outstanding outstanding_;
  bool ended_ = false;
  std::thread watching_;
};

}  // namespace

std::string nccl_version() {
  int code = 0;
  if (ncclGetVersion(&code) != ncclSuccess) return {};
  return fmt::format("{}.{}.{}", code / 10000, code / 100 % 100, code % 100);
}

std::string nccl_name() {
  ncclUniqueId id{};
  const ncclResult_t status = ncclGetUniqueId(&id);
  if (status != ncclSuccess) fail(ErrorKind::device, "NCCL name of a run: {}", ncclGetErrorString(status));
  return {id.internal, sizeof id.internal};
}

std::unique_ptr<Communicator> connect_nccl(const Environment& e, int device, const std::string& name,
                                           milliseconds limit) {
  return std::make_unique<Nccl>(e, device, name, limit);
}

}  // namespace vae::parallel
