// Processes that find each other through a port or a file: late ones, missing ones, strangers.
#include "nn/parallel/rendezvous.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "nn/parallel/socket.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace vae::parallel {
namespace {

using std::chrono::milliseconds;
using test::expect_error;

constexpr milliseconds kLong{30'000}, kShort{200};
const std::string kText("a\0b\n\xff name", 10);

/// A port that is free now.
int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET, address.sin_addr.s_addr = htonl(INADDR_ANY);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(socket);
  return ntohs(address.sin_port);
}

class Rendezvous : public testing::Test {
 protected:
  /// The ways to meet.
  std::vector<Meeting> meetings() {
    return {{.host = "127.0.0.1", .port = free_port(), .token = "run-1"},
            {.file = folder_.path() / "meeting", .token = "run-1"}};
  }
  test::TemporaryDirectory folder_;
};

std::string spread_as(int rank, int size, const Meeting& meeting, milliseconds limit = kLong) {
  return spread(rank == 0 ? kText : "nothing", meeting, {.rank = rank, .size = size}, limit);
}

TEST_F(Rendezvous, ThreadsGetTheTextOfRank0) {
  for (const Meeting& meeting : meetings()) {
    std::vector<std::string> got(4);
    std::vector<std::thread> threads;
    for (int rank = 0; rank < 4; ++rank)
      threads.emplace_back([&, rank] { got[static_cast<size_t>(rank)] = spread_as(rank, 4, meeting); });
    for (std::thread& thread : threads) thread.join();
    for (const std::string& text : got) EXPECT_EQ(text, kText) << meeting.place();
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path())) << "the files are gone";
}

TEST_F(Rendezvous, ProcessesThatComeLateGetItToo) {
  for (const Meeting& meeting : meetings()) {
    std::vector<pid_t> children;
    for (int rank = 0; rank < 3; ++rank) {
      children.push_back(::fork());
      if (children.back() == 0) {
        std::this_thread::sleep_for(milliseconds(100 * ((rank + 1) % 3)));  // rank 0 is not the first
        ::_exit(spread_as(rank, 3, meeting) == kText ? 0 : 1);
      }
    }
    for (const pid_t child : children) {
      int status = -1;
      EXPECT_EQ(::waitpid(child, &status, 0), child);
      EXPECT_EQ(status, 0) << meeting.place();
    }
  }
}

TEST_F(Rendezvous, NobodyComes) {
  for (const Meeting& meeting : meetings()) {
    expect_error(ErrorKind::peer, "ranks 1, 2 did not come to " + meeting.place() + " within 0.2 s",
                 [&] { spread_as(0, 3, meeting, kShort); });
    expect_error(ErrorKind::peer, "rank 0 did not come to " + meeting.place() + " within 0.2 s",
                 [&] { spread_as(1, 3, meeting, kShort); });
  }
}

TEST_F(Rendezvous, OneOfThreeDoesNotCome) {
  for (const Meeting& meeting : meetings()) {
    std::thread other([&] { EXPECT_EQ(spread_as(2, 3, meeting), kText); });
    expect_error(ErrorKind::peer, "rank 1 did not come to",
                 [&] { spread_as(0, 3, meeting, milliseconds(1000)); });
    other.join();
  }
}

/// A process of another run, or of this one as another launcher counts.
TEST_F(Rendezvous, AStrangerIsSentAway) {
  for (const Meeting& meeting : meetings()) {
    std::thread first([&] { EXPECT_EQ(spread_as(0, 2, meeting), kText); });
    Meeting another = meeting;
    another.token = "run-2";
    // A file is just not that of its run.
    const std::string words =
        meeting.file.empty() ? "does not expect rank 1 of 2 of this run" : "rank 0 did not come";
    const milliseconds limit = meeting.file.empty() ? kLong : kShort;
    expect_error(ErrorKind::peer, words, [&] { spread_as(1, 2, another, limit); });
    if (meeting.file.empty())
      expect_error(ErrorKind::peer, "does not expect rank 1 of 3", [&] { spread_as(1, 3, meeting, limit); });
    EXPECT_EQ(spread_as(1, 2, meeting), kText) << "the run goes on";
    first.join();
  }
}

