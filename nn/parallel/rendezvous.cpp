#include "nn/parallel/rendezvous.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <thread>

#include "nn/parallel/socket.h"
#include "tensor/error.h"
#include "tensor/file.h"

namespace vae::parallel {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kPause{20};        // between two tries
constexpr milliseconds kPatience{2'000};  // with whoever has connected and says nothing

/// What a process says first: "vaekit meeting TOKEN rank 1 of 4".
std::string greeting(const Meeting& meeting, int rank, int size) {
  return fmt::format("vaekit meeting {} rank {} of {}", meeting.token.empty() ? "-" : meeting.token, rank,
                     size);
}

std::string in_hex(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::string from_hex(const std::string& text) {
  std::string bytes(text.size() / 2, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    unsigned value = 0;
    std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, value, 16);
    bytes[i] = static_cast<char>(value);
  }
  return bytes;
}

double seconds(milliseconds limit) { return std::chrono::duration<double>(limit).count(); }

[[noreturn]] void fail_alone(const Meeting& meeting, const std::set<int>& missing, milliseconds limit) {
  fail(ErrorKind::peer, "{} {} did not come to {} within {:.3g} s", missing.size() > 1 ? "ranks" : "rank",
       fmt::join(missing, ", "), meeting.place(), seconds(limit));
}

/// The other ranks.
std::set<int> others(const Environment& e) {
  std::set<int> ranks;
  for (int rank = 1; rank < e.size; ++rank) ranks.insert(rank);
  return ranks;
}

void serve(const std::string& text, const Meeting& meeting, const Environment& e, milliseconds limit) {
  const Deadline deadline = Clock::now() + limit;
  const Socket port = Socket::listen(meeting.port);
  std::set<int> missing = others(e);
  while (!missing.empty()) {
    const std::optional<Socket> peer = port.accept(deadline);
    if (!peer) fail_alone(meeting, missing, limit);
    const std::optional<std::string> said =
        peer->line(std::min<Deadline>(deadline, Clock::now() + kPatience));
    const auto who = std::find_if(missing.begin(), missing.end(),
                                  [&](int rank) { return said == greeting(meeting, rank, e.size); });
    if (who == missing.end()) {
      peer->send("no\n");
      continue;
    }
    // Whoever has the answer says so: one that died meanwhile is still missing.
    if (peer->send(fmt::format("yes {}\n", in_hex(text))) &&
        peer->line(std::min<Deadline>(deadline, Clock::now() + kPatience)) == "thanks")
      missing.erase(who);
  }
}

std::string ask(const Meeting& meeting, const Environment& e, milliseconds limit) {
  const Deadline deadline = Clock::now() + limit;
  for (; Clock::now() < deadline; std::this_thread::sleep_for(kPause)) {
    const std::optional<Socket> first = Socket::connect(meeting.host, meeting.port, deadline);
    if (!first || !first->send(greeting(meeting, e.rank, e.size) + "\n")) continue;
    const std::optional<std::string> answer = first->line(deadline);
    if (!answer) continue;
    if (answer->starts_with("yes ") && first->send("thanks\n")) return from_hex(answer->substr(4));
    fail(ErrorKind::peer, "who listens at {} does not expect rank {} of {} of this run", meeting.place(),
         e.rank, e.size);
  }
  fail_alone(meeting, {0}, limit);
}

/// The file says who has read it by files beside it.
std::filesystem::path read_by(const Meeting& meeting, int rank) {
  return fmt::format("{}.{}", meeting.file.string(), rank);
}

void post(const std::string& text, const Meeting& meeting, const Environment& e, milliseconds limit) {
  const Deadline deadline = Clock::now() + limit;
  for (const int rank : others(e)) std::filesystem::remove(read_by(meeting, rank));
  write_file_atomically(meeting.file, fmt::format("{}\n{}\n", greeting(meeting, 0, e.size), in_hex(text)));
  std::set<int> missing = others(e);
  while (!missing.empty() && Clock::now() < deadline) {
    std::erase_if(missing, [&](int rank) { return std::filesystem::exists(read_by(meeting, rank)); });
    std::this_thread::sleep_for(kPause);
  }
  std::filesystem::remove(meeting.file);
  for (const int rank : others(e)) std::filesystem::remove(read_by(meeting, rank));
  if (!missing.empty()) fail_alone(meeting, missing, limit);
}

std::string read(const Meeting& meeting, const Environment& e, milliseconds limit) {
  const Deadline deadline = Clock::now() + limit;
  for (; Clock::now() < deadline; std::this_thread::sleep_for(kPause)) {
    std::ifstream file(meeting.file);
    std::string said, text;
    if (!std::getline(file, said) || !std::getline(file, text) || said != greeting(meeting, 0, e.size))
      continue;
    write_file_atomically(read_by(meeting, e.rank), "");
    return from_hex(text);
  }
  fail_alone(meeting, {0}, limit);
}

}  // namespace

std::string Meeting::place() const { return file.empty() ? fmt::format("{}:{}", host, port) : file.string(); }

Meeting read_meeting(const Variables& variables) {
  const auto text = [&](const char* name) {
    const char* value = variables(name);
    return std::string(value ? value : "");
  };
  Meeting meeting{
      .host = text("MASTER_ADDR"), .file = text("VAE_MEETING_FILE"), .token = text("VAE_MEETING_TOKEN")};
  if (meeting.token.empty()) meeting.token = text("TORCHELASTIC_RUN_ID");
  if (meeting.token.empty() && !text("SLURM_JOB_ID").empty())
    meeting.token = text("SLURM_JOB_ID") + "." + text("SLURM_STEP_ID");
  const std::string port = text("MASTER_PORT");
  if (!meeting.host.empty() && !port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), meeting.port);
    if (error != std::errc() || end != port.data() + port.size() || meeting.port < 1 || meeting.port > 65534)
      fail(ErrorKind::usage, "the environment has MASTER_PORT='{}', which is no port", port);
    if (text("TORCHELASTIC_USE_AGENT_STORE") == "True") ++meeting.port;
    meeting.file.clear();
  } else if (meeting.file.empty()) {
    fail(ErrorKind::usage,
         "the processes of this run do not know where to meet: set MASTER_ADDR and MASTER_PORT, or "
         "VAE_MEETING_FILE and VAE_MEETING_TOKEN");
  } else if (meeting.token.empty()) {
    fail(ErrorKind::usage, "VAE_MEETING_FILE needs VAE_MEETING_TOKEN, another one for each run");
  }
  if (meeting.token.find_first_of(" \t\r\n") != std::string::npos)
    fail(ErrorKind::usage, "the token of the run, '{}', has white space", meeting.token);
  return meeting;
}

std::string spread(const std::string& text, const Meeting& meeting, const Environment& e,
                   milliseconds limit) {
  if (e.rank > 0) return meeting.file.empty() ? ask(meeting, e, limit) : read(meeting, e, limit);
  meeting.file.empty() ? serve(text, meeting, e, limit) : post(text, meeting, e, limit);
  return text;
}

}  // namespace vae::parallel
