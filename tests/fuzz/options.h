#pragma once
// A tool with an option of every kind.
#include "tools/common/dataset_options.h"

namespace vae::fuzz {

struct Options {
  data::DatasetOptions dataset;
  std::filesystem::path run, folder;
  int64_t epochs = 10;
  uint64_t seed = 1;
  double rate = 0.5, alpha = 0;
  std::optional<int> digit;
  std::vector<int64_t> hidden{600, 600};
  std::vector<uint64_t> seeds;
  std::string name = "name";
  data::ImageSize size{28, 28};
  bool on = false, quick = false;
};

inline void describe(const tool::OptionTable& table, Options& o) {
  using namespace tool;
  table.of_tool("tool");
  describe(table, o.dataset);
  table.add("run", o.run, "").unstored();
  table.add("config", o.folder, "").unstored();
  table.add("preset", o.name, "").required();
  table.add("epochs", o.epochs, "", at_least(1)).changeable();
  table.add("seed", o.seed, "").kept([&o](const std::string& text) { o.name = text; });
  table.add("rate", o.rate, "", positive()).alias("lr");
  table.prefixed("m1-").add("alpha", o.alpha, "", non_negative());
  table.add("digit", o.digit, "", or_none(between(0, 9)));
  table.add("hidden", o.hidden, "", layers(true));
  table.add("seeds", o.seeds, "", numbers());
  table.add("resize", o.size, "", image_size());
  table.add("on", o.on, "");
  table.flag("quick", o.quick, "");
  table.flag("resume", o.quick, "");
}

}  // namespace vae::fuzz