TEST_F(Rendezvous, WhoeverSpeaksAnotherLanguageOrNothingDisturbsNobody) {
  const Meeting meeting = meetings()[0];
  std::thread first([&] { EXPECT_EQ(spread_as(0, 2, meeting), kText); });
  std::optional<Socket> silent, rude;
  const Deadline deadline = std::chrono::steady_clock::now() + kLong;
  while (!silent && std::chrono::steady_clock::now() < deadline)
    silent = Socket::connect(meeting.host, meeting.port, deadline);
  rude = Socket::connect(meeting.host, meeting.port, deadline);
  ASSERT_TRUE(silent && rude);
  EXPECT_TRUE(rude->send("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(spread_as(1, 2, meeting), kText);
  first.join();
}

TEST_F(Rendezvous, APortThatIsTaken) {
  const Meeting meeting = meetings()[0];
  const Socket taken = Socket::listen(meeting.port);
  expect_error(ErrorKind::usage,
               fmt::format("rank 0 cannot listen at port {}: Address already in use", meeting.port),
               [&] { spread_as(0, 2, meeting); });
}

TEST_F(Rendezvous, AMachineThatIsNotThere) {
  expect_error(ErrorKind::usage, "the machine 'no.such.machine.invalid' of rank 0 is not known", [] {
    spread_as(1, 2, {.host = "no.such.machine.invalid", .port = 1, .token = "run-1"},
              milliseconds(0) + kLong);
  });
}

TEST_F(Rendezvous, AFileThatCannotBeWritten) {
  expect_error(ErrorKind::io, "no/such/folder",
               [] { spread_as(0, 2, {.file = "no/such/folder/file", .token = "x"}); });
}

Meeting read(const std::map<std::string, std::string>& variables) {
  return read_meeting([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(Meeting, IsWhatTheLauncherSays) {
  const Meeting by_port = read(
      {{"MASTER_ADDR", "node1"}, {"MASTER_PORT", "29500"}, {"SLURM_JOB_ID", "7"}, {"SLURM_STEP_ID", "0"}});
  EXPECT_EQ(by_port.place(), "node1:29500");
  EXPECT_EQ(by_port.token, "7.0");
  const Meeting by_torchrun = read({{"MASTER_ADDR", "node1"},
                                    {"MASTER_PORT", "29500"},
                                    {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                    {"TORCHELASTIC_RUN_ID", "none"}});
  EXPECT_EQ(by_torchrun.place(), "node1:29501") << "torchrun itself listens at the other";
  EXPECT_EQ(by_torchrun.token, "none");
  const Meeting by_file = read({{"VAE_MEETING_FILE", "/x/meeting"}, {"VAE_MEETING_TOKEN", "t"}});
  EXPECT_EQ(by_file.place(), "/x/meeting");
}

TEST(Meeting, ThatMakesNoSenseIsRefused) {
  expect_error(ErrorKind::usage, "do not know where to meet: set MASTER_ADDR and MASTER_PORT",
               [] { read({}); });
  expect_error(ErrorKind::usage, "MASTER_PORT='many', which is no port", [] {
    read({{"MASTER_ADDR", "a"}, {"MASTER_PORT", "many"}});
  });
  expect_error(ErrorKind::usage, "VAE_MEETING_FILE needs VAE_MEETING_TOKEN", [] {
    read({{"VAE_MEETING_FILE", "f"}});
  });
  expect_error(ErrorKind::usage, "has white space", [] {
    read({{"VAE_MEETING_FILE", "f"}, {"VAE_MEETING_TOKEN", "a b"}});
  });
}

}  // namespace
}  // namespace vae::parallel
