#include "kernels/simt/machine.h"

#include <algorithm>
#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <string_view>
#include <vector>

#include "kernels/simt/dry_run.h"

namespace vae::simt {
namespace {

constexpr int kWarp = 32;
constexpr size_t kMaxThreads = 1024;       // of a block
constexpr size_t kStackBytes = 64 * 1024;  // of a fiber, which also ends at a guard page

struct Worker;

enum class State : uint8_t { ready, at_block, at_warp, exited };

struct Thread {
  dim3 index;
  State state = State::ready;
  Worker* worker = nullptr;   // on which it waits
  const char* function = "";  // in which it waits,
  Site site;                  // and where
  WarpCall call;
  uint64_t result = 0;
};

/// A stack that waits: a worker's, or that of the machine.
struct Stack {
  boost::context::fiber rest;
  static inline Stack* left = nullptr;  // the one that was left last
  /// Goes on with another stack; returns when one goes on with this.
  void switch_to(Stack& other) {
    left = this;
    boost::context::fiber rest_of_left = std::move(other.rest).resume();
    left->rest = std::move(rest_of_left);
  }
};

/// Runs threads to their end, one after the other, until one of them waits. So a kernel without barriers
/// needs one worker and no switches.
struct Worker : Stack {
  template <class Body>
  explicit Worker(Body body)
      : Stack{{std::allocator_arg, boost::context::protected_fixedsize_stack(kStackBytes),
               [this, body](boost::context::fiber&& rest_of_left) -> boost::context::fiber {
                 left->rest = std::move(rest_of_left);
                 for (;;) body(*this);
               }}} {}
};

std::string name_of(dim3 i) { return fmt::format("({},{},{})", i.x, i.y, i.z); }

std::string place(Site site) {
  const std::string_view file = site.file_name();
  return fmt::format("{}:{}", file.substr(file.rfind('/') + 1), site.line());
}

bool same_place(Site a, Site b) {
  if (std::memcmp(&a, &b, sizeof a) == 0) return true;
  return a.line() == b.line() && a.column() == b.column() &&
         (a.file_name() == b.file_name() || std::string_view(a.file_name()) == b.file_name());
}

class Machine {
 public:
  void run(const char* kernel, dim3 grid, dim3 block, const std::function<void()>& body);
  void wait(State state, const char* function, Site site) {
    Thread& thread = *current_;
    thread.state = state;
    thread.function = function;
    thread.site = site;
    thread.worker->switch_to(next_stack());
  }
  uint64_t warp_operation(const WarpCall& call, Site site) {
    current_->call = call;
    wait(State::at_warp, call.function, site);
    return current_->result;
  }
  void set_order(Order order, uint64_t seed) { order_ = order, random_.seed(seed); }

  Thread* current() { return current_; }
  int number_of(const Thread& thread) const { return static_cast<int>(&thread - threads_.data()); }
  const char* kernel() const { return kernel_; }
  Moment now(Site site) const {
    const int i = number_of(*current_);
    return {i, block_, epoch_, warp_epochs_[static_cast<size_t>(i / kWarp)], site};
  }
  std::string name_of_thread(int i) const { return name_of(threads_[static_cast<size_t>(i)].index); }
  std::unordered_map<const void*, int64_t> launches;

 private:
  void run_block();
  void run_new_threads(Worker& worker);
  void work(Worker& worker);
  Stack& next_stack();
  void go_on();
  bool release_warps();
  bool release_warp_group(size_t first_of_warp, const Thread& leader);
  void give_results(size_t first_of_warp, const Thread& leader);
  bool release_block();
  [[noreturn]] void diverged() const;
  std::vector<size_t> in_order(size_t n);

