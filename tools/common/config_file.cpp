#include "tools/common/config_file.h"

#include <algorithm>
#include <set>

#include "tensor/file.h"
#include "tools/common/cli.h"

namespace vae {
namespace {

namespace fs = std::filesystem;

/// Options about how a run is carried out, not what it computes.
const std::set<std::string>& free_options() {
  static const std::set<std::string> names{"help",      "config", "run",     "resume", "fresh", "quiet",
                                           "benchmark", "epochs", "threads", "device", "graph", "data-dir"};
  return names;
}

bool is_stored(const std::string& name) {
  static const std::set<std::string> left_out{"help",  "config", "run",      "resume",
                                              "fresh", "quiet",  "benchmark"};
  return !left_out.count(name);
}

/// Appends the options of a file behind the subcommand.
void insert_options(Arguments& arguments, const fs::path& file) {
  const std::vector<std::byte> bytes = read_file(file);
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  const auto json = nlohmann::json::parse(text, text + bytes.size(), nullptr, false);
  if (!json.is_object()) fail(ErrorKind::data, "{}: not a JSON object of options", file.string());
  arguments.file = file;
  auto place = arguments.all.begin() + 1;
  for (const auto& [name, value] : json.items()) {
    if (value.is_structured())
      fail(ErrorKind::data, "{}: option '{}' is not a plain value", file.string(), name);
    arguments.file_options.push_back(name);
    place = 1 + arguments.all.insert(
                    place, fmt::format("--{}={}", name,
                                       value.is_string() ? value.get<std::string>() : value.dump()));
  }
}

bool has_flag(const std::vector<std::string>& arguments, const std::string& flag) {
  return std::find(arguments.begin(), arguments.end(), flag) != arguments.end();
}

}  // namespace

bool asks_for_help(const Arguments& arguments) {
  return has_flag(arguments.all, "--help") || has_flag(arguments.all, "-h");
}

void hide_stored_options(CLI::App& command, const std::vector<std::string>& also) {
  std::set<std::string> shown{"--help",      "--run",  "--threads", "--device",
                              "--precision", "--data", "--data-dir"};
  shown.insert(also.begin(), also.end());
  for (CLI::Option* option : command.get_options())
    if (!shown.count(option->get_name())) option->group("");
}

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

Arguments expand_config(int argc, char** argv, const std::vector<std::string>& stored,
                        const fs::path& default_run) {
  Arguments arguments{.all = {argv + 1, argv + argc}, .file = {}, .file_options = {}};
  const std::vector<std::string>& given = arguments.all;
  if (given.empty() || asks_for_help(arguments)) return arguments;
  const std::string config = find_option(given, "config", "");
  const bool from_run = std::count(stored.begin(), stored.end(), given[0]) ||
                        (has_flag(given, "--resume") && find_option(given, "seeds", "").empty());
  if (!config.empty())
    insert_options(arguments, config);
  else if (from_run)
    insert_options(arguments, fs::path(find_option(given, "run", default_run.string())) / "config.json");
  return arguments;
}

bool parse_arguments(CLI::App& app, const Arguments& arguments) {
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    for (CLI::Option* option : command->get_options())
      if (option->get_name() != "--help") option->take_last();
    if (arguments.all.empty() || command->get_name() != arguments.all[0]) continue;
    for (const std::string& name : arguments.file_options)
      if (!command->get_option_no_throw("--" + name))
        fail(ErrorKind::data, "{}: '{}' is no option of '{} {}'", arguments.file.string(), name,
             app.get_name(), command->get_name());
  }
  std::vector<const char*> argv{app.get_name().c_str()};
  for (const std::string& argument : arguments.all) argv.push_back(argument.c_str());
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
