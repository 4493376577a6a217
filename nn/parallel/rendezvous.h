#pragma once
// How the processes of a run find each other where no MPI does it: through a port of rank 0's machine, or
// through a file that all of them see. What is spread is small: the name under which NCCL connects them.
#include <chrono>
#include <filesystem>
#include <string>

#include "nn/parallel/environment.h"

namespace vae::parallel {

/// Where processes meet, and the token that tells those of one run from those of another.
struct Meeting {
  std::string host{};
  int port = 0;
  std::filesystem::path file{};  ///< instead of host and port
  std::string token{};           ///< without white space
  /// "node1:29500" or the file.
  std::string place() const;
};

/// MASTER_ADDR and MASTER_PORT; the port above where torchrun itself serves that one
/// (TORCHELASTIC_USE_AGENT_STORE). Else VAE_MEETING_FILE. The token is VAE_MEETING_TOKEN, or the name that
/// torchrun (TORCHELASTIC_RUN_ID) or SLURM (SLURM_JOB_ID and SLURM_STEP_ID) gives the run; a file needs one.
/// Throws Error(usage) where that is missing or makes no sense.
Meeting read_meeting(const Variables& variables);

/// Gives the text of rank 0 to all ranks. Throws Error(peer) where ranks do not come within the limit, or
/// where someone else sits at the place; Error(usage) where rank 0 cannot listen there; Error(io) for a file
/// that cannot be written.
std::string spread(const std::string& text, const Meeting& meeting, const Environment& environment,
                   std::chrono::milliseconds limit);

}  // namespace vae::parallel
