#pragma once
// The command line of a tool that trains: one subcommand of several, its options from a preset, then a
// configuration (--config FILE, or that of the run), then the command line itself; the last value wins.
#include "tools/common/option_table.h"

namespace vae::tool {

using Describe = std::function<void(const OptionTable&)>;

struct Command {
  std::string name, help;
  bool of_trained = false;  ///< looks at a trained run, whose config.json holds its options
  Describe describe = {};   ///< adds its own options
};

struct Program {
  std::string name, about;
  std::filesystem::path run;  ///< default run directory
  std::vector<Command> commands;
};

class CommandLine {
 public:
  /// Reads the configuration, if any: that of --config FILE, or the config.json of --run DIR for a command
  /// of trained runs and for --resume (but not for --seeds, several runs). Throws Error(io) or Error(data)
  /// for a bad file, or one of another tool.
  CommandLine(int argc, char** argv, Program program);

  /// What the options will say about --name, or `fallback`: presets are chosen by that.
  std::string find(const std::string& name, const std::string& fallback) const;

  /// Fills the options that `describe` names for every command, beside its own. Returns the name of the
  /// command, none after printing help that was asked for. Throws Error(usage) for a bad option, Error(data)
  /// for one of the file that the command does not have.
  std::string parse(const Describe& describe) const;

 private:
  std::filesystem::path config_file() const;
  bool has(const std::string& flag) const;
  bool asks_for_help() const { return has("--help") || has("-h"); }
  Program program_;
  std::vector<std::string> arguments_;
  std::filesystem::path file_;
  nlohmann::json config_ = nlohmann::json::object();
};

}  // namespace vae::tool
