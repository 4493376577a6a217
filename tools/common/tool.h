#pragma once
// A training tool: `train`, and inspections of a finished run. Its main() is
//
//   return vae::tool::run<M2Options>(argc, argv, {name, about, preset, {inspections}});
#include "nn/parallel/environment.h"
#include "nn/train/interrupt.h"
#include "tools/common/cli.h"
#include "tools/common/command_line.h"
#include "tools/common/ranks.h"
#include "tools/common/run.h"
#include "tools/common/seeds.h"

namespace vae::tool {

/// Looks for an option's value before anything is parsed: `find("preset", "seed")`.
using Find = std::function<std::string(const std::string& name, const std::string& fallback)>;

template <class Options>
struct Inspection {
  std::string name, help;
  std::function<void(const OptionTable&, Options&)> describe{};  ///< options of its own, if any
  std::function<int(Run&, Options&)> run;                        ///< returns the exit code
  bool of_trained = true;                                        ///< of a finished run, which it finds loaded
};

template <class Options>
struct Tool {
  std::string name, about;
  std::function<Options(const Find&)> preset;  ///< throws Error(usage) for an unknown one
  std::vector<Inspection<Options>> inspections;
  std::string train_help = "train, then write pictures and report";
};

/// `train`: one run or several, or timed steps; on all ranks that the launcher has started.
template <class Options>
int train(Options& options) {
  return on_ranks(options.run, setup_of(options).table, [&] {
    options.images.dataset = resolve_dataset(options.images);
    if (options.run.benchmark > 0) return Run(setup_of(options)).benchmark(), 0;
    const train::InterruptGuard interrupt;  // a signal while images load, or between two runs, counts, too
    train_seeds(options.run, setup_of(options).table, [&](const RunOptions& of_run) {
      Options one = options;
      one.run = of_run;
      Run run(setup_of(one));
      run.train();
      return run.score();
    });
    return 0;
  });
}

template <class Options>
int run(int argc, char** argv, const Tool<Options>& tool) {
  return main(argv, [&] {
    silence_other_ranks();
    Options options = tool.preset([](const std::string&, const std::string& fallback) { return fallback; });
    std::vector<Command> commands{{"train", tool.train_help}};
    for (const Inspection<Options>& i : tool.inspections) {
      const auto own = [&](const OptionTable& table) {
        if (i.of_trained) describe_weights(table, options.run);
        if (i.describe) i.describe(table, options);
      };
      commands.push_back({i.name, i.help, i.of_trained, own});
    }
    const CommandLine line(argc, argv, {tool.name, tool.about, options.run.run, commands});
    options = tool.preset(
        [&](const std::string& name, const std::string& fallback) { return line.find(name, fallback); });
    options.tool_name = tool.name;
    const std::string command = line.parse([&](const OptionTable& table) { describe(table, options); });
    if (command == "train") return train(options);
    if (parallel::environment().rank > 0) return 0;  // an inspection is work of one process
    for (const Inspection<Options>& i : tool.inspections) {
      if (i.name != command) continue;
      if (i.of_trained && !options.run.seeds.empty())
        fail(ErrorKind::usage, "{0} holds a run for each of several seeds: name one, such as {0}/seed_{1}",
             options.run.run.string(), options.run.seeds[0]);
      if (!i.of_trained) options.images.dataset = resolve_dataset(options.images);
      Run of_command(setup_of(options));
      if (i.of_trained) of_command.load();
      return i.run(of_command, options);
    }
    return 0;  // help was asked for
  });
}

/// `test` of models without an estimate of -log p(x): what the report says.
template <class Options>
Inspection<Options> report_inspection(const std::string& help) {
  return {"test", help, {}, [](Run& run, Options&) { return run.test(0), 0; }};
}

/// `test`: what the report says, and with --nll an estimate of -log p(x).
template <class Options>
Inspection<Options> test_inspection(const std::string& help) {
  const auto describe = [](const OptionTable& table, Options& o) {
    table.add("nll", o.nll, "importance samples of an estimate of -log p(x); 0: none", at_least(0));
  };
  return {"test", help, describe, [](Run& run, Options& o) { return run.test(o.nll), 0; }};
}

/// Writes the pictures of the report.
template <class Options>
Inspection<Options> pictures_inspection(const std::string& name) {
  return {name, "pictures of a trained run", {}, [](Run& run, Options&) { return run.write_pictures(), 0; }};
}

}  // namespace vae::tool
