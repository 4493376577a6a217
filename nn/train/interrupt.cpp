#include "nn/train/interrupt.h"

#include <array>
#include <csignal>

namespace vae::train {
namespace {

volatile std::sig_atomic_t g_requested = 0;
struct sigaction g_old_interrupt, g_old_terminate;

// The handler has a stack of its own. oneDNN's generated code uses the stack pointer as one more register, so
// the frame of a signal that arrives within a matrix product would be written into the middle of the heap.
std::array<char, 65536> g_stack;
stack_t g_old_stack;

}  // namespace

InterruptGuard::InterruptGuard() {
  g_requested = 0;
  stack_t stack{};
  stack.ss_sp = g_stack.data();
  stack.ss_size = g_stack.size();
  sigaltstack(&stack, &g_old_stack);
  struct sigaction action {};
  action.sa_handler = [](int) { g_requested = 1; };
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND | SA_ONSTACK);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &g_old_interrupt);
  sigaction(SIGTERM, &action, &g_old_terminate);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &g_old_interrupt, nullptr);
  sigaction(SIGTERM, &g_old_terminate, nullptr);
  sigaltstack(&g_old_stack, nullptr);
}

bool InterruptGuard::requested() const { return g_requested != 0; }

}  // namespace vae::train
