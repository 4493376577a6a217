// The model's NCCL: communicators and the calls for them. Rules: the NCCL user guide on thread safety,
// groups, fault tolerance and CUDA graphs.
#include "kernels/model/nccl.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>

using namespace vae::model;
using namespace vae::model::comm;

namespace {

constexpr int kPolls = 2;  // of a communicator's state, until a call that did not block is done

Living<ncclComm>& communicators() {
  static auto* all = new Living<ncclComm>;
  return *all;
}

std::map<std::string, std::shared_ptr<Clique>>& cliques() {
  static auto* cliques = new std::map<std::string, std::shared_ptr<Clique>>;
  return *cliques;
}

/// What a thread has called since ncclGroupStart().
struct Group {
  int depth = 0;
  std::vector<std::pair<ncclComm_t, std::function<void()>>> calls;
};
thread_local Group t_group;

std::vector<ncclComm_t>& known() {
  static auto* known = new std::vector<ncclComm_t>;
  return *known;
}

int g_stuck = 0;

/// Notes a broken rule in a call for a communicator.
ncclResult_t refuse(ncclComm_t comm, const char* function, const std::string& sentence,
                    ncclResult_t status = ncclInvalidUsage) {
  if (comm) comm->words = sentence;
  return violation(function, sentence, status);
}

/// A communicator may be asked for its state, or aborted, unless it has ended.
ncclResult_t usable(ncclComm_t comm, const char* function) {
  if (!communicators().has(comm))
    return refuse(nullptr, function, "there is no such communicator", ncclInvalidArgument);
  if (comm->state == State::aborted) return refuse(comm, function, "the communicator was aborted");
  if (comm->state == State::destroyed) return refuse(comm, function, "the communicator was destroyed");
  return ncclSuccess;
}

/// Whether it may communicate.
ncclResult_t ready(ncclComm_t comm, const char* function) {
  if (const ncclResult_t status = usable(comm, function); status != ncclSuccess) return status;
  if (comm->error != ncclSuccess) return comm->error;
  if (comm->state == State::joining)
    return refuse(comm, function, "the communicator is not ready, nobody has waited for it");
  if (comm->state != State::ready) return refuse(comm, function, "the communicator was finalized");
  if (comm->pending)
    return refuse(comm, function, "the call before is in progress, nobody has waited for it");
  return ncclSuccess;
}

/// Waits, the lock given back, for other threads; at most for VAE_MODEL_PATIENCE seconds.
template <class Condition>
ncclResult_t wait_for(ncclComm_t comm, const char* function, const Condition& condition) {
  const char* seconds = std::getenv("VAE_MODEL_PATIENCE");
  const std::chrono::duration<double> patience(seconds ? std::atof(seconds) : 60);
  if (changed().wait_for(mutex(), patience, condition)) return comm->error;
  return refuse(comm, function, "waits for a rank that does not come");
}

/// All ranks are there: they are ready, unless two have one device.
void complete(const Clique& clique) {
  for (const ncclComm* comm : clique.members)
    if (!comm) return;
  for (ncclComm* comm : clique.members) {
    for (const ncclComm* other : clique.members)
      if (other != comm && other->device == comm->device) {
        comm->error = ncclInvalidUsage;
        comm->words = fmt::format("Duplicate GPU detected : rank {} and rank {} both on CUDA device {}",
                                  comm->rank, other->rank, comm->device);
      }
    if (comm->state == State::joining && comm->error == ncclSuccess) comm->state = State::ready;
  }
  changed().notify_all();
}

ncclResult_t join(const char* function, ncclComm_t* comm, int ranks, const ncclUniqueId& id, int rank,
                  bool blocking) {
  if (t_group.depth > 0) return refuse(nullptr, function, "ranks of one thread are not in the model");
  if (!comm || ranks < 1 || rank < 0 || rank >= ranks) return ncclInvalidArgument;
  const auto found = cliques().find(std::string(id.internal, sizeof id.internal));
  if (found == cliques().end()) return refuse(nullptr, function, "nobody made this id");
  Clique& clique = *found->second;
  if (clique.members.empty()) clique.members.resize(static_cast<size_t>(ranks));
  if (clique.members.size() != static_cast<size_t>(ranks))
    return refuse(nullptr, function, fmt::format("{} ranks, others said {}", ranks, clique.members.size()));
  ncclComm_t& member = clique.members[static_cast<size_t>(rank)];
  if (member) return refuse(nullptr, function, fmt::format("rank {} has come before", rank));
  member = *comm = communicators().make();
  known().push_back(member);
  member->clique = found->second;
  member->rank = rank, member->device = current_device(), member->blocking = blocking;
  complete(clique);
  if (!blocking) return ncclInProgress;
  return wait_for(member, function,
                  [member] { return member->state != State::joining || member->error != ncclSuccess; });
}

/// Does the work of calls now, or leaves it to the polls of a communicator that does not block.
ncclResult_t carry_out(ncclComm_t comm, std::function<void()> work) {
  if (comm->blocking) return work(), comm->error;
  comm->pending = std::move(work), comm->polls = kPolls;
  return ncclInProgress;
}

std::string fault_among(const ncclComm& comm, const Collective& call) {
  const size_t sent = bytes_sent(call),
               received = bytes_received(call, static_cast<int>(comm.clique->members.size()));
  const bool gives = call.root < 0 || call.root == comm.rank;
  if (gives)
    if (std::string fault = fault_of(Operand{call.send, sent, "what is sent"}, comm.device); !fault.empty())
      return fault;
  if (std::string fault = fault_of(Operand{call.receive, received, "what is received"}, comm.device);
      !fault.empty())
    return fault;
  const auto *from = static_cast<const std::byte*>(call.send), *to = static_cast<std::byte*>(call.receive);
  const std::byte* in_place = received == sent ? to : to + static_cast<size_t>(comm.rank) * sent;
  if (gives && from != in_place && from < to + received && to < from + sent)
    return "what is sent overlaps what is received, not in place";
  for (const void* pointer : {call.send, static_cast<const void*>(call.receive)})
    if (reinterpret_cast<uintptr_t>(pointer) % bytes_of(call.type))
      return "an address is not aligned to its type";
  return "";
}

/// Queues a collective, or records it.
ncclResult_t submit(ncclComm_t comm, Collective call, cudaStream_t handle) {
  if (const ncclResult_t status = ready(comm, call.function); status != ncclSuccess) return status;
  const int ranks = static_cast<int>(comm->clique->members.size());
  if (bytes_of(call.type) == 0 || call.root >= ranks) return ncclInvalidArgument;
  cudaStream_t stream = resolve(handle);
  if (!stream || stream->device != comm->device)
    return refuse(comm, call.function, fmt::format("a stream of another device than {}", comm->device),
                  ncclInvalidArgument);
  if (const std::string fault = fault_among(*comm, call); !fault.empty())
    return refuse(comm, call.function, fault, ncclInvalidArgument);
  if (stream->capture && stream->capture->mode == cudaStreamCaptureModeGlobal)
    return refuse(comm, call.function,
                  "the capture forbids other threads their calls: it is to be thread-local");
  const auto work = [comm, call, stream]() mutable {
    call.recorded = stream->capture != nullptr;
    auto piece = std::make_shared<Piece>(*piece_of(
        comm->device, call.function,
        {{call.send, call.root < 0 || call.root == comm->rank ? bytes_sent(call) : 0, "what is sent"},
         {call.receive, bytes_received(call, static_cast<int>(comm->clique->members.size())),
          "what is received"}},
        [] {}));
    const std::weak_ptr<Piece> self = piece;
    piece->arrive = [comm, call, self,
                     holds = call.recorded ? comm->recorded : nullptr](cudaStream_t on) -> Gate {
      if (comm->state == State::ready) return comm::arrive(comm, call, self.lock(), on);
      violate(fmt::format("{}: a graph calls a communicator that has ended", call.function));
      return [] { return true; };
    };
    if (queue_on(stream, piece) != cudaSuccess) comm->error = ncclUnhandledCudaError;
  };
  if (t_group.depth > 0) {
    t_group.calls.emplace_back(comm, work);
    return ncclSuccess;
  }
  return carry_out(comm, work);
}

/// Whether nothing of a rank is left to do, and all ranks have finalized.
bool quiescent(ncclComm_t comm) {
  Clique& clique = *comm->clique;
  const auto rounds = clique.rounds;  // running streams ends rounds
  for (const auto& [number, round] : rounds)
    if (auto& part = round->parts[static_cast<size_t>(comm->rank)]; part && !round->done) {
      run_stream(part->stream, [&] { return round->done; });
      if (!round->done) return false;
    }
  for (const ncclComm* member : clique.members)
    if (member->state == State::joining || member->state == State::ready || member->state == State::aborted)
      return false;
  return true;
}

ncclResult_t state_of(ncclComm_t comm) {
  if (comm->error != ncclSuccess) return comm->error;
  if (comm->state == State::joining) return ncclInProgress;
  if (comm->pending) {
    if (--comm->polls > 0) return ncclInProgress;
    std::exchange(comm->pending, {})();
    return comm->error;
  }
  if (comm->state == State::finalizing) {
    if (!quiescent(comm)) return ncclInProgress;
    comm->state = State::finalized;
  }
  return ncclSuccess;
}

}  // namespace

