#pragma once
// A struct of options describes itself once, by a function
//
//   void describe(const OptionTable& table, M2Options& o) {
//     table.add("z", o.model.z_size, "latent variables", at_least(1));
//     ...
//   }
//
// From that come the command line, its help, config.json, --config, the check of a resumed run and the
// configurations of runs in sub-directories.
#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/common/spelling.h"

namespace CLI {
class App;
}

namespace vae::tool {

/// One option; its value lies in the struct that described it.
struct Option {
  std::string name, group, help, type;                     ///< no group: hidden from the help
  std::function<void(const std::string&)> parse;           ///< throws Error(usage)
  std::function<std::string()> print;                      ///< empty: no value
  std::function<std::string(const std::string&)> reprint;  ///< another text of it as print() writes it
  std::function<void(const std::string&)> adopt{};         ///< takes the value of the run that is resumed
  std::vector<std::string> aliases{};  ///< further names on the command line
  bool is_flag = false, is_required = false, is_stored = true, may_change = false, serves_trained = false;

  Option& required() { return is_required = true, *this; }
  /// Another name of it on the command line, such as that of a published program.
  Option& alias(const std::string& name) { return aliases.push_back(name), *this; }
  /// About this call alone: not in config.json.
  Option& unstored() { return is_stored = false, *this; }
  /// About how a run is carried out, not what it computes: a resumed run may change it.
  Option& changeable() { return may_change = true, *this; }
  /// Changeable, but a resumed run that is not told otherwise keeps the stored value: `adopt` takes it where
  /// the option was left open.
  Option& kept(std::function<void(const std::string&)> adopt) {
    return this->adopt = std::move(adopt), changeable();
  }
  /// Of use with a trained run, too: in the help of the commands that look at one.
  Option& of_trained() { return serves_trained = true, *this; }
};

/// A handle: copies share the options, each has a heading and a prefix for those it adds.
class OptionTable {
 public:
  OptionTable group(const std::string& heading) const;
  OptionTable prefixed(const std::string& prefix) const;
  /// The tool that makes runs of these options, for their config.json.
  void of_tool(const std::string& name) const { shared_->tool = name; }
  const std::string& tool() const { return shared_->tool; }
  const std::vector<Option>& options() const { return shared_->options; }

  /// An option --name of `member`, which must outlive the table.
  template <class T>
  Option& add(const std::string& name, T& member, const std::string& help,
              const std::type_identity_t<Spelling<T>>& spelling = plain<T>()) const {
    return add(name, std::vector<T*>{&member}, help, spelling);
  }
  /// One option of several members, all equal.
  template <class T>
  Option& add(const std::string& name, std::vector<T*> members, const std::string& help,
              const std::type_identity_t<Spelling<T>>& spelling = plain<T>()) const {
    return add({.name = prefix_ + name,
                .group = group_,
                .help = help,
                .type = spelling.type,
                .parse =
                    [=](const std::string& text) {
                      const T value = spelling.parse(text);
                      for (T* member : members) *member = value;
                    },
                .print = [=] { return spelling.print(*members[0]); },
                .reprint = [=](const std::string& text) { return spelling.print(spelling.parse(text)); }});
  }
  /// An option without a value, of this call alone.
  Option& flag(const std::string& name, bool& member, const std::string& help) const;

  /// Sets every option of a JSON object; throws Error(data) naming the file for one that `owner` does not
  /// have, Error(usage) for a value that is none.
  void read(const nlohmann::json& values, const std::string& file, const std::string& owner) const;
  /// The tool, if named, and every option that shapes the run and has a value, in order.
  nlohmann::ordered_json config() const;
  /// Throws Error(usage) naming the first option that a resumed run may not change, Error(data) for a run of
  /// another tool. Options that are kept take the stored value where they were left open.
  void check_resumed(const nlohmann::json& stored) const;

  /// Leaves what serves trained runs, and what is added later, in the help.
  void hide_training() const;
  /// The options of a command line that is parsed while the table lives; the last value wins.
  void add_to(CLI::App& command) const;

 private:
  Option& add(Option option) const;
  Option* find(const std::string& name) const;
  struct Shared {
    std::vector<Option> options;
    std::string tool;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::string group_ = "Options", prefix_;
};

/// The table of options that a function describe() knows.
template <class Options>
OptionTable described(Options& options) {
  OptionTable table;
  describe(table, options);
  return table;
}

/// A value of a configuration as it would stand on a command line.
std::string text_of(const nlohmann::json& value);

/// The options of a configuration file, and its tool. Throws Error(io), or Error(data) for what is no JSON
/// object of plain values.
nlohmann::json read_config(const std::filesystem::path& file);
/// Keys of a stored configuration that are no options: the tool it was made by, and what identifies its
/// images.
inline constexpr const char* kToolKey = "tool";
inline constexpr std::array kImageKeys{"train_sha256", "test_sha256", "class_names"};
/// Throws Error(data), naming both, where the configuration `file` is of another tool; one that names none
/// may be of any.
void check_tool(const nlohmann::json& config, const std::string& file, const std::string& tool);

/// "a, b or c"
std::string listed(const std::vector<std::string>& names);
/// Throws Error(usage) "unknown preset 'x': expected a, b or c" for a name that is not among the known.
void check_name(const char* what, const std::string& name, const std::vector<std::string>& known);

}  // namespace vae::tool
