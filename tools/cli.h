#pragma once
// What every tool's main() does around its work: options, one-line errors, exit codes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>

#include "tensor/error.h"

namespace vae {

/// Runs `body`, which returns the exit code. A failure becomes one line "error: ..." on stderr and its kind's
/// exit code (1 internal, 2 usage, 3 data, 4 io, 5 numeric, 6 device or memory); output that cannot be
/// written counts as io.
template <class F>
int guarded_main(F&& body) {
  const auto failed = [](const char* message, ErrorKind kind) {
    fmt::print(stderr, "error: {}\n", message);
    return static_cast<int>(kind);
  };
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

/// Parses the command line. Returns false after printing help that was asked for; throws Error(usage) for a
/// bad option.
inline bool parse_command_line(CLI::App& app, int argc, char** argv) {
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

}  // namespace vae
