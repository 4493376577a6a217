#include "tools/common/cli.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <new>

#include "tensor/error.h"
#include "tools/common/version.h"

namespace vae::tool {
namespace {

/// A text of others (file names, option values) in one line.
std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  return text;
}

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

int failed(const char* message, ErrorKind kind) {
  const char* what = kind == ErrorKind::interrupted ? "" : "error: ";
  std::fprintf(stderr, "%s%s\n", what, one_line(message).c_str());  // never throws, unlike fmt::print
  return static_cast<int>(kind);
}

}  // namespace

int guarded_main(const std::function<int()>& body) {
  reserve_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has gone (| head -1) is no reason to lose a run
  try {
    const int code = body();
    std::cout.flush();
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      return failed("standard output cannot be written", ErrorKind::io);
    return code;
  } catch (const Error& e) {
    return failed(e.what(), e.kind());
  } catch (const std::bad_alloc&) {
    return failed("out of memory", ErrorKind::device);
  } catch (const std::system_error& e) {
    return failed(e.what(), ErrorKind::io);
  } catch (const std::exception& e) {
    return failed(e.what(), ErrorKind::internal);
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
    fail(ErrorKind::usage, "{} (see --help)", e.what());
  }
}

}  // namespace vae::tool
