#include "tools/common/option_table.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <fstream>
#include <regex>
#include <string>

#include "tests/expect_error.h"
#include "tests/temporary_directory.h"
#include "tools/common/cli.h"
#include "tools/common/command_line.h"

namespace vae::tool {
namespace {

enum class Colour { red, green };

struct Net {
  int64_t z = 50;
  std::vector<int64_t> hidden{600, 600}, decoder_hidden{};
};

struct Options {
  bool on = true;
  int threads = 0;
  int64_t epochs = 10;
  uint64_t seed = 18446744073709551615u;
  double rate = 0.1, wscale = 0.1;
  std::string name = "auto", model = "plain";
  std::filesystem::path folder;
  std::vector<uint64_t> seeds;
  std::optional<int64_t> digit;
  Colour colour = Colour::green;
  Net net, other;
  bool quick = false;
};

void describe(const OptionTable& t, Net& n) {
  t.add("z", n.z, "latent variables", at_least(1));
  t.add("hidden", n.hidden, "layers", layers());
  t.add("decoder-hidden", n.decoder_hidden, "layers", layers(true));
}

void describe(const OptionTable& t, Options& o) {
  t.add("on", o.on, "a switch");
  t.add("threads", o.threads, "threads", between(0, 1024)).changeable().of_trained();
  t.add("epochs", o.epochs, "epochs", at_least(1)).changeable();
  t.add("seed", o.seed, "seed");
  t.add("rate", o.rate, "rate", positive());
  t.add("wscale", o.wscale, "scale", non_negative());
  t.add("name", o.name, "name", choice<std::string>({{"auto", "auto"}, {"other", "other"}}));
  t.add("model", o.model, "model");
  t.add("folder", o.folder, "folder").changeable();
  t.add("seeds", o.seeds, "seeds", numbers()).unstored();
  t.add("digit", o.digit, "digit", or_none(at_least(0)));
  t.add("colour", o.colour, "colour", choice<Colour>({{"red", Colour::red}, {"green", Colour::green}}));
  describe(t.group("Net"), o.net);
  describe(t.prefixed("other-"), o.other);
  t.flag("quick", o.quick, "in a hurry");
}

/// The help of an option as a tool prints it, spaces as one, its default as CLI11 2.1 writes it ("=2"; later
/// ones write " [2]").
std::string help_of(const OptionTable& table, const std::string& name) {
  CLI::App app;
  table.add_to(app);
  std::string text;
  bool space = false;
  for (const char c : app.help()) {
    if (!(space && c == ' ')) text += c;
    space = c == ' ';
  }
  const size_t begin = text.find("--" + name + " ");
  if (begin == std::string::npos) return "";
  std::string line = text.substr(begin, text.find('\n', begin) - begin);
  line = std::regex_replace(line, std::regex("^(--.*?) \\[([^\\[\\]-]*)\\]"), "$1=$2");
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

void set(const OptionTable& table, const std::string& name, const std::string& text) {
  table.read({{name, text}}, "config.json", "tool train");
}

bool parse(const OptionTable& table, std::vector<const char*> arguments) {
  CLI::App app;
  table.add_to(app);
  arguments.insert(arguments.begin(), "tool");
  return parse_command_line(app, static_cast<int>(arguments.size()), arguments.data());
}

TEST(OptionTable, EveryKindIsSetAndPrinted) {
  Options o;
  const OptionTable table = described(o);
  for (const auto& [name, text, json] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"on", "false", "false"},
           {"threads", "7", "7"},
           {"epochs", "1000000000", "1000000000"},
           {"seed", "3", "3"},
           {"rate", "0.31622776601683794", "0.31622776601683794"},
           {"wscale", "0", "0"},
           {"name", "other", "\"other\""},
           {"folder", "a b/c", "\"a b/c\""},
           {"digit", "0", "0"},
           {"colour", "red", "\"red\""},
           {"z", "2", "2"},
           {"hidden", "500", "500"},
           {"other-hidden", "3,2,1", "\"3,2,1\""},
           {"other-decoder-hidden", "4,5", "\"4,5\""}}) {
    set(table, name, text);
    EXPECT_EQ(table.config()[name].dump(), json) << name;
  }
  EXPECT_FALSE(o.on);
  EXPECT_EQ(o.threads, 7);
  EXPECT_EQ(o.seed, 3u);
  EXPECT_EQ(o.rate, 0.31622776601683794);
  EXPECT_EQ(o.name, "other");
  EXPECT_EQ(o.folder, "a b/c");
  EXPECT_EQ(o.digit, 0);
  EXPECT_EQ(o.colour, Colour::red);
  EXPECT_EQ(o.net.z, 2);
  EXPECT_EQ(o.net.hidden, (std::vector<int64_t>{500}));
  EXPECT_EQ(o.other.hidden, (std::vector<int64_t>{3, 2, 1}));
  EXPECT_EQ(o.other.z, 50) << "a prefix keeps its own";
  set(table, "seeds", "1,2,18446744073709551615");
  EXPECT_EQ(o.seeds, (std::vector<uint64_t>{1, 2, 18446744073709551615u}));
  set(table, "other-decoder-hidden", "");
  EXPECT_TRUE(o.other.decoder_hidden.empty());
}

TEST(OptionTable, ConfigurationInOrderRepeatsTheOptions) {
  Options o;
  o.rate = 1e-8;
  const auto config = described(o).config();
  EXPECT_EQ(config.dump(),
            R"({"on":true,"threads":0,"epochs":10,"seed":18446744073709551615,"rate":1e-08,"wscale":0.1,)"
            R"("name":"auto","model":"plain","colour":"green","z":50,"hidden":"600,600","other-z":50,)"
            R"("other-hidden":"600,600"})");
  Options again;
  again.rate = 5, again.colour = Colour::red, again.net.z = 1, again.seed = 1;
  described(again).read(config, "config.json", "tool train");
  EXPECT_EQ(described(again).config(), config);
}

TEST(OptionTable, BadValuesAreNamed) {
  Options o;
  const OptionTable table = described(o);
  for (const auto& [name, text, message] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"on", "perhaps", "--on: perhaps not in {true,false,on,off,yes,no,1,0} (see --help)"},
           {"threads", "1025", "--threads: '1025' is no number from 0 to 1024 (see --help)"},
           {"epochs", "0", "--epochs: '0' is no whole number from 1 to 1000000000 (see --help)"},
           {"epochs", "many", "--epochs: 'many' is no whole number from 1 to 1000000000 (see --help)"},
           {"seed", "-1", "--seed: '-1' is no whole number (see --help)"},
           {"rate", "nan", "--rate: 'nan' is no number above 0 (see --help)"},
           {"wscale", "-1", "--wscale: '-1' is no number from 0 (see --help)"},
           {"name", "x", "--name: x not in {auto,other} (see --help)"},
           {"seeds", "1,x", "--seeds: '1,x' is no list of numbers like 1,2,3 (see --help)"},
           {"digit", "-1", "--digit: '-1' is no whole number from 0 to 1000000000 (see --help)"},
           {"colour", "blue", "--colour: blue not in {red,green} (see --help)"},
           {"hidden", "",
            "--hidden: '' is no list of layers of 1 to 1000000000 units, like 600,600 (see --help)"},
           {"hidden", "0",
            "--hidden: '0' is no list of layers of 1 to 1000000000 units, like 600,600 (see --help)"},
           {"hidden", "3,", "--hidden: '3,' is no list"},
           {"hidden", "3,,3", "--hidden: '3,,3' is no list"},
           {"hidden", "18446744073709551615", "units"},
           {"seeds", "18446744073709551616", "is no list of numbers"},
           {"rate", "1e400", "--rate: '1e400' is no number above 0"},
           {"other-z", "0", "--other-z: '0' is no whole number from 1 to 1000000000 (see --help)"}}) {
    const auto before = table.config();
    test::expect_error(ErrorKind::usage, message, [&] { set(table, name, text); });
    const std::string option = "--" + name;
    test::expect_error(ErrorKind::usage, message, [&] { parse(table, {option.c_str(), text.c_str()}); });
    EXPECT_EQ(table.config(), before) << name;
  }
  EXPECT_THROW(table.add("z", o.net.z, "again"), Error);
}

