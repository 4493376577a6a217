// Collectives of the model's NCCL: what the ranks must agree on, how their streams meet, what is moved.
#include <fmt/format.h>

#include <cstring>

#include "kernels/model/nccl.h"

namespace vae::model::comm {
namespace {

/// What differs between the calls of two ranks; empty if nothing does.
std::string difference(const Collective& a, const Collective& b) {
  if (std::string_view(a.function) != b.function) return fmt::format("{} and {}", a.function, b.function);
  if (a.count != b.count) return fmt::format("{} of {} and of {} elements", a.function, a.count, b.count);
  if (a.type != b.type)
    return fmt::format("{} of types {} and {}", a.function, static_cast<int>(a.type),
                       static_cast<int>(b.type));
  if (a.root != b.root) return fmt::format("{} from roots {} and {}", a.function, a.root, b.root);
  if (a.recorded != b.recorded) return fmt::format("{} in a graph and without one", a.function);
  return "";
}

template <class T>
void add(const std::vector<std::optional<Round::Part>>& parts, size_t count) {
  std::vector<T> sums(count), values(count);
  for (const auto& part : parts) {
    std::memcpy(values.data(), part->call.send, count * sizeof(T));
    for (size_t i = 0; i < count; ++i) sums[i] += values[i];
  }
  for (const auto& part : parts) std::memcpy(part->call.receive, sums.data(), count * sizeof(T));
}

void reduce(const std::vector<std::optional<Round::Part>>& parts, const Collective& call) {
  switch (call.type) {
    case ncclFloat32:
      return add<float>(parts, call.count);
    case ncclFloat64:
      return add<double>(parts, call.count);
    default:
      return add<int64_t>(parts, call.count);
  }
}

/// The bytes that all ranks give, one after the other, of one rank alone for a broadcast.
void collect(const std::vector<std::optional<Round::Part>>& parts, const Collective& call) {
  std::vector<std::byte> all;
  for (size_t rank = 0; rank < parts.size(); ++rank) {
    if (call.root >= 0 && rank != static_cast<size_t>(call.root)) continue;
    const auto* begin = static_cast<const std::byte*>(parts[rank]->call.send);
    all.insert(all.end(), begin, begin + bytes_sent(parts[rank]->call));
  }
  for (const auto& part : parts) std::memcpy(part->call.receive, all.data(), all.size());
}

/// Whether the streams of all ranks have come to a round, some of which may have to run for that.
bool all_arrived(Round& round) {
  for (const auto& part : round.parts) {
    if (!part) return false;
    run_stream(part->stream, [&] { return part->arrived || round.done; });
    if (!part->arrived) return false;
  }
  return true;
}

}  // namespace

size_t bytes_of(ncclDataType_t type) {
  switch (type) {
    case ncclInt8:
    case ncclUint8:
      return 1;
    case ncclInt32:
    case ncclFloat32:
      return 4;
    case ncclInt64:
    case ncclFloat64:
      return 8;
    default:
      return 0;
  }
}

size_t bytes_sent(const Collective& call) { return call.count * bytes_of(call.type); }

size_t bytes_received(const Collective& call, int ranks) {
  const bool gather = std::string_view(call.function) == "ncclAllGather";
  return bytes_sent(call) * (gather ? static_cast<size_t>(ranks) : 1);
}

void transfer(Round& round) {
  std::vector<std::unique_ptr<simt::Arena::Opened>> opened;
  for (const auto& part : round.parts) {
    if (!fault_of(*part->work).empty()) return;  // noted when the work runs
    opened.push_back(std::make_unique<simt::Arena::Opened>(arena(part->work->device)));
  }
  const Collective& call = round.parts.front()->call;
  if (std::string_view(call.function) == "ncclAllReduce")
    reduce(round.parts, call);
  else
    collect(round.parts, call);
}

Gate arrive(ncclComm* comm, const Collective& call, Work work, cudaStream_t stream) {
  const auto rank = static_cast<size_t>(comm->rank);
  const uint64_t number = comm->next++;
  Clique& clique = *comm->clique;
  std::shared_ptr<Round>& slot = clique.rounds[number];
  if (!slot) slot = std::make_shared<Round>();
  slot->parts.resize(clique.members.size());
  for (size_t other = 0; other < slot->parts.size(); ++other) {
    if (!slot->parts[other]) continue;
    const std::string differs = difference(slot->parts[other]->call, call);
    if (differs.empty()) continue;
    violate(fmt::format("ranks {} and {} call {} at the same place", other, rank, differs));
    for (const ncclComm* member : clique.members) broken(member->device) = cudaErrorIllegalAddress;
    break;
  }
  slot->parts[rank] = Round::Part{call, std::move(work), stream, false};
  changed().notify_all();
  return [comm, number, rank, round = slot] {
    if (round->done) return true;
    if (comm->state == State::aborted) {  // nobody knows what is there
      const Collective& mine = round->parts[rank]->call;
      poison(mine.receive, bytes_received(mine, static_cast<int>(round->parts.size())));
      return true;
    }
    round->parts[rank]->arrived = true;
    if (comm->error != ncclSuccess || !all_arrived(*round)) return false;
    if (!round->done) {
      transfer(*round);
      round->done = true;
      comm->clique->rounds.erase(number);
      changed().notify_all();
    }
    return true;
  };
}

}  // namespace vae::model::comm
