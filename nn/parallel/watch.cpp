#include "nn/parallel/watch.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "tensor/error.h"

namespace vae::parallel {

Watch::Watch(const Environment& e, std::chrono::milliseconds limit, std::string what)
    : thread_([=, this, rank = e.rank, size = e.size, what = std::move(what)] {
        std::unique_lock lock(mutex_);
        // The lowest rank that is left speaks first, and its end is that of the others, a second later.
        const auto until =
            std::chrono::steady_clock::now() + limit + std::min(rank, 6) * std::chrono::milliseconds(1500);
        if (done_.wait_until(lock, until, [this] { return is_done_; })) return;
        // A process that was stopped comes late: it is the one that the others have given up.
        if (std::chrono::steady_clock::now() < until + std::chrono::seconds(1))
          std::fprintf(stderr, "error: rank %d of %d: %s within %.3g s\n", rank, size, what.c_str(),
                       std::chrono::duration<double>(limit).count());
        ::_exit(static_cast<int>(ErrorKind::peer));
      }) {}

Watch::~Watch() {
  {
    const std::lock_guard lock(mutex_);
    is_done_ = true;
  }
  done_.notify_all();
  thread_.join();
}

}  // namespace vae::parallel
