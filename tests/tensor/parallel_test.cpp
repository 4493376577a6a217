// Threads that the system does not give.
#include "tensor/parallel.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tensor/file.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace vae {
namespace {

/// Ends with 7 if a thousand threads are refused as they should be.
void ask_for_threads_without_memory() {
  const rlimit limit{1 << 30, 1 << 30};  // address space for a few stacks: this binds root, too
  ::setrlimit(RLIMIT_AS, &limit);
  try {
    set_num_threads(1000);
  } catch (const Error& e) {
    const bool told = std::string(e.what()).find("of 1000 threads") != std::string::npos;
    ::_exit(told && e.kind() == ErrorKind::device ? 7 : 1);
  }
  ::_exit(2);
}

TEST(Threads, ThatTheSystemDoesNotGiveAreAnError) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer needs the address space that this test takes away";
#endif
  EXPECT_EXIT(ask_for_threads_without_memory(), testing::ExitedWithCode(7), "");
}

TEST(Threads, AreAsManyAsWasSaid) {
  const int before = num_threads();
  {
    const ThreadsScope three(3);
    EXPECT_EQ(num_threads(), 3);
  }
  EXPECT_EQ(num_threads(), before);
}

}  // namespace
}  // namespace vae