  const char* kernel_ = "";
  const std::function<void()>* body_ = nullptr;
  std::vector<Thread> threads_;
  Thread* current_ = nullptr;
  Stack stack_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;
  std::exception_ptr failure_;
  Order order_ = Order::forward;
  std::mt19937_64 random_;
  std::vector<size_t> turns_;  // the threads of a block in the order of their turns
  size_t next_ = 0;            // of turns_: the first thread that has not begun
  size_t resumed_ = 0;         // of turns_: threads before it had their turn since the last barrier
  int64_t block_ = 0, epoch_ = 0;
  std::vector<int64_t> warp_epochs_ = std::vector<int64_t>(kMaxThreads / kWarp);
};

Machine& machine() {
  static auto* machine = new Machine;
  return *machine;
}

std::vector<size_t> Machine::in_order(size_t n) {
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  if (order_ == Order::backward) std::reverse(order.begin(), order.end());
  if (order_ == Order::shuffled) std::shuffle(order.begin(), order.end(), random_);
  return order;
}

void Machine::run(const char* kernel, dim3 grid, dim3 block, const std::function<void()>& body) {
  const size_t n = size_t{block.x} * block.y * block.z;
  if (n == 0 || n > kMaxThreads) fail(ErrorKind::device, "simt kernel {}: a block of {} threads", kernel, n);
  if (threads_.size() != n || blockDim != block) {
    threads_.assign(n, {});
    for (size_t i = 0; i < n; ++i)
      threads_[i].index =
          dim3(static_cast<unsigned>(i) % block.x, static_cast<unsigned>(i) / block.x % block.y,
               static_cast<unsigned>(i) / (block.x * block.y));
  }
  kernel_ = kernel, body_ = &body, gridDim = grid, blockDim = block;
  for (const size_t b : in_order(size_t{grid.x} * grid.y * grid.z)) {
    blockIdx = dim3(static_cast<unsigned>(b % grid.x), static_cast<unsigned>(b / grid.x % grid.y),
                    static_cast<unsigned>(b / grid.x / grid.y));
    try {
      run_block();
    } catch (...) {
      idle_.clear(), workers_.clear();  // unwinds the threads that still wait
      failure_ = nullptr;
      throw;
    }
  }
}

void Machine::run_block() {
  ++block_, ++epoch_;
  for (Thread& thread : threads_) thread.state = State::ready;
  turns_ = in_order(threads_.size());
  next_ = 0, resumed_ = turns_.size();
  while (next_ < turns_.size()) {
    if (idle_.empty()) {
      workers_.push_back(std::make_unique<Worker>([this](Worker& worker) { work(worker); }));
      idle_.push_back(workers_.back().get());
    }
    go_on();
  }
  while (release_warps() || release_block()) {
    resumed_ = 0;
    go_on();
  }
}

/// On the worker's stack.
void Machine::run_new_threads(Worker& worker) {
  try {
    while (next_ < turns_.size()) {
      current_ = &threads_[turns_[next_++]];
      current_->worker = &worker;
      threadIdx = current_->index;
      (*body_)();
      current_->state = State::exited;
    }
  } catch (const std::exception&) {
    failure_ = std::current_exception();
  }
}

/// On the worker's stack.
void Machine::work(Worker& worker) {
  run_new_threads(worker);
  idle_.push_back(&worker);
  worker.switch_to(failure_ ? stack_ : next_stack());
}

/// That of the thread whose turn is next; the machine's where all have had theirs.
Stack& Machine::next_stack() {
  if (next_ < turns_.size()) {
    if (idle_.empty()) return stack_;
    Worker& worker = *idle_.back();
    idle_.pop_back();
    return worker;
  }
  while (resumed_ < turns_.size()) {
    Thread& thread = threads_[turns_[resumed_++]];
    if (thread.state != State::ready) continue;
    current_ = &thread;
    threadIdx = thread.index;
    return *thread.worker;
  }
  return stack_;
}

/// Gives the threads their turns until none can go on.
void Machine::go_on() {
  Stack& next = next_stack();
  if (&next != &stack_) stack_.switch_to(next);
  if (failure_) std::rethrow_exception(failure_);
}

/// Lets warps go whose threads have all arrived; says whether there were any.
bool Machine::release_warps() {
  bool released = false;
  for (size_t begin = 0; begin < threads_.size(); begin += kWarp)
    for (size_t i = begin; i < std::min(begin + kWarp, threads_.size()); ++i)
      if (threads_[i].state == State::at_warp) released |= release_warp_group(begin, threads_[i]);
  return released;
}

bool Machine::release_warp_group(size_t begin, const Thread& leader) {
  const uint32_t mask = leader.call.mask;
  const size_t end = std::min(begin + kWarp, threads_.size());
  for (size_t i = begin; i < end; ++i) {
    if (!(mask >> (i - begin) & 1)) continue;
    const Thread& thread = threads_[i];
    if (thread.state != State::at_warp || thread.call.mask != mask || !same_place(thread.site, leader.site))
      return false;
  }
  give_results(begin, leader);
  bool whole = true;
  for (size_t i = begin; i < end; ++i) {
    if (mask >> (i - begin) & 1)
      threads_[i].state = State::ready;
    else
      whole = false;
  }
  if (whole && leader.call.kind == WarpCall::Kind::sync) ++warp_epochs_[begin / kWarp];
  return true;
}

void Machine::give_results(size_t begin, const Thread& leader) {
  const size_t end = std::min(begin + kWarp, threads_.size());
  const uint32_t mask = leader.call.mask;
  uint64_t ballot = 0;
  for (size_t i = begin; i < end; ++i)
    if ((mask >> (i - begin) & 1) && threads_[i].call.value) ballot |= uint64_t{1} << (i - begin);
  for (size_t i = begin; i < end; ++i) {
    Thread& thread = threads_[i];
    if (!(mask >> (i - begin) & 1)) continue;
    thread.result = ballot;
    if (thread.call.kind != WarpCall::Kind::shuffle) continue;
    const size_t source = begin + static_cast<size_t>(thread.call.source);
    if (source >= end || !(mask >> thread.call.source & 1)) {
      current_ = &thread;
      fault(thread.site,
            fmt::format("{} reads lane {}, which takes no part", thread.function, thread.call.source));
    }
    thread.result = threads_[source].call.value;
  }
}

/// Lets the block go if all its threads have arrived; false if all have ended. Throws if they have diverged.
bool Machine::release_block() {
  const Thread& first = threads_.front();
  const auto together = [&](const Thread& thread) {
    return thread.state == first.state &&
           (first.state == State::exited ||
            (first.state == State::at_block && same_place(thread.site, first.site)));
  };
  if (!std::all_of(threads_.begin(), threads_.end(), together)) diverged();
  if (first.state == State::exited) return false;
  ++epoch_;
  for (Thread& thread : threads_) thread.state = State::ready;
  return true;
}

/// Names a thread that waits and one that it waits for in vain.
void Machine::diverged() const {
  const auto where = [](const Thread& thread) {
    if (thread.state == State::exited) return std::string("has ended");
    return fmt::format("is in {} at {}", thread.function, place(thread.site));
  };
  const auto waits_for = [&](const Thread& a, const Thread& b) {
    if (b.state == a.state && same_place(a.site, b.site) &&
        (a.state == State::at_block || a.call.mask == b.call.mask))
      return false;
    if (a.state == State::at_block)
      return b.state != State::at_warp || number_of(a) / kWarp != number_of(b) / kWarp;
    return a.state == State::at_warp && number_of(a) / kWarp == number_of(b) / kWarp &&
           (a.call.mask >> (number_of(b) % kWarp) & 1);
  };
  // A warp that cannot go on is the cause, a block that waits for it the consequence.
  for (const State state : {State::at_warp, State::at_block})
    for (const Thread& a : threads_)
      for (const Thread& b : threads_)
        if (a.state == state && waits_for(a, b))
          fail(ErrorKind::device, "simt kernel {}, block {}: threads diverge: thread {} {}, thread {} {}",
               kernel_, name_of(blockIdx), name_of(a.index), where(a), name_of(b.index), where(b));
  fail(ErrorKind::internal, "simt kernel {}: threads wait for nothing", kernel_);
}

}  // namespace

void set_order(Order order, uint64_t seed) { machine().set_order(order, seed); }

const std::unordered_map<const void*, int64_t>& launches() { return machine().launches; }

void run(const char* kernel, const void* address, dim3 grid, dim3 block,
         const std::function<void()>& thread) {
  if (counted()) return;
  static auto* mutex = new std::mutex;  // keeps other host threads out
  const std::lock_guard lock(*mutex);
  ++machine().launches[address];
  machine().run(kernel, grid, block, thread);
}

Moment now(Site site) { return machine().now(site); }

bool unordered(const Moment& earlier, const Moment& later) {
  return earlier.epoch == later.epoch && earlier.thread != later.thread &&
         (earlier.thread / kWarp != later.thread / kWarp || earlier.warp_epoch == later.warp_epoch);
}

bool in_one_warp(const Moment& a, const Moment& b) {
  return a.epoch == b.epoch && a.warp_epoch == b.warp_epoch && a.thread / kWarp == b.thread / kWarp;
}

std::string describe(const Moment& moment) {
  return fmt::format("thread {} at {}", machine().name_of_thread(moment.thread), place(moment.site));
}

void fault(Site site, const std::string& what) {
  fail(ErrorKind::device, "simt kernel {}, block {}, thread {}, {}: {}", machine().kernel(),
       name_of(blockIdx), name_of(machine().current()->index), place(site), what);
}

void block_barrier(const char* function, Site site) { machine().wait(State::at_block, function, site); }

uint64_t warp_operation(const WarpCall& call, Site site) { return machine().warp_operation(call, site); }

int lane() { return machine().number_of(*machine().current()) % kWarp; }

}  // namespace vae::simt
