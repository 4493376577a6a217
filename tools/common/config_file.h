#pragma once
// Options from a JSON file, and the resolved options of a run as JSON. A configuration file is read as
// options that stand before those of the command line, so the command line wins.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vae {

/// Arguments of a tool; those from a configuration file stand behind the subcommand.
struct Arguments {
  std::vector<std::string> all;
  std::filesystem::path file;             ///< where the options of a configuration come from; else empty
  std::vector<std::string> file_options;  ///< their names
};

/// The arguments after the program's name with --config FILE, or the config.json of --run DIR where
/// `--resume` is given (but for --seeds, several runs) or `stored` names the subcommand, unfolded behind the
/// subcommand. Throws Error(io) or Error(data) for a bad file.
Arguments expand_config(int argc, char** argv, const std::vector<std::string>& stored,
                        const std::filesystem::path& default_run);

bool asks_for_help(const Arguments& arguments);

/// For help alone: a subcommand that looks at a finished run reads the options that shaped it from the run;
/// its help shows the others, and `also`. An error could not name a hidden option.
void hide_stored_options(CLI::App& command, const std::vector<std::string>& also = {});

/// The last value of --name in arguments, or `fallback`.
std::string find_option(const std::vector<std::string>& arguments, const std::string& name,
                        std::string fallback);

/// Parses expanded arguments; the last of repeated options counts. Throws Error(data) for an option of the
/// file that the subcommand does not have. As parse_command_line (cli.h) otherwise.
bool parse_arguments(CLI::App& app, const Arguments& arguments);

/// Every option of a subcommand that shapes the run, given or default, in order.
nlohmann::ordered_json resolved_config(const CLI::App& command);

/// Throws Error(usage) naming the first option that a resumed run may not change.
void check_resumed_config(const nlohmann::json& stored, const nlohmann::ordered_json& now);

}  // namespace vae