namespace vae::model::comm {

void break_connection(int rank, ncclResult_t error) {
  const std::lock_guard lock(mutex());
  for (ncclComm* comm : known()) {
    if (comm->rank != rank || comm->state == State::aborted || comm->state == State::destroyed) continue;
    comm->error = error;
    comm->words = "a connection was closed by the peer";
  }
  changed().notify_all();
}

StuckAborts::StuckAborts() {
  const std::lock_guard lock(mutex());
  ++g_stuck;
}

StuckAborts::~StuckAborts() {
  const std::lock_guard lock(mutex());
  --g_stuck;
  changed().notify_all();
}

}  // namespace vae::model::comm

ncclResult_t ncclGetVersion(int* version) {
  VAE_MODEL_CALL("ncclGetVersion");
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  VAE_MODEL_CALL("ncclGetUniqueId");
  static uint64_t number = 0;
  std::memset(id->internal, 0, sizeof id->internal);
  std::memcpy(id->internal, &++number, sizeof number);
  std::strcpy(id->internal + sizeof number, "model");
  cliques()[std::string(id->internal, sizeof id->internal)] = std::make_shared<Clique>();
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  VAE_MODEL_CALL("ncclCommInitRankConfig");
  const ncclConfig_t initial = NCCL_CONFIG_INITIALIZER;
  if (!config || config->magic != initial.magic || config->size != initial.size) return ncclInvalidArgument;
  if (config->blocking != NCCL_CONFIG_UNDEF_INT && config->blocking != 0 && config->blocking != 1)
    return ncclInvalidArgument;
  return join("ncclCommInitRankConfig", comm, ranks, id, rank, config->blocking != 0);
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* error) {
  VAE_MODEL_CALL("ncclCommGetAsyncError");
  if (const ncclResult_t status = usable(comm, "ncclCommGetAsyncError"); status != ncclSuccess) return status;
  *error = state_of(comm);
  return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void* send, void* receive, size_t count, ncclDataType_t type, ncclRedOp_t op,
                           ncclComm_t comm, cudaStream_t stream) {
  VAE_MODEL_CALL("ncclAllReduce");
  if (op != ncclSum || (type != ncclFloat32 && type != ncclFloat64 && type != ncclInt64))
    return ncclInvalidArgument;  // by the model
  return submit(comm, {"ncclAllReduce", send, receive, count, type}, stream);
}

