#pragma once
// What every tool's main() does around its work: options, one-line errors, exit codes.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <string>

#include "tensor/error.h"

namespace vae {

/// For the foot of a help text.
inline constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 internal error, 2 bad option, 3 bad data, 4 file system, 5 not a number, 6 "
    "device or memory, 130 interrupted.";

/// A text of others (file names, option values) in one line.
inline std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  return text;
}

/// Opens what is closed of the descriptors 0 to 2: otherwise the next file opened would get such a number,
/// and what is printed would land in a checkpoint. A closed standard output stays one that cannot be written.
inline void reserve_standard_streams() {
  for (int stream = 0; stream <= 2; ++stream)
    if (::fcntl(stream, F_GETFD) < 0 && ::open("/dev/null", stream == 1 ? O_RDONLY : O_RDWR) < 0) return;
}

/// Lets threads that wait for one another spin for 5000 rounds instead of libgomp's 300 000: no slower on an
/// idle machine, several times as fast on a busy one, where they take the time of those they wait for.
/// libgomp reads its settings when it is loaded, so the process starts itself anew. What the environment says
/// already, prevails.
inline void limit_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT")) return;
  ::setenv("GOMP_SPINCOUNT", "5000", 1);
  ::execv("/proc/self/exe", argv);  // returns only where there is no /proc: then things stay as they were
}

/// A check of an option: a finite number of type T for which `good` holds, which `words` describe.
template <class T, class F>
CLI::Validator number_that(F good, const std::string& words) {
  return {[=](std::string& text) {
            T value{};
            const bool number =
                CLI::detail::lexical_cast(text, value) && std::isfinite(static_cast<double>(value));
            return number && good(value) ? "" : fmt::format("'{}' is no {}", text, words);
          },
          ""};
}
inline CLI::Validator positive() {
  return number_that<double>([](double v) { return v > 0; }, "number above 0");
}
inline CLI::Validator non_negative() {
  return number_that<double>([](double v) { return v >= 0; }, "number from 0");
}
/// A whole number, small enough for the product of two of them.
inline CLI::Validator count(int64_t least) {
  constexpr int64_t kMost = 1000000000;
  return number_that<int64_t>([=](int64_t v) { return least <= v && v <= kMost; },
                              fmt::format("whole number from {} to {}", least, kMost));
}

/// Runs `body`, which returns the exit code. A failure becomes one line "error: ..." on stderr and its kind's
/// exit code (1 internal, 2 usage, 3 data, 4 io, 5 numeric, 6 device or memory); output that cannot be
/// written counts as io.
template <class F>
int guarded_main(F&& body) {
  reserve_standard_streams();
  const auto failed = [](const char* message, ErrorKind kind) {
    std::fprintf(stderr, "error: %s\n", one_line(message).c_str());  // never throws, unlike fmt::print
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
