#include "tools/common/option_table.h"

#include <CLI/App.hpp>
#include <algorithm>

#include "tensor/file.h"

namespace vae::tool {
namespace {

using nlohmann::ordered_json;

/// Numbers, true and false as such, all else as a string.
ordered_json json_of(const std::string& text) {
  const auto value = ordered_json::parse(text, nullptr, false);
  return value.is_number() || value.is_boolean() ? value : ordered_json(text);
}

void set(const Option& option, const std::string& text) {
  try {
    option.parse(text);
  } catch (const Error& e) {
    fail(e.kind(), "--{}: {} (see --help)", option.name, e.what());
  }
}

}  // namespace

nlohmann::json read_config(const std::filesystem::path& file) {
  const std::vector<std::byte> bytes = read_file(file, kMostText);
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  auto config = nlohmann::json::parse(text, text + bytes.size(), nullptr, false);
  if (!config.is_object()) fail(ErrorKind::data, "{}: not a JSON object of options", file.string());
  for (const char* key : kImageKeys) config.erase(key);
  for (const auto& [name, value] : config.items())
    if (value.is_structured())
      fail(ErrorKind::data, "{}: option '{}' is not a plain value", file.string(), name);
  return config;
}

std::string text_of(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void check_tool(const nlohmann::json& config, const std::string& file, const std::string& tool) {
  if (const auto found = config.find(kToolKey); found != config.end() && text_of(*found) != tool)
    fail(ErrorKind::data, "{}: a run of the tool '{}', not of '{}'", file, text_of(*found), tool);
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 < names.size() ? ", " : " or ") + names[i];
  return text;
}

void check_name(const char* what, const std::string& name, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), name) == known.end())
    fail(ErrorKind::usage, "unknown {} '{}': expected {}", what, name, listed(known));
}

OptionTable OptionTable::group(const std::string& heading) const {
  OptionTable table = *this;
  return table.group_ = heading, table;
}

OptionTable OptionTable::prefixed(const std::string& prefix) const {
  OptionTable table = *this;
  return table.prefix_ += prefix, table;
}

Option& OptionTable::add(Option option) const {
  VAE_CHECK(!find(option.name), "two options --{}", option.name);
  return shared_->options.emplace_back(std::move(option));
}

Option& OptionTable::flag(const std::string& name, bool& member, const std::string& help) const {
  Option& option = add(name, member, help);
  option.is_flag = true;
  return option.unstored();
}

Option* OptionTable::find(const std::string& name) const {
  for (Option& option : shared_->options)
    if (option.name == name) return &option;
  return nullptr;
}

void OptionTable::read(const nlohmann::json& values, const std::string& file,
                       const std::string& owner) const {
  for (const auto& [name, value] : values.items())
    if (!find(name)) fail(ErrorKind::data, "{}: '{}' is no option of '{}'", file, name, owner);
  for (const auto& [name, value] : values.items()) set(*find(name), text_of(value));
}

ordered_json OptionTable::config() const {
  ordered_json config;
  if (!tool().empty()) config[kToolKey] = tool();
  for (const Option& option : options())
    if (const std::string text = option.print(); option.is_stored && !text.empty())
      config[option.name] = json_of(text);
  return config;
}

void OptionTable::check_resumed(const nlohmann::json& stored) const {
  check_tool(stored, "--resume", tool());
  const auto shown = [](const std::string& text) {
    return text.empty() ? std::string("absent") : json_of(text).dump();
  };
  for (const Option& option : options()) {
    if (!option.is_stored) continue;
    const auto then = stored.find(option.name);
    const std::string text = then != stored.end() ? option.reprint(text_of(*then)) : std::string();
    if (option.adopt && !text.empty()) option.adopt(text);
    if (!option.may_change && option.print() != text)
      fail(ErrorKind::usage, "--resume: --{} is {} here, but {} in the run", option.name,
           shown(option.print()), shown(text));
  }
}

void OptionTable::hide_training() const {
  for (Option& option : shared_->options)
    if (!option.serves_trained) option.group.clear();
}

void OptionTable::add_to(CLI::App& command) const {
  for (const Option& option : shared_->options) {
    // The check sets the value, so each of several is looked at, and the last one stays.
    const auto check = [&option](std::string& text) { return set(option, text), std::string(); };
    std::string names = "--" + option.name;
    for (const std::string& alias : option.aliases) names += ",--" + alias;
    CLI::Option* added = command.add_option(names, [](const auto&) { return true; }, option.help);
    added->check(CLI::Validator(check, ""))->take_last()->group(option.group)->required(option.is_required);
    if (option.is_flag)
      added->expected(0);
    else
      added->type_name(option.type)->default_str(option.print());
  }
}

}  // namespace vae::tool
