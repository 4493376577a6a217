#include "tools/export/inspection.h"

#include "data/new_folder.h"
#include "nn/train/torch_weights.h"
#include "tensor/print.h"
#include "tools/export/translate.h"

namespace vae::exporter {
namespace {

namespace fs = std::filesystem;

std::string doc_of(train::Inputs inputs) {
  switch (inputs) {
    case train::Inputs::unit:
      return "bytes / 255";
    case train::Inputs::binary:
      return "1 for bytes from 128 on, else 0";
    case train::Inputs::drawn:
      return "bytes / 255, or 0 and 1 drawn with these probabilities";
  }
  fail(ErrorKind::internal, "no such inputs");
}

TensorNames names_of(train::Recipe& recipe) {
  nn::StateDict state;
  recipe.add_state(state);
  TensorNames names;
  for (const auto& [name, tensor] : state.entries()) names[tensor.raw()] = name;
  return names;
}

std::string signature_of(const Recording& recording) {
  const auto listed = [&](const std::vector<Named>& all) {
    std::vector<std::string> texts;
    for (const Named& one : all) {
      std::vector<std::string> sizes;
      for (const int64_t extent : channels_first(recording.values[static_cast<size_t>(one.value)].extents))
        sizes.push_back(extent == kBatch ? "batch" : std::to_string(extent));
      texts.push_back(fmt::format("{} [{}]", one.name, fmt::join(sizes, ", ")));
    }
    return fmt::format("{}", fmt::join(texts, ", "));
  };
  return listed(recording.inputs) + " -> " + listed(recording.outputs);
}

std::string docs_of(const std::vector<Named>& values) {
  nlohmann::ordered_json docs = nlohmann::ordered_json::object();
  for (const Named& value : values) docs[value.name] = value.doc;
  return docs.dump();
}

/// onnxruntime shows a model's metadata, not the descriptions of its inputs: they stand there, too.
void describe(Graph& graph, const Recording& recording, const tool::Run& run) {
  const train::Data& data = run.images().data;
  const tool::OptionTable& options = run.setup().table;
  graph.describe("tool", options.tool());
  graph.describe("dataset", run.images().train.name);
  graph.describe("class_names", nlohmann::json(data.class_names).dump());
  graph.describe("options", options.config().dump());
  graph.describe("inputs", docs_of(recording.inputs));
  graph.describe("outputs", docs_of(recording.outputs));
}

void write_functions(tool::Run& run, const Exported& exported, const fs::path& target) {
  const TensorNames names = names_of(run.recipe<train::Recipe>());
  std::vector<std::string> lines;
  data::NewFolder folder(target);
  for (const Function& function : exported.functions(run)) {
    const Recording recording = record(function, run.last_step().root());
    Graph graph = translate(function, recording, names);
    describe(graph, recording, run);
    const std::string file = function.name + ".onnx";
    graph.save(folder.path() / file);
    lines.push_back(fmt::format("{}: {}\n", (target / file).string(), signature_of(recording)));
  }
  folder.finish();
  for (const std::string& line : lines) say("{}", line);
}

void write_weights(tool::Run& run, const Exported& exported, const fs::path& file) {
  const SafeTensors weights = exported.weights(run);
  save_safetensors(file, weights);
  say("{}: {} tensors\n", file.string(), weights.tensors.size());
}

}  // namespace

SafeTensors weights_of(tool::Run& run) {
  nn::StateDict state;
  run.recipe<train::Recipe>().model().add_state(state);
  return train::export_weights(state);
}

Input image_input(const tool::Run& run, bool flat) {
  const train::ImageSet& images = run.images().data.test;
  const Shape& shape = images.pixels.shape();
  if (flat)
    return {"x", {images.image_size()}, "flat images, row by row, channels last: " + doc_of(images.inputs)};
  return {"x", {shape[1], shape[2], shape[3]}, "images NCHW: " + doc_of(images.inputs)};
}

Input class_input(int64_t classes) { return {"y", {classes}, "one-hot classes"}; }

std::vector<Output> outputs_of(const nn::Gaussian& q, const std::string& prefix) {
  return {{prefix + "mean", q.mean, ""},
          {prefix + "log_var", q.log_var, "logarithm of the variance, e base"}};
}

std::vector<Output> outputs_of(const nn::Likelihood& p) {
  if (const auto* bits = std::get_if<nn::Bernoulli>(&p)) return {{"logits", bits->logits, "of pixels"}};
  return outputs_of(std::get<nn::Gaussian>(p));
}

void write(tool::Run& run, const Exported& exported, const tool::CommonOptions& options) {
  if (options.onnx.empty() && options.torch_names.empty())
    fail(ErrorKind::usage, "export: name --onnx FOLDER, --torch-names FILE or both");
  if (const fs::path& file = options.torch_names; !file.empty() && fs::exists(fs::symlink_status(file)))
    fail(ErrorKind::io, "{}: exists already", file.string());
  if (!options.onnx.empty()) write_functions(run, exported, options.onnx);
  if (!options.torch_names.empty()) write_weights(run, exported, options.torch_names);
}

}  // namespace vae::exporter
