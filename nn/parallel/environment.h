#pragma once
// What the launcher of a parallel run says to each process through environment variables.
#include <functional>
#include <string>

namespace vae::parallel {

/// This process among those of its run, and among those on its machine.
struct Environment {
  int rank = 0, size = 1, local_rank = 0;
  std::string launcher{};  ///< "mpirun", "srun", "torchrun"; empty: started alone
  bool has_mpi = false;    ///< the launcher serves MPI
  bool alone() const { return size == 1; }
};

/// The value of a variable, or null.
using Variables = std::function<const char*(const char* name)>;

/// Open MPI's (OMPI_COMM_WORLD_*), those of MPICH and its relatives (PMI_*), of a step of SLURM (SLURM_*;
/// PMIX_RANK says that it serves Open MPI), or RANK, WORLD_SIZE and LOCAL_RANK; the first that are there.
/// Throws Error(usage) where they contradict one another.
Environment read_environment(const Variables& variables);
/// Those of this process.
Environment environment();

}  // namespace vae::parallel
