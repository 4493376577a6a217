#pragma once
// The ranks that a test program runs on.
#include <exception>

#include "tensor/communicator.h"

namespace vae::test {

/// Those that mpirun has started.
parallel::Communicator& world();

/// The same, handed on: for tests that change or watch some of its functions.
class World : public parallel::Communicator {
 public:
  int rank() const override { return world().rank(); }
  int size() const override { return world().size(); }
  void all_reduce(const Tensor& sums) override { world().all_reduce(sums); }
  void all_gather(const Tensor& own, const Tensor& all, std::span<const int64_t> rows) override {
    world().all_gather(own, all, rows);
  }
  void broadcast(const Tensor& values, int root) override { world().broadcast(values, root); }
  void start(const Tensor& sums) override { world().start(sums); }
  void finish() override { world().finish(); }
  void barrier() override { world().barrier(); }
  bool any(bool here) override { return world().any(here); }
  void on_first(const std::function<void()>& work) override { world().on_first(work); }
  [[noreturn]] void abort(int exit_code) override {
    world().abort(exit_code);
    std::terminate();
  }
};

}  // namespace vae::test