TEST(OptionTable, UnknownOptionOfAConfigurationIsNamedBeforeAnythingIsSet) {
  Options o;
  test::expect_error(ErrorKind::data, "run/config.json: 'zeal' is no option of 'tool train'", [&] {
    described(o).read({{"epochs", 3}, {"zeal", 1}}, "run/config.json", "tool train");
  });
  EXPECT_EQ(o.epochs, 10);
}

TEST(OptionTable, CommandLine) {
  Options o;
  const OptionTable table = described(o);
  EXPECT_TRUE(parse(table, {"--epochs", "3", "--epochs=4", "--other-z", "9", "--quick"}));
  EXPECT_EQ(o.epochs, 4) << "the last value wins";
  EXPECT_EQ(o.other.z, 9);
  EXPECT_TRUE(o.quick);
  test::expect_error(ErrorKind::usage, "--epochs: 'x'", [&] {
    parse(table, {"--epochs", "x", "--epochs", "4"});
  });
  test::expect_error(ErrorKind::usage, "--zeal", [&] { parse(table, {"--zeal", "1"}); });
}

TEST(OptionTable, AnAliasIsAnotherNameOnTheCommandLineAlone) {
  int64_t size = 1;
  OptionTable table;
  table.add("batch", size, "images", at_least(1)).alias("batch-size").alias("bs");
  EXPECT_TRUE(parse(table, {"--batch-size", "3"}));
  EXPECT_EQ(size, 3);
  EXPECT_TRUE(parse(table, {"--batch", "4", "--bs=5"}));
  EXPECT_EQ(size, 5) << "the last value wins, whatever its name";
  EXPECT_EQ(table.config().dump(), R"({"batch":5})");
  test::expect_error(ErrorKind::data, "'bs' is no option of 'tool train'", [&] { set(table, "bs", "6"); });
  test::expect_error(ErrorKind::usage, "--batch: '0' is no whole number", [&] {
    parse(table, {"--bs", "0"});
  });
}

