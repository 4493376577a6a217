#include "nn/train/interrupt.h"

#include <csignal>

namespace vae::train {
namespace {

volatile std::sig_atomic_t g_requested = 0;
struct sigaction g_old_interrupt, g_old_terminate;

}  // namespace

InterruptGuard::InterruptGuard() {
  g_requested = 0;
  struct sigaction action {};
  action.sa_handler = [](int) { g_requested = 1; };
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &g_old_interrupt);
  sigaction(SIGTERM, &action, &g_old_terminate);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &g_old_interrupt, nullptr);
  sigaction(SIGTERM, &g_old_terminate, nullptr);
}

bool InterruptGuard::requested() const { return g_requested != 0; }

}  // namespace vae::train
