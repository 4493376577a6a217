#pragma once
// The model's NCCL: ranks are threads of one process, each with a device of its own. Collectives are queued
// on streams; a rank's stream waits at one until all ranks' streams have come to it.
#include <nccl.h>

#include <optional>

#include "kernels/model/library.h"
#include "kernels/model/state.h"

namespace vae::model::comm {

/// A call of a collective as one rank makes it.
struct Collective {
  const char* function = "";
  const void* send = nullptr;
  void* receive = nullptr;
  size_t count = 0;
  ncclDataType_t type = ncclFloat32;
  int root = -1;  ///< of a broadcast
  bool recorded = false;
};

/// Bytes of an element; 0 for a type that the model has not.
size_t bytes_of(ncclDataType_t type);
/// Bytes that a rank gives, and gets, of so many ranks.
size_t bytes_sent(const Collective& call);
size_t bytes_received(const Collective& call, int ranks);

/// One collective of all ranks, as far as they have come.
struct Round {
  struct Part {
    Collective call;
    Work work;
    cudaStream_t stream = nullptr;
    bool arrived = false;  ///< its stream has come to it
  };
  std::vector<std::optional<Part>> parts;
  bool done = false;
};

/// The ranks that have been given one id. Those that have not come are null.
struct Clique {
  std::vector<ncclComm*> members;
  std::map<uint64_t, std::shared_ptr<Round>> rounds;  ///< that are not done, by number
};

enum class State { joining, ready, finalizing, finalized, aborted, destroyed };

/// Moves the data of a round at which all ranks have arrived.
void transfer(Round& round);
/// What a rank's stream meets when it comes to a collective.
Gate arrive(ncclComm* comm, const Collective& call, Work work, cudaStream_t stream);

/// An error that appears in the communicators of a rank while nobody calls them; their collectives do not end
/// any more.
void break_connection(int rank, ncclResult_t error);

/// While it lives, ncclCommAbort() does not return.
class StuckAborts {
 public:
  StuckAborts();
  ~StuckAborts();
};

}  // namespace vae::model::comm

struct ncclComm {
  std::shared_ptr<vae::model::comm::Clique> clique;
  int rank = 0, device = 0;
  bool blocking = true;
  vae::model::comm::State state = vae::model::comm::State::joining;
  ncclResult_t error = ncclSuccess;  ///< that appeared meanwhile
  std::string words;                 ///< of the last error
  std::function<void()> pending{};   ///< what the last call left to do,
  int polls = 0;                     ///< and how often its state is asked for until that is done
  uint64_t next = 0;                 ///< number of the next collective
  std::shared_ptr<int> recorded = std::make_shared<int>();  ///< shared with the graphs that hold calls of it
};
