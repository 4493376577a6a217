#include "tests/fuzz/options.h"
#include "tests/fuzz/target.h"

/// A configuration as one that a run begins with, and as that of a run which is resumed.
VAE_FUZZ_TARGET(config) {
  using namespace vae;
  using nlohmann::json;
  const auto path = fuzz::file("config.json", input);
  json config;
  if (!fuzz::accepts([&] { config = tool::read_config(path); })) return;
  fuzz::Options options, again;
  const auto table = tool::described(options);
  fuzz::accepts([&] { table.check_resumed(config); }, {ErrorKind::usage});
  const auto read = [&] {
    tool::check_tool(config, "config.json", "tool");
    config.erase(tool::kToolKey);
    table.read(config, "config.json", "tool train");
  };
  if (!fuzz::accepts(read, {ErrorKind::usage})) return;
  const std::string text = table.config().dump(-1, ' ', false, json::error_handler_t::replace);
  json stored = json::parse(text);
  stored.erase(tool::kToolKey);
  const auto copy = tool::described(again);
  copy.read(stored, "config.json", "tool train");
  fuzz::require(copy.config().dump(-1, ' ', false, json::error_handler_t::replace) == text,
                "what is stored is what was read");
}
