#pragma once
// What a training tool makes of its options: everything that data, split, loop, task and recipe of a run
// receive, by name, as text. Tests say which of these an option changes, and to what; all others stay.
#include <gtest/gtest.h>

#include <map>
#include <type_traits>

#include "tools/common/tool.h"

namespace vae::test {

/// A value as text: numbers with all digits that matter, lists between commas, enumerators by their number.
struct Value {
  std::string text;
  template <class T>
  Value(const T& value) {  // NOLINT: converts
    if constexpr (std::is_enum_v<T>)
      text = std::to_string(static_cast<int>(value));
    else if constexpr (std::is_convertible_v<T, std::string>)
      text = std::string(value);
    else
      text = fmt::format("{}", value);
  }
  template <class T>
  Value(const std::vector<T>& list) : text(fmt::format("{}", fmt::join(list, ","))) {}  // NOLINT
  /// At iterations 0, 9, 100, 200 and 400.
  Value(const kernels::Schedule& s)  // NOLINT
      : text(fmt::format("{:.5g} {:.5g} {:.5g} {:.5g} {:.5g}", s.at(0), s.at(9), s.at(100), s.at(200),
                         s.at(400))) {}
  Value(const kernels::Activation& a) : text(kernels::name_of(a)) {}  // NOLINT
};

class Settings {
 public:
  void add(const std::string& name, const Value& value) {
    ASSERT_TRUE(values_.emplace(prefix_ + name, value.text).second) << name;
  }
  /// What `add` names, behind a prefix.
  void within(const std::string& prefix, const std::function<void()>& add) {
    const std::string before = prefix_;
    prefix_ += prefix;
    add();
    prefix_ = before;
  }
  const std::map<std::string, std::string>& values() const { return values_; }

 private:
  std::string prefix_;
  std::map<std::string, std::string> values_;
};

using Expected = std::map<std::string, Value>;

/// Fails unless `after` is `before` but for the expected values.
void expect_changes(const Settings& before, const Settings& after, const Expected& expected,
                    const std::string& what);

/// What data, split, loop and task receive.
void add_run(Settings& s, const tool::CommonOptions& options, train::Inputs inputs);
void add_split(Settings& s, const tool::SplitOptions& options, uint64_t seed);
/// A stage by the options of its own run: what those do is tested with the tool that has them.
void add_stage(Settings& s, const tool::Stage& stage, const tool::CommonOptions& above);
void add_adam(Settings& s, const nn::Adam::Settings& adam);
void add_clip(Settings& s, const nn::Clip& clip);

/// Images of 2 x 3 pixels in 3 classes: 1000 of them, 30 with labels and 570 without.
train::Data small_data();

/// Options by name and text, set one after the other.
using Texts = std::vector<std::pair<std::string, std::string>>;

/// An option, a text other than its default, and what that changes; `given`: options set before.
struct Row {
  std::string name, text;
  Expected changes;
  Texts given = {};
};

/// Rows of the options that every tool has; of one with a stage in that folder, which gets the same; of one
/// with a split of 30 labels and 1000 images held out.
std::vector<Row> common_rows(const std::string& stage = "", bool split = false);

/// Whether a resumed run may change the option.
bool is_free(const std::string& name);
/// Whether an option is about one call alone.
bool is_of_call(const std::string& name);

inline void set(const tool::OptionTable& table, const Texts& texts) {
  for (const auto& [name, text] : texts) table.read({{name, text}}, "test", "tool");
}

/// Every option of the table has a row, and changes what the row says, and nothing else; a resumed run
/// refuses it, unless it is free.
template <class Options, class SettingsOf>
void check_options(const std::function<Options()>& make, const SettingsOf& settings_of,
                   const std::vector<Row>& rows) {
  std::map<std::string, const Row*> by_name;
  for (const Row& row : rows)
    ASSERT_TRUE(by_name.emplace(row.name, &row).second) << "two rows of --" << row.name;
  Options first = make();
  const tool::OptionTable described = tool::described(first);
  for (const tool::Option& option : described.options()) {
    SCOPED_TRACE("--" + option.name);
    const auto found = by_name.find(option.name);
    if (found == by_name.end()) {
      ADD_FAILURE() << "an option without a row: say what it changes";
      continue;
    }
    const Row row = *found->second;
    by_name.erase(found);
    Options o = make();
    const tool::OptionTable table = tool::described(o);
    set(table, row.given);
    const nlohmann::json stored = table.config();
    const Settings before = settings_of(o);
    set(table, {{row.name, row.text}});
    const auto now = std::find_if(table.options().begin(), table.options().end(),
                                  [&](const tool::Option& t) { return t.name == row.name; });
    EXPECT_EQ(now->is_stored, !is_of_call(row.name));
    EXPECT_EQ(now->may_change, is_free(row.name));
    expect_changes(before, settings_of(o), row.changes, "--" + row.name);
    if (is_free(row.name) || is_of_call(row.name)) {
      EXPECT_NO_THROW(table.check_resumed(stored));
      continue;
    }
    EXPECT_NE(table.config(), stored) << "the row has the default";
    try {
      table.check_resumed(stored);
      ADD_FAILURE() << "a resumed run may change it";
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage);
      EXPECT_TRUE(std::string(e.what()).starts_with("--resume: --" + row.name + " is ")) << e.what();
    }
  }
  for (const auto& [name, row] : by_name) ADD_FAILURE() << "a row of an option that is not there: --" << name;
}

/// Options of a preset, or of another choice, by name.
inline tool::Find choices(const std::map<std::string, std::string>& chosen = {}) {
  return [=](const std::string& name, const std::string& fallback) {
    const auto found = chosen.find(name);
    return found == chosen.end() ? fallback : found->second;
  };
}

/// A configuration with some values replaced; null takes one out.
nlohmann::json with(nlohmann::json config, const std::string& patch);
/// Fails naming the options in which a configuration is not the expected one.
void expect_config(const nlohmann::json& config, const nlohmann::json& expected);

}  // namespace vae::test
