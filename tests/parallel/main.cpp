// A test program of several ranks: every rank runs every test. Rank 0 reports as usual, the others what
// fails.
#include <gtest/gtest.h>

#include <cstdio>

#include "nn/parallel/connect.h"
#include "tests/parallel/ranks.h"

namespace vae {
namespace {

parallel::Communicator* the_world = nullptr;

class Failures : public testing::EmptyTestEventListener {
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.failed())
      std::printf("rank %d: %s:%d: %s\n", the_world->rank(), result.file_name() ? result.file_name() : "",
                  result.line_number(), result.message());
  }
};

int run_all() {
  const auto world =
      parallel::connect(parallel::environment(), {.device = kCpu, .limit = std::chrono::seconds(20)});
  the_world = world.get();
  if (world->alone()) return std::puts("started alone: these tests are for mpirun"), 1;
  if (!world->first()) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new Failures);
  }
  return RUN_ALL_TESTS();
}

}  // namespace

parallel::Communicator& test::world() { return *the_world; }

}  // namespace vae

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return vae::run_all();
}
