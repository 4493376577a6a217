#include "tools/common/option_table.h"

#include <CLI/App.hpp>
#include <algorithm>

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

std::string text_of(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
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
  return options_->emplace_back(std::move(option));
}

Option& OptionTable::flag(const std::string& name, bool& member, const std::string& help) const {
  Option& option = add(name, member, help);
  option.is_flag = true;
  return option.unstored();
}

Option* OptionTable::find(const std::string& name) const {
  for (Option& option : *options_)
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
  for (const Option& option : *options_)
    if (const std::string text = option.print(); option.is_stored && !text.empty())
      config[option.name] = json_of(text);
  return config;
}

void OptionTable::check_resumed(const nlohmann::json& stored) const {
  for (const Option& option : *options_) {
    const std::string text = option.print();
    if (!option.is_stored || option.may_change || text.empty()) continue;
    const auto then = stored.find(option.name);
    if (then != stored.end() && option.reprint(text_of(*then)) == text) continue;
    fail(ErrorKind::usage, "--resume: --{} is {} here, but {} in the run", option.name, json_of(text).dump(),
         then != stored.end() ? then->dump() : "absent");
  }
}

void OptionTable::hide_training() const {
  for (Option& option : *options_)
    if (!option.serves_trained) option.group.clear();
}

void OptionTable::add_to(CLI::App& command) const {
  for (const Option& option : *options_) {
    // The check sets the value, so each of several is looked at, and the last one stays.
    const auto check = [&option](std::string& text) { return set(option, text), std::string(); };
    CLI::Option* added = command.add_option(
        "--" + option.name, [](const auto&) { return true; }, option.help);
    added->check(CLI::Validator(check, ""))->take_last()->group(option.group)->required(option.is_required);
    if (option.is_flag)
      added->expected(0);
    else
      added->type_name(option.type)->default_str(option.print());
  }
}

}  // namespace vae::tool
