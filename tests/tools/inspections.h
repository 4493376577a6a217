#pragma once
// Inspections of a small trained run: each option of theirs has a check.
#include <gtest/gtest.h>

#include <map>

#include "tensor/safetensors.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"
#include "tests/tools/settings.h"
#include "tools/common/tool.h"

namespace vae::test {

/// Standard output of a function.
inline std::string printed(const std::function<void()>& body) {
  testing::internal::CaptureStdout();
  try {
    body();
  } catch (...) {
    testing::internal::GetCapturedStdout();
    throw;
  }
  return testing::internal::GetCapturedStdout();
}

/// A small trained run of a tool.
template <class Options>
class Trained {
 public:
  Trained(const tool::Tool<Options>& tool, const Texts& texts) : tool_(tool), texts_(texts) {
    printed([&] { tool::Run(setup_of(options())).train(); });
  }
  const tool::Tool<Options>& tool() const { return tool_; }

  Options options() const {
    Options o = tool_.preset(choices({texts_.begin(), texts_.end()}));
    o.tool_name = tool_.name;
    set(tool::described(o), {{"data", "synth"},
                             {"synth-train", "300"},
                             {"synth-test", "120"},
                             {"threads", "1"},
                             {"quiet", "true"},
                             {"epochs", "1"},
                             {"iters-per-epoch", "20"},
                             {"seed", "3"}});
    set(tool::described(o), texts_);
    o.run.run = directory_ / "run";
    return o;
  }
  std::unique_ptr<tool::Run> loaded() const {
    auto run = std::make_unique<tool::Run>(setup_of(options()));
    run->load();
    return run;
  }
  const tool::Inspection<Options>& inspection(const std::string& name) const {
    for (const auto& i : tool_.inspections)
      if (i.name == name) return i;
    throw std::runtime_error("no inspection " + name);
  }
  /// Runs an inspection; returns what it prints.
  std::string inspect(const std::string& name, const Texts& own) const {
    Options o = options();
    const tool::OptionTable table = tool::described(o);
    const auto& i = inspection(name);
    if (i.describe) i.describe(table, o);
    set(table, own);
    tool::Run run(setup_of(o));
    if (i.of_trained) run.load();
    return printed([&] { EXPECT_EQ(i.run(run, o), 0); });
  }
  std::string file(const std::string& name) const { return read_text(directory_ / "run" / name); }
  bool has(const std::string& name) const { return std::filesystem::exists(directory_ / "run" / name); }
  void remove(const std::string& name) const { std::filesystem::remove(directory_ / "run" / name); }

 private:
  tool::Tool<Options> tool_;
  Texts texts_;
  TemporaryDirectory directory_;
};

/// The bytes of a picture's PNG.
inline std::string png(const report::Picture& picture) {
  const TemporaryDirectory directory;
  fit::write_picture(directory.path(), "picture", picture);
  return read_text(directory / "picture.png");
}

/// `export`, which all tools have: what it writes is tested beside tests/export.
template <class Options>
void check_export(const Trained<Options>& trained) {
  const TemporaryDirectory directory;
  trained.inspect("export", {{"torch-names", (directory / "weights").string()}});
  EXPECT_FALSE(load_safetensors(directory / "weights").tensors.empty());
  try {
    trained.inspect("export", {{"onnx", (directory / "onnx").string()}});
    EXPECT_FALSE(std::filesystem::is_empty(directory / "onnx"));
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("configured without ONNX"), std::string::npos) << error.what();
  }
}

template <class Options>
using Checks = std::map<std::string, std::function<void(const Trained<Options>&)>>;

/// Options of inspections beside those of training, as "inspection --option".
template <class Options>
void check_all(const Trained<Options>& trained, const Checks<Options>& checks) {
  std::map<std::string, bool> found;
  for (const auto& [name, check] : checks) found[name] = false;
  for (const auto& i : trained.tool().inspections) {
    if (i.name == "export") {
      check_export(trained);
      continue;
    }
    Options o = trained.options();
    const tool::OptionTable table = tool::described(o);
    const size_t common = table.options().size();
    if (i.describe) i.describe(table, o);
    for (size_t own = common; own < table.options().size(); ++own) {
      const std::string name = i.name + " --" + table.options()[own].name;
      SCOPED_TRACE(name);
      if (!checks.contains(name)) {
        ADD_FAILURE() << "an option of an inspection without a check";
        continue;
      }
      found[name] = true;
      checks.at(name)(trained);
    }
  }
  for (const auto& [name, was] : found) EXPECT_TRUE(was) << "no option " << name;
}

/// `test --nll`: the estimate with so many importance samples, and none without.
template <class Recipe, class Options>
void check_nll(const Trained<Options>& trained) {
  const std::unique_ptr<tool::Run> run = trained.loaded();
  const double three = run->recipe<Recipe>().nll(3, run->last_step());
  EXPECT_NE(fmt::format("{:.3f}", three),
            fmt::format("{:.3f}", run->recipe<Recipe>().nll(1, run->last_step())));
  const std::string words = fmt::format("-log p(x) {:.3f} nats per image (3 importance samples)\n", three);
  EXPECT_NE(trained.inspect("test", {{"nll", "3"}}).find(words), std::string::npos);
  EXPECT_EQ(trained.inspect("test", {}).find("-log p(x)"), std::string::npos);
}

}  // namespace vae::test
