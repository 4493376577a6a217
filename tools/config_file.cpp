#include "tools/config_file.h"

#include <algorithm>
#include <set>

#include "tensor/file.h"
#include "tools/cli.h"

namespace vae {
namespace {

namespace fs = std::filesystem;

/// Options about how a run is carried out, not what it computes.
const std::set<std::string>& free_options() {
  static const std::set<std::string> names{"help",      "config", "run",     "resume", "fresh",   "quiet",
                                           "benchmark", "epochs", "threads", "device", "data-dir"};
  return names;
}

bool is_stored(const std::string& name) {
  static const std::set<std::string> left_out{"help",  "config", "run",      "resume",
                                              "fresh", "quiet",  "benchmark"};
  return !left_out.count(name);
}

std::vector<std::string> options_of(const fs::path& file) {
  const std::vector<std::byte> bytes = read_file(file);
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  const auto json = nlohmann::json::parse(text, text + bytes.size(), nullptr, false);
  if (!json.is_object()) fail(ErrorKind::data, "{}: not a JSON object of options", file.string());
  std::vector<std::string> options;
  for (const auto& [name, value] : json.items()) {
    if (value.is_structured())
      fail(ErrorKind::data, "{}: option '{}' is not a plain value", file.string(), name);
    options.push_back(
        fmt::format("--{}={}", name, value.is_string() ? value.get<std::string>() : value.dump()));
  }
  return options;
}

bool has_flag(const std::vector<std::string>& arguments, const std::string& flag) {
  return std::find(arguments.begin(), arguments.end(), flag) != arguments.end();
}

}  // namespace

std::string find_option(const std::vector<std::string>& arguments, const std::string& name,
                        std::string fallback) {
  const std::string flag = "--" + name, with_value = flag + "=";
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].starts_with(with_value))
      fallback = arguments[i].substr(with_value.size());
    else if (arguments[i] == flag && i + 1 < arguments.size())
      fallback = arguments[i + 1];
  }
  return fallback;
}

std::vector<std::string> expand_config(int argc, char** argv, const std::vector<std::string>& stored) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty() || has_flag(arguments, "--help") || has_flag(arguments, "-h")) return arguments;
  std::vector<std::string> options;
  const std::string config = find_option(arguments, "config", ""), run = find_option(arguments, "run", "");
  const bool from_run =
      has_flag(arguments, "--resume") || std::count(stored.begin(), stored.end(), arguments[0]);
  if (!config.empty())
    options = options_of(config);
  else if (from_run && !run.empty())
    options = options_of(fs::path(run) / "config.json");
  arguments.insert(arguments.begin() + 1, options.begin(), options.end());
  return arguments;
}

bool parse_arguments(CLI::App& app, std::vector<std::string> arguments) {
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; }))
    for (CLI::Option* option : command->get_options())
      if (option->get_name() != "--help") option->take_last();
  std::vector<const char*> argv{app.get_name().c_str()};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return parse_command_line(app, static_cast<int>(argv.size()), const_cast<char**>(argv.data()));
}

nlohmann::ordered_json resolved_config(const CLI::App& command) {
  nlohmann::ordered_json config;
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_lnames().empty() ? "" : option->get_lnames()[0];
    if (name.empty() || !is_stored(name)) continue;
    const std::string value = option->count() ? option->results().back() : option->get_default_str();
    if (value.empty()) continue;
    const auto number = nlohmann::ordered_json::parse(value, nullptr, false);
    config[name] = number.is_number() || number.is_boolean() ? number : nlohmann::ordered_json(value);
  }
  return config;
}

void check_resumed_config(const nlohmann::json& stored, const nlohmann::ordered_json& now) {
  for (const auto& [name, value] : now.items()) {
    if (free_options().count(name) || (stored.contains(name) && stored[name] == nlohmann::json(value)))
      continue;
    fail(ErrorKind::usage, "--resume: --{} is {} here, but {} in the run", name, value.dump(),
         stored.contains(name) ? stored[name].dump() : "absent");
  }
}

}  // namespace vae
