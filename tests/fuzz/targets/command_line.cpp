#include "tools/common/command_line.h"

#include <sstream>

#include "tests/fuzz/options.h"
#include "tests/fuzz/target.h"

/// Arguments, a line each: they are understood or refused.
VAE_FUZZ_TARGET(command_line) {
  using namespace vae;
  std::vector<std::string> arguments{"tool"};
  std::istringstream lines(fuzz::text(input));
  for (std::string line; std::getline(lines, line);) arguments.push_back(line);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  fuzz::Options options;
  fuzz::accepts(
      [&] {
        const tool::CommandLine line(static_cast<int>(argv.size()), argv.data(),
                                     {"tool", "about", "runs", {{"train", "help"}, {"test", "help", true}}});
        line.find("preset", "none");
        line.parse([&](const tool::OptionTable& table) { describe(table, options); });
      },
      {ErrorKind::usage, ErrorKind::io});
}
