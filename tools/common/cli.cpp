#include "tools/common/cli.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <new>
#include <thread>

#include "nn/parallel/environment.h"
#include "tensor/error.h"
#include "tensor/print.h"
#include "tools/common/nearest.h"
#include "tools/common/version.h"

namespace vae::tool {
namespace {

/// Opens what is closed of the descriptors 0 to 2: otherwise the next file opened would get such a number,
/// and what is printed would land in a checkpoint. A closed standard output stays one that cannot be written.
void reserve_standard_streams() {
  for (int stream = 0; stream <= 2; ++stream)
    if (::fcntl(stream, F_GETFD) < 0 && ::open("/dev/null", stream == 1 ? O_RDONLY : O_RDWR) < 0) return;
}

/// libgomp reads its settings when it is loaded, so the process starts itself anew. What the environment says
/// already, prevails.
void limit_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT")) return;
  ::setenv("GOMP_SPINCOUNT", "5000", 1);
  ::execv("/proc/self/exe", argv);  // returns only where there is no /proc: then things stay as they were
}

parallel::Environment g_ranks;

int tell(const Error& error, const std::function<bool()>& is_ending) {
  const bool interrupted = error.kind() == ErrorKind::interrupted;
  std::string line = interrupted ? "" : "error: ";
  if (!g_ranks.alone() && !interrupted) {
    // Of equal failures that of the lowest rank is said: its end is that of the others, which mpirun begins
    // after a second.
    std::this_thread::sleep_for(std::min(g_ranks.rank, 6) * std::chrono::milliseconds(1500));
    line += fmt::format("rank {}: ", g_ranks.rank);
  }
  if (interrupted ? g_ranks.rank == 0 : !is_ending())
    ::dprintf(2, "%s\n", (line + printable(error.what())).c_str());
  return error.exit_code();
}

/// The commands or the options that the parser knows.
std::vector<std::string> known_words(const CLI::App& app, bool commands) {
  std::vector<std::string> words;
  if (commands)
    for (const CLI::App* command : app.get_subcommands({})) words.push_back(command->get_name());
  else
    for (const CLI::Option* option : app.get_options())
      for (const std::string& name : option->get_lnames()) words.push_back(name);
  return words;
}

/// What is wrong with a command line: of a word that is not known, the nearest one that is.
std::string complaint(const CLI::App& app, const CLI::Error& error) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  const bool lacks_command = chosen.empty() && !app.get_subcommands({}).empty();
  for (const std::string& word : app.remaining(true)) {
    const bool is_option = word.starts_with("--");
    if (!is_option && (word.starts_with("-") || !lacks_command)) continue;
    const char* dashes = is_option ? "--" : "";
    const std::string name = is_option ? word.substr(2, word.find('=') - 2) : word;
    const std::string meant = nearest(name, known_words(chosen.empty() ? app : *chosen[0], !is_option));
    return fmt::format("no {} '{}{}'{}", is_option ? "option" : "command", dashes, name,
                       meant.empty() ? "" : fmt::format(": is '{}{}' meant?", dashes, meant));
  }
  return error.what();
}

Error described(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& e) {
    return e;
  } catch (const std::bad_alloc&) {
    return {ErrorKind::device, "out of memory"};
  } catch (const std::system_error& e) {
    return {ErrorKind::io, e.what()};
  } catch (const std::exception& e) {
    return {ErrorKind::internal, e.what()};
  }
}

}  // namespace

int say_failure(const std::exception_ptr& exception, const std::function<bool()>& is_ending) {
  return tell(described(exception), is_ending);
}

void silence_other_ranks() {
  g_ranks = parallel::environment();
  if (g_ranks.rank == 0) return;
  leaves_notes_to_others = true;
  const int nowhere = ::open("/dev/null", O_WRONLY);
  ::dup2(nowhere, 1);
  ::close(nowhere);
}

int guarded_main(const std::function<int()>& body) {
  reserve_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has gone (| head -1) is no reason to lose a run
  try {
    const int code = body();
    std::cout.flush();
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      fail(ErrorKind::io, "standard output cannot be written");
    return code;
  } catch (...) {
    return say_failure(std::current_exception());
  }
}

int main(char** argv, const std::function<int()>& body) {
  limit_spinning(argv);
  return guarded_main(body);
}

bool parse_command_line(CLI::App& app, int argc, const char* const* argv) {
  app.set_version_flag(
      "--version", [&] { return version_text(app.get_name()); }, "print version and libraries");
  try {
    app.parse(argc, argv);
    return true;
  } catch (const CLI::Success& asked) {
    app.exit(asked);
    return false;
  } catch (const CLI::Error& e) {
    fail(ErrorKind::usage, "{} (see --help)", complaint(app, e));
  }
}

}  // namespace vae::tool
