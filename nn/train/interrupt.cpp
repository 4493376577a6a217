#include "nn/train/interrupt.h"

#include <array>
#include <atomic>
#include <csignal>
#include <ctime>

namespace vae::train {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP, SIGUSR1};
constexpr int64_t kSameRequest = 1'000'000'000;  // ns

int g_depth = 0;
std::atomic<int64_t> g_first{0};  // when the first signal came, ns; 0: none yet
static_assert(std::atomic<int64_t>::is_always_lock_free);
std::array<struct sigaction, kSignals.size()> g_old;

// The handler has a stack of its own. oneDNN's generated code uses the stack pointer as one more register, so
// the frame of a signal that arrives within a matrix product would be written into the middle of the heap.
std::array<char, 65536> g_stack;
stack_t g_old_stack;

int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec + 1;
}

void handle(int signal) {
  const int64_t time = now();
  int64_t first = 0;
  if (g_first.compare_exchange_strong(first, time) || time - first < kSameRequest) return;
  std::signal(signal, SIG_DFL);
  std::raise(signal);  // delivered when the handler returns
}

}  // namespace

InterruptGuard::InterruptGuard() {
  if (g_depth++ > 0) return;
  g_first = 0;
  stack_t stack{};
  stack.ss_sp = g_stack.data();
  stack.ss_size = g_stack.size();
  sigaltstack(&stack, &g_old_stack);
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &g_old[i]);
    if (g_old[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

InterruptGuard::~InterruptGuard() {
  if (--g_depth > 0) return;
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &g_old[i], nullptr);
  sigaltstack(&g_old_stack, nullptr);
}

bool InterruptGuard::requested() const { return g_first != 0; }

}  // namespace vae::train
