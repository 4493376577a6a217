#include "tools/common/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "tools/common/cli.h"

namespace vae::tool {

namespace fs = std::filesystem;

CommandLine::CommandLine(int argc, char** argv, Program program)
    : program_(std::move(program)), arguments_(argv + 1, argv + argc) {
  file_ = config_file();
  if (file_.empty()) return;
  config_ = read_config(file_);
  check_tool(config_, file_.string(), program_.name);
  config_.erase(kToolKey);
}

bool CommandLine::has(const std::string& flag) const {
  return std::find(arguments_.begin(), arguments_.end(), flag) != arguments_.end();
}

fs::path CommandLine::config_file() const {
  if (arguments_.empty() || asks_for_help()) return {};
  if (const std::string config = find("config", ""); !config.empty()) return config;
  bool of_run = has("--resume");
  for (const Command& c : program_.commands) of_run |= c.of_trained && c.name == arguments_[0];
  return of_run ? fs::path(find("run", program_.run.string())) / "config.json" : fs::path();
}

std::string CommandLine::find(const std::string& name, const std::string& fallback) const {
  std::string value = config_.contains(name) ? text_of(config_[name]) : fallback;
  const std::string flag = "--" + name, with_value = flag + "=";
  for (size_t i = 0; i < arguments_.size(); ++i) {
    if (arguments_[i].starts_with(with_value))
      value = arguments_[i].substr(with_value.size());
    else if (arguments_[i] == flag && i + 1 < arguments_.size())
      value = arguments_[i + 1];
  }
  return value;
}

std::string CommandLine::parse(const Describe& describe) const {
  CLI::App app(program_.about, program_.name);
  app.require_subcommand(1);
  app.footer(kExitCodes);
  std::vector<OptionTable> tables;  // the parser refers to them
  for (const Command& c : program_.commands) {
    const OptionTable& table = tables.emplace_back();
    describe(table);
    if (c.of_trained && asks_for_help()) table.hide_training();  // an error could not name a hidden option
    if (c.describe) c.describe(table);
    table.add_to(*app.add_subcommand(c.name, c.help));
    if (arguments_.empty() || c.name != arguments_[0]) continue;
    // What a call removes or where it writes is for its command line to say, not for a file of somebody's.
    for (const Option& option : table.options())
      if (!option.is_stored && config_.contains(option.name))
        fail(ErrorKind::data, "{}: '{}' is an option of the command line alone", file_.string(), option.name);
    table.read(config_, file_.string(), program_.name + " " + c.name);
  }
  std::vector<const char*> argv{program_.name.c_str()};
  for (const std::string& argument : arguments_) argv.push_back(argument.c_str());
  if (!parse_command_line(app, static_cast<int>(argv.size()), argv.data())) return "";
  return app.get_subcommands().front()->get_name();
}

}  // namespace vae::tool
