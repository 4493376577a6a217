// What launchers say to their processes.
#include "nn/parallel/environment.h"

#include <gtest/gtest.h>

#include <map>

#include "nn/parallel/connect.h"
#include "tests/expect_error.h"

namespace vae::parallel {
namespace {

using Values = std::map<std::string, std::string>;

Environment of(const Values& values) {
  return read_environment([&](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? nullptr : found->second.c_str();
  });
}

void expect_environment(const Values& values, const Environment& expected) {
  const Environment e = of(values);
  EXPECT_EQ(e.rank, expected.rank);
  EXPECT_EQ(e.size, expected.size);
  EXPECT_EQ(e.local_rank, expected.local_rank);
  EXPECT_EQ(e.launcher, expected.launcher);
  EXPECT_EQ(e.has_mpi, expected.has_mpi);
}

TEST(Environment, IsOfOneProcessByDefault) {
  expect_environment({}, {0, 1, 0, "", false});
  EXPECT_TRUE(of({}).alone());
}

TEST(Environment, OfEachLauncher) {
  const Values torchrun{{"RANK", "5"}, {"WORLD_SIZE", "8"}, {"LOCAL_RANK", "1"}};
  expect_environment(torchrun, {5, 8, 1, "torchrun", false});
  Values slurm{{"SLURM_PROCID", "3"}, {"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_LOCALID", "2"}};
  expect_environment(slurm, {3, 4, 2, "srun", false});
  slurm["PMIX_RANK"] = "3";
  expect_environment(slurm, {3, 4, 2, "srun", true});
  expect_environment({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "0"}},
                     {1, 2, 0, "mpirun", true});
  Values open_mpi{
      {"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "3"}, {"OMPI_COMM_WORLD_LOCAL_RANK", "0"}};
  open_mpi.insert(torchrun.begin(), torchrun.end());  // the innermost launcher is mpirun
  expect_environment(open_mpi, {2, 3, 0, "mpirun", true});
}

// A batch script is one process, whatever the size of its allocation.
TEST(Environment, OfABatchScriptOfSlurmIsOfOneProcess) {
  EXPECT_TRUE(of({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "16"}, {"SLURM_LOCALID", "0"}}).alone());
}

TEST(Environment, ThatContradictsItselfIsRefused) {
  test::expect_error(ErrorKind::usage, "the environment has RANK=4 of WORLD_SIZE=4", [] {
    of({{"RANK", "4"}, {"WORLD_SIZE", "4"}});
  });
  test::expect_error(ErrorKind::usage,
                     "the environment has WORLD_SIZE='four', which is no number of a process", [] {
                       of({{"RANK", "4"}, {"WORLD_SIZE", "four"}});
                     });
}

TEST(Connect, OfAProcessAloneIsSelf) {
  const auto self = connect({}, {});
  EXPECT_TRUE(self->alone() && self->first());
  EXPECT_FALSE(self->any(false));
  int calls = 0;
  self->on_first([&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(Connect, NeedsALauncherWithMpiOnCpus) {
  test::expect_error(ErrorKind::usage, "torchrun", [] { connect({1, 2, 1, "torchrun", false}, {}); });
}

TEST(Scope, NamesTheCommunicatorOfAThread) {
  EXPECT_TRUE(current().alone());
  Self inner;
  {
    const Scope scope(inner);
    EXPECT_EQ(&current(), &inner);
    const Alone alone;
    EXPECT_NE(&current(), &inner);
  }
  EXPECT_NE(&current(), &inner);
  EXPECT_EQ(of_statistics(), nullptr);
}

}  // namespace
}  // namespace vae::parallel
