#include "nn/parallel/environment.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "tensor/error.h"

namespace vae::parallel {
namespace {

/// The variables of one launcher.
struct Launcher {
  const char *name, *rank, *size, *local_rank;
  const char* serves_mpi;  ///< a variable that is there where it does
};

// SLURM_NTASKS is set in a batch script, too, which is one process; SLURM_STEP_NUM_TASKS in steps of srun.
constexpr Launcher kLaunchers[] = {
    {"mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_RANK"},
    {"mpirun", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "PMI_RANK"},
    {"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "PMIX_RANK"},
    {"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", nullptr}};

int number(const char* name, const char* text) {
  const std::string_view all = text;
  int value = 0;
  const auto [end, error] = std::from_chars(all.data(), all.data() + all.size(), value);
  if (error != std::errc() || end != all.data() + all.size() || value < 0)
    fail(ErrorKind::usage, "the environment has {}='{}', which is no number of a process", name, text);
  return value;
}

}  // namespace

Environment read_environment(const Variables& variables) {
  for (const Launcher& l : kLaunchers) {
    const char *rank = variables(l.rank), *size = variables(l.size), *local = variables(l.local_rank);
    if (!rank || !size) continue;
    Environment e{.rank = number(l.rank, rank), .size = number(l.size, size), .launcher = l.name};
    e.local_rank = local ? number(l.local_rank, local) : e.rank;
    if (e.size < 1 || e.rank >= e.size)
      fail(ErrorKind::usage, "the environment has {}={} of {}={}", l.rank, rank, l.size, size);
    e.has_mpi = l.serves_mpi && variables(l.serves_mpi);
    return e;
  }
  return {};
}

Environment environment() { return read_environment(&std::getenv); }

}  // namespace vae::parallel
