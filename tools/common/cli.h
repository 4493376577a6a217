#pragma once
// What every tool's main() does around its work: parsing, one-line errors, exit codes.
#include <exception>
#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace vae::tool {

/// For the foot of a help text.
inline constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 internal error, 2 bad option, 3 bad data, 4 file system, 5 not a number, 6 "
    "device or memory, 7 another process of the run, 130 interrupted.";

/// Runs `body`, which returns the exit code. A failure becomes one line "error: ..." on stderr and its kind's
/// exit code (1 internal, 2 usage, 3 data, 4 io, 5 numeric, 6 device or memory, 7 another process of the
/// run); output that cannot be written, or whose reader has gone, counts as io, at the end.
int guarded_main(const std::function<int()>& body);

/// Says the line of an exception, of one of several processes with its rank, once the lower ones, whose
/// failure may be the same and ends all, have had their turn, and unless this process is ending meanwhile.
/// Returns the exit code.
int say_failure(
    const std::exception_ptr& exception, const std::function<bool()>& is_ending = [] { return false; });

/// Leaves what a process prints, but for that line, to rank 0 of its run.
void silence_other_ranks();

/// The same for a tool that trains. Threads that wait for one another spin for 5000 rounds instead of
/// libgomp's 300 000: no slower on an idle machine, several times as fast on a busy one, where they take the
/// time of those they wait for.
int main(char** argv, const std::function<int()>& body);

/// Parses the command line, which gets --version (version.h). Returns false after printing help or the
/// version, where asked for; throws Error(usage) for a bad option.
bool parse_command_line(CLI::App& app, int argc, const char* const* argv);

}  // namespace vae::tool