TEST(OptionTable, Help) {
  Options o;
  const OptionTable table = described(o);
  EXPECT_EQ(help_of(table, "on"), "--on BOOLEAN=true a switch");
  EXPECT_EQ(help_of(table, "threads"), "--threads INT:INT in [0 - 1024]=0");
  EXPECT_EQ(help_of(table, "seed"), "--seed UINT=18446744073709551615");
  EXPECT_EQ(help_of(table, "rate"), "--rate FLOAT=0.1 rate");
  EXPECT_EQ(help_of(table, "colour"), "--colour TEXT:{red,green}=green");
  EXPECT_EQ(help_of(table, "digit"), "--digit INT digit") << "no value, no default";
  EXPECT_EQ(help_of(table, "quick"), "--quick in a hurry");
  table.hide_training();
  table.add("own", o.model, "of the command");
  EXPECT_EQ(help_of(table, "threads"), "--threads INT:INT in [0 - 1024]=0");
  EXPECT_EQ(help_of(table, "rate"), "");
  EXPECT_EQ(help_of(table, "own"), "--own TEXT=plain of the command");
}

TEST(OptionTable, ResumedRunMayChangeSomeOptions) {
  Options o;
  const OptionTable table = described(o);
  nlohmann::json stored = table.config();
  o.epochs = 20, o.threads = 3, o.folder = "elsewhere", o.seeds = {1};
  table.check_resumed(stored);
  stored["rate"] = 0.10000;
  stored["wscale"] = "0.10";
  stored["on"] = "yes";
  table.check_resumed(stored);  // values count, not how they are written
  o.rate = 0.2;
  test::expect_error(ErrorKind::usage, "--resume: --rate is 0.2 here, but 0.1 in the run",
                     [&] { table.check_resumed(stored); });
  o.rate = 0.1;
  stored.erase("other-z");
  test::expect_error(ErrorKind::usage, "--resume: --other-z is 50 here, but absent in the run",
                     [&] { table.check_resumed(stored); });
}

TEST(OptionTable, AnOptionThatWasEmptiedIsAChange) {
  Options o;
  o.net.decoder_hidden = {3, 4}, o.digit = 5;
  const OptionTable table = described(o);
  const nlohmann::json stored = table.config();
  o.net.decoder_hidden = {};
  test::expect_error(ErrorKind::usage, "--resume: --decoder-hidden is absent here, but \"3,4\" in the run",
                     [&] { table.check_resumed(stored); });
  o.net.decoder_hidden = {3, 4}, o.digit = {};
  test::expect_error(ErrorKind::usage, "--resume: --digit is absent here, but 5 in the run",
                     [&] { table.check_resumed(stored); });
}

TEST(OptionTable, AKeptOptionTakesTheStoredValueUnlessGiven) {
  std::optional<int64_t> length;
  OptionTable table;
  table.add("length", length, "length", or_none(at_least(1))).kept([&](const std::string& text) {
    if (!length) length = std::stoll(text);
  });
  table.check_resumed({{"length", 7}});
  EXPECT_EQ(length, 7);
  table.check_resumed({{"length", 8}});
  EXPECT_EQ(length, 7);
  length = {};
  table.check_resumed(nlohmann::json::object());
  EXPECT_EQ(length, std::nullopt);
}

