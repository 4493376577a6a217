// The functions of the models that are exported: what the posterior, q(y|x) and the decoder say, with the
// noise of the variables between as inputs.
#include "nn/train/torch_weights.h"
#include "tensor/compare.h"
#include "tools/adgm/options.h"
#include "tools/export/inspection.h"

namespace vae::adgm {
namespace {

using exporter::Function, exporter::Input, exporter::Output, exporter::Vars;

Rows rows_of(const Var& x, const Vars& in) {
  Rows rows{x.shape()[0]};
  if (in.size() > 1) rows.labels = in[1];
  return rows;
}

/// The posteriors among the notes of the bound: of z plain, of others behind their names.
std::vector<Output> posteriors(const train::Notes& notes) {
  std::vector<Output> outputs;
  for (const auto& [note, mean] : notes) {
    const size_t end = note.rfind("_mu");
    if (end == note.npos || note.starts_with("p_") || note.ends_with("_p_mu")) continue;
    const std::string name = note.substr(0, end);
    const auto q = exporter::outputs_of({mean, notes.at(name + "_logvar")}, name == "z" ? "" : name + "_");
    outputs.insert(outputs.end(), q.begin(), q.end());
  }
  return outputs;
}

Function encoder(const Model& model, const std::vector<Input>& inputs) {
  return {"encoder", "q of the latent variables", inputs, [&](const Vars& in, const Step& step) {
            train::Notes notes;
            const auto inside = model.encode(in[0]);
            const Terms terms = inside->terms(rows_of(in[0], in), step.with_notes(notes));
            if (model.config().kind == Kind::gumbel)
              return std::vector<Output>{{"logits", notes.at("logits"), "of all draws of the relaxed class"}};
            std::vector<Output> outputs = posteriors(notes);
            if (model.config().fixed_flow && model.config().flows > 0)
              outputs.push_back({"z", terms.code, "a sample, behind the flows"});
            return outputs;
          }};
}

std::vector<Function> functions_of(tool::Run& run) {
  const Model& model = run.recipe<FamilyRecipe>().model();
  const Config& c = model.config();
  const Input x = exporter::image_input(run);
  std::vector<Input> seen{x}, codes{exporter::code_input("z", c.z.back())};
  if (has_labels(c.kind))
    for (auto* inputs : {&seen, &codes}) inputs->push_back(exporter::class_input(c.y_size));
  const auto decode = [&](const Vars& in, const Step& step) {
    return std::vector<Output>{{"logits", model.decode(in[0], rows_of(in[0], in), step), "of pixels"}};
  };
  std::vector<Function> functions{encoder(model, seen), {"decoder", "p(x|z) of pixels", codes, decode}};
  if (has_labels(c.kind))
    functions.push_back(
        {"classifier", "q(y|x)", {x}, [&model](const Vars& in, const Step& step) {
           return std::vector<Output>{{"logits", model.encode(in[0])->classify(1, step), "of classes"}};
         }});
  return functions;
}

/// The weight of a layer that sees several inputs, whose parts are ours, as the library has it: side by side.
SafeTensors joined(const SafeTensors& parts, const std::vector<std::string>& order) {
  SafeTensors whole{.tensors = {}, .metadata = parts.metadata};
  for (const std::string& name : order) {
    const Tensor& part = parts.at(name);
    const size_t end = name.rfind(".weight_");
    Tensor& joined = whole.tensors[end == name.npos ? name : name.substr(0, end) + ".weight"];
    joined = joined.defined() ? autograd::concat({Var(joined), Var(part)}).value() : part;
  }
  return whole;
}

SafeTensors weights_of(tool::Run& run) {
  nn::StateDict state;
  run.recipe<FamilyRecipe>().add_state(state);
  std::vector<std::string> order;
  for (const auto& [name, tensor] : state.entries())
    if (is_floating(tensor.dtype())) order.push_back(name);
  return joined(train::export_weights(state), order);
}

}  // namespace

exporter::Exported exported() { return {functions_of, weights_of}; }

}  // namespace vae::adgm
