// The files of every family give what its models give, for any size of the batch; weights come back as they
// went. VAE_EXPORT_SAMPLES names a folder that gets the files, with inputs and outputs of each.
#include <gtest/gtest.h>

#include "nn/train/torch_weights.h"
#include "tensor/compare.h"
#include "tests/export/onnx_graph.h"
#include "tests/temporary_directory.h"
#include "tests/tools/settings.h"
#include "tools/adgm/options.h"
#include "tools/m1_m2/options.h"
#include "tools/ml_vae/options.h"
#include "tools/shot_vae/classifier_options.h"
#include "tools/shot_vae/options.h"
#include "tools/shot_vae/smooth_options.h"
#include "tools/shot_vae/smooth_weights.h"
#include "tools/sym_vae/options.h"

namespace vae::test {
namespace {

namespace fs = std::filesystem;
using autograd::Var;

constexpr double kTolerance = 5e-6;

Tensor uniform(const Shape& shape, const std::string& name, uint64_t seed) {
  const Tensor x = Tensor::empty(shape);
  kernels::random_uniform(x, RandomKey::named(seed, name), Tensor::scalar(int64_t{0}), {});
  return x;
}

/// Values that no two layers share; variances and scales around one.
void fill(train::Recipe& recipe) {
  nn::StateDict state;
  recipe.add_state(state);
  for (const auto& [name, tensor] : state.entries()) {
    if (!is_floating(tensor.dtype())) continue;
    const bool scale = name.ends_with("running_var") || (name.ends_with("weight") && tensor.rank() == 1);
    const double inputs = tensor.rank() > 1 ? static_cast<double>(tensor.numel() / tensor.size(0)) : 4;
    const Var u(uniform(tensor.shape(), name, 1));
    tensor.copy_from(
        (scale ? u + 0.5 : autograd::affine(u, 4 / std::sqrt(inputs), -2 / std::sqrt(inputs))).value());
  }
}

/// Images NHWC as NCHW.
Tensor as_exported(const Tensor& x) {
  if (x.rank() != 4) return x;
  const int64_t n = x.size(0), pixels = x.size(1) * x.size(2), c = x.size(3);
  const Tensor turned = Tensor::empty({n, c, x.size(1), x.size(2)});
  for (int64_t i = 0; i < x.numel(); ++i)
    turned.data<float>()[(i / (pixels * c) * c + i % c) * pixels + i / c % pixels] = x.data<float>()[i];
  return turned;
}

/// Inputs and outputs of a function, as the model computes them.
struct Example {
  std::map<std::string, Tensor> inputs, outputs;
};

Example example_of(const exporter::Function& function, const train::Step& step, int64_t batch) {
  Example example;
  std::vector<Var> inputs;
  const auto add = [&](const std::string& name, const Shape& shape) {
    const Tensor x = uniform(shape, name, static_cast<uint64_t>(7 + batch));
    example.inputs[name] = as_exported(x);
    return x;
  };
  for (const exporter::Input& input : function.inputs) {
    std::vector<int64_t> extents(input.shape.extents().begin(), input.shape.extents().end());
    extents.insert(extents.begin(), batch);
    inputs.emplace_back(add(input.name, Shape(std::span<const int64_t>(extents))));
  }
  const auto noise = [&](const std::string& name, Shape shape, train::Draw draw) {
    return add((draw == train::Draw::normal ? "eps_" : "u_") + name, shape);
  };
  for (const exporter::Output& output : function.outputs(inputs, step.with_noise(noise)))
    example.outputs[output.name] = as_exported(output.value.value());
  return example;
}

Array array_of(const Tensor& x) {
  return {{x.shape().extents().begin(), x.shape().extents().end()}, to_doubles(x)};
}

void keep_sample(const fs::path& file, const std::string& family, const Example& example) {
  const char* const folder = std::getenv("VAE_EXPORT_SAMPLES");
  if (!folder) return;
  const fs::path target = fs::path(folder) / (family + "." + file.stem().string());
  fs::copy_file(file, target.string() + ".onnx", fs::copy_options::overwrite_existing);
  SafeTensors sample;
  for (const auto& [name, x] : example.inputs) sample.tensors["inputs." + name] = x;
  for (const auto& [name, x] : example.outputs) sample.tensors["outputs." + name] = x;
  save_safetensors(target.string() + ".safetensors", sample);
}

template <class Options>
tool::Run untrained(const tool::Tool<Options>& tool, const Texts& texts, Options& o) {
  o = tool.preset(choices({texts.begin(), texts.end()}));
  o.tool_name = tool.name;
  set(tool::described(o),
      {{"data", "synth"}, {"synth-train", "40"}, {"synth-test", "20"}, {"threads", "1"}, {"quiet", "true"}});
  set(tool::described(o), texts);
  return tool::Run(setup_of(o));
}

template <class Options>
void check(const std::string& family, const tool::Tool<Options>& tool, const exporter::Exported& exported,
           const Texts& texts, const std::vector<std::string>& names) {
  SCOPED_TRACE(family);
  const TemporaryDirectory directory;
  Options o;
  tool::Run run = untrained(tool, texts, o);
  train::Recipe& recipe = run.make_recipe();
  recipe.model().set_training(false);
  fill(recipe);
  o.onnx = directory / "onnx";
  testing::internal::CaptureStdout();
  exporter::write(run, exported, o);
  const std::string said = testing::internal::GetCapturedStdout();
  std::vector<std::string> found;
  for (const exporter::Function& function : exported.functions(run)) {
    SCOPED_TRACE(function.name);
    found.push_back(function.name);
    const fs::path file = o.onnx / (function.name + ".onnx");
    EXPECT_NE(said.find(file.string() + ": "), std::string::npos) << said;
    for (const int64_t batch : {1, 4}) {
      const Example example = example_of(function, run.last_step().root(), batch);
      Arrays inputs;
      for (const auto& [name, x] : example.inputs) inputs[name] = array_of(x);
      const EvaluatedModel model = evaluate(file, inputs);
      EXPECT_EQ(model.metadata.at("tool"), tool.name);
      const auto docs = nlohmann::json::parse(model.metadata.at("inputs"));
      ASSERT_EQ(docs.size(), model.inputs.size());
      for (const std::string& name : model.inputs) EXPECT_NE(docs.at(name), "") << name;
      ASSERT_EQ(model.outputs.size(), example.outputs.size());
      for (const auto& [name, expected] : example.outputs) {
        EXPECT_EQ(model.outputs.at(name).extents, array_of(expected).extents) << name;
        EXPECT_LT(distance(model.outputs.at(name).values, to_doubles(expected)), kTolerance) << name;
      }
      if (batch == 4) keep_sample(file, family, example);
    }
  }
  EXPECT_EQ(found, names);
}

const std::vector<std::string> kAll{"encoder", "decoder", "classifier"}, kVae{"encoder", "decoder"};

TEST(Export, M1AndM2) {
  using namespace m1_m2;
  check("m1", m1_tool(), exported_m1(), {{"hidden", "6,5"}}, kVae);
  check("m1_gaussian", m1_tool(), exported_m1(), {{"hidden", "6,5"}, {"decoder", "gaussian"}}, kVae);
  check("m2", m2_tool(), exported_m2(), {{"hidden", "6,5"}, {"z", "3"}}, kAll);
  for (const char* activation : {"elu", "leaky_relu", "tanh", "sigmoid"})
    check(std::string("m2_") + activation, m2_tool(), exported_m2(),
          {{"hidden", "6"}, {"z", "3"}, {"activation", activation}, {"batchnorm-before-activation", "false"}},
          kAll);
  check("m1_m2", m1_m2_tool(), exported_m2(),
        {{"hidden", "6"}, {"z", "3"}, {"m1-hidden", "5"}, {"m1-z", "4"}},
        {"m1_encoder", "m1_decoder", "encoder", "decoder", "classifier"});
}

TEST(Export, Adgm) {
  using namespace adgm;
  const auto sizes = [](const char* z, const Texts& more) {
    Texts texts{{"hidden", "6,5"}, {"z", z}};
    texts.insert(texts.end(), more.begin(), more.end());
    return texts;
  };
  check("adgm", adgm_tool(), exported(), sizes("3", {{"a", "2"}}), kAll);
  check("sdgm", adgm_tool(), exported(), sizes("3", {{"model", "sdgm"}, {"a", "2"}}), kAll);
  check("adgm_m2", adgm_tool(), exported(), sizes("3", {{"model", "m2"}}), kAll);
  check("stacked", adgm_tool(), exported(), sizes("3", {{"model", "stacked"}}), kAll);
  check("ladder_m2", adgm_tool(), exported(), sizes("3,2", {{"model", "ladder"}}), kAll);
  check("vae", vae_tool(), exported(), sizes("3", {}), kVae);
  check("flow", vae_tool(), exported(), sizes("3", {{"flows", "2"}, {"flow", "fixed"}}), kVae);
  check("ladder", vae_tool(), exported(), sizes("3,2", {{"model", "ladder"}}), kVae);
  check("gumbel", vae_tool(), exported(), sizes("3", {{"model", "gumbel"}}), kVae);
}

TEST(Export, MlVae) {
  check("ml_vae", ml_vae::ml_vae_tool(), ml_vae::exported(),
        {{"hidden", "6"}, {"style-dim", "3"}, {"class-dim", "2"}}, kVae);
}

TEST(Export, SymVae) {
  using namespace sym_vae;
  Texts sizes{{"width", "2"}, {"encoder-units", "8"}, {"prior-units", "6"}, {"code-units", "5"},
              {"nz0", "4"},   {"nz1", "3"},           {"encoder", "ladder"}};
  for (const char* encoder : {"ladder", "reverse"}) {
    sizes.back().second = encoder;
    check(std::string("sym_vae_") + encoder, sym_vae_tool(), exported(), sizes,
          {"encoder", "prior", "decoder"});
  }
}

TEST(Export, ShotVae) {
  using namespace shot_vae;
  const auto sizes = [](const char* net, bool decoder = true) {
    Texts texts{{"preset", "fast"},
                {"data", "synth-color"},
                {"net-name", net},
                {"labels", "20"},
                {"validation", "10"}};
    if (decoder) texts.push_back({"z", "3"}), texts.push_back({"decoder-width", "2"});
    return texts;
  };
  check("shot_vae", shot_tool(Method::shot), exported_shot(), sizes("wideresnet-10-0.25"), kAll);
  check("shot_m2", shot_tool(Method::m2), exported_shot(), sizes("wideresnet-10-0.125"), kAll);
  check("shot_classifier", classifier_tool(), exported_classifier(), sizes("wideresnet-10-0.25", false),
        {"classifier"});
  check("smooth_elbo", smooth_tool(), exported_smooth(),
        {{"conv", "2,4"}, {"deconv", "3"}, {"hidden", "5"}, {"z", "3"}, {"labels", "10"}}, kAll);
}

}  // namespace
}  // namespace vae::test