ncclResult_t ncclAllGather(const void* send, void* receive, size_t count, ncclDataType_t type,
                           ncclComm_t comm, cudaStream_t stream) {
  VAE_MODEL_CALL("ncclAllGather");
  return submit(comm, {"ncclAllGather", send, receive, count, type}, stream);
}

ncclResult_t ncclBroadcast(const void* send, void* receive, size_t count, ncclDataType_t type, int root,
                           ncclComm_t comm, cudaStream_t stream) {
  VAE_MODEL_CALL("ncclBroadcast");
  if (root < 0) return ncclInvalidArgument;
  return submit(comm, {"ncclBroadcast", send, receive, count, type, root}, stream);
}

ncclResult_t ncclGroupStart() {
  VAE_MODEL_CALL("ncclGroupStart");
  ++t_group.depth;
  return ncclSuccess;
}

/// The calls of a group reach the streams together.
ncclResult_t ncclGroupEnd() {
  VAE_MODEL_CALL("ncclGroupEnd");
  if (t_group.depth == 0) return refuse(nullptr, "ncclGroupEnd", "no group has begun");
  if (--t_group.depth > 0) return ncclSuccess;
  std::map<ncclComm_t, std::vector<std::function<void()>>> calls;
  for (auto& [comm, work] : std::exchange(t_group.calls, {})) calls[comm].push_back(std::move(work));
  ncclResult_t status = ncclSuccess;
  for (auto& [comm, works] : calls) {
    const ncclResult_t one = carry_out(comm, [works = std::move(works)] {
      for (const auto& work : works) work();
    });
    if (one != ncclSuccess) status = one;
  }
  return status;
}