TEST(OptionTable, AConfigurationNamesItsTool) {
  Options o;
  const OptionTable table = described(o);
  EXPECT_FALSE(table.config().contains("tool"));
  table.group("any").of_tool("m2");
  EXPECT_EQ(table.config().front(), "m2");
  nlohmann::json stored = table.config();
  table.check_resumed(stored);
  stored["tool"] = "adgm";
  test::expect_error(ErrorKind::data, "--resume: a run of the tool 'adgm', not of 'm2'",
                     [&] { table.check_resumed(stored); });
  stored.erase("tool");
  table.check_resumed(stored);  // of before tools were named
}

/// The command line of a tool with two commands.
struct Tool {
  Options options;
  std::filesystem::path run;

  std::string operator()(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    arguments.insert(arguments.begin(), "tool");
    for (std::string& argument : arguments) argv.push_back(argument.data());
    const auto own = [&](const OptionTable& table) { table.flag("fast", options.quick, "soon"); };
    const CommandLine line(static_cast<int>(argv.size()), argv.data(),
                           {"tool", "A tool.", run, {{"train", "trains"}, {"test", "tests", true, own}}});
    options = {};
    options.model = line.find("model", "plain");
    if (options.model == "fancy") options.net.z = 7;
    return line.parse([&](const OptionTable& table) {
      describe(table, options);
      table.add("run", run, "run directory").unstored();
      table.add("config", options.name, "file").unstored();
    });
  }
};

TEST(CommandLine, PresetThenFileThenArguments) {
  const test::TemporaryDirectory directory;
  const std::filesystem::path file = directory.path() / "config.json";
  std::ofstream(file) << R"({"model": "fancy", "epochs": 5, "rate": 0.5})";
  Tool tool{.options = {}, .run = directory.path()};
  EXPECT_EQ(tool({"train"}), "train");
  EXPECT_EQ(tool.options.net.z, 50);
  EXPECT_EQ(tool({"train", "--config", file.string(), "--epochs", "6"}), "train");
  EXPECT_EQ(tool.options.net.z, 7) << "the preset of the file's model";
  EXPECT_EQ(tool.options.epochs, 6);
  EXPECT_EQ(tool.options.rate, 0.5);
  EXPECT_EQ(tool({"train", "--config", file.string(), "--model", "plain"}), "train");
  EXPECT_EQ(tool.options.net.z, 50);
  std::ofstream(file) << R"({"tool": "tool", "model": "fancy", "epochs": 5, "rate": 0.5})";
  EXPECT_EQ(tool({"test", "--fast"}), "test");
  EXPECT_EQ(tool.options.epochs, 5) << "the configuration of the run";
  EXPECT_TRUE(tool.options.quick);
}

TEST(CommandLine, BadFiles) {
  const test::TemporaryDirectory directory;
  const std::filesystem::path file = directory.path() / "config.json";
  Tool tool{.options = {}, .run = directory.path()};
  test::expect_error(ErrorKind::io, "config.json", [&] { tool({"test"}); });
  for (const auto& [text, message] :
       {std::pair{"[1]", "config.json: not a JSON object of options"},
        {R"({"z": [1]})", "config.json: option 'z' is not a plain value"},
        {R"({"fast": true})", "config.json: 'fast' is no option of 'tool train'"},
        {R"({"tool": "m2", "model": "none"})", "config.json: a run of the tool 'm2', not of 'tool'"},
        {R"({"tool": 7})", "config.json: a run of the tool '7', not of 'tool'"}}) {
    std::ofstream(file) << text;
    test::expect_error(ErrorKind::data, message, [&] { tool({"train", "--config", file.string()}); });
  }
  test::expect_error(ErrorKind::usage, "subcommand", [&] { tool({}); });
}

TEST(Names, Unknown) {
  EXPECT_EQ(listed({"a"}), "a");
  EXPECT_EQ(listed({"a", "b"}), "a or b");
  check_name("preset", "b", {"a", "b", "c"});
  test::expect_error(ErrorKind::usage, "unknown preset 'd': expected a, b or c", [] {
    check_name("preset", "d", {"a", "b", "c"});
  });
}

}  // namespace
}  // namespace vae::tool