ncclResult_t ncclCommFinalize(ncclComm_t comm) {
  VAE_MODEL_CALL("ncclCommFinalize");
  if (const ncclResult_t status = ready(comm, "ncclCommFinalize"); status != ncclSuccess) return status;
  if (comm->recorded.use_count() > 1)
    return refuse(comm, "ncclCommFinalize", "a graph that holds calls of the communicator lives");
  comm->state = State::finalizing;
  changed().notify_all();
  if (!comm->blocking) return ncclInProgress;
  return wait_for(comm, "ncclCommFinalize", [comm] { return state_of(comm) != ncclInProgress; });
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  VAE_MODEL_CALL("ncclCommDestroy");
  if (const ncclResult_t status = usable(comm, "ncclCommDestroy"); status != ncclSuccess) return status;
  if (comm->state != State::finalized)
    return refuse(comm, "ncclCommDestroy",
                  "the communicator is not finalized, or nobody has waited for that");
  comm->state = State::destroyed;
  return ncclSuccess;
}

/// What its collectives would write is NaN from now on; the other ranks are not told.
ncclResult_t ncclCommAbort(ncclComm_t comm) {
  VAE_MODEL_CALL("ncclCommAbort");
  if (const ncclResult_t status = usable(comm, "ncclCommAbort"); status != ncclSuccess) return status;
  changed().wait(mutex(), [] { return g_stuck == 0; });
  comm->state = State::aborted;
  comm->pending = {};
  changed().notify_all();
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t result) {
  const Call call("ncclGetErrorString");
  switch (result) {
    case ncclSuccess:
      return "no error";
    case ncclUnhandledCudaError:
      return "unhandled cuda error (run with NCCL_DEBUG=INFO for details)";
    case ncclSystemError:
      return "unhandled system error (run with NCCL_DEBUG=INFO for details)";
    case ncclInternalError:
      return "internal error - please report this issue to the NCCL developers";
    case ncclInvalidArgument:
      return "invalid argument (run with NCCL_DEBUG=WARN for details)";
    case ncclInvalidUsage:
      return "invalid usage (run with NCCL_DEBUG=WARN for details)";
    case ncclRemoteError:
      return "remote process exited or there was a network error";
    case ncclInProgress:
      return "NCCL operation in progress";
    default:
      return "unknown result code";
  }
}

const char* ncclGetLastError(ncclComm_t comm) {
  const Call call("ncclGetLastError");
  return communicators().has(comm) ? comm->words.c_str() : "";
}
