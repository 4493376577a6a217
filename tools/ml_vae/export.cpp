// The functions of the multi-level VAE that are exported.
#include "tools/export/inspection.h"
#include "tools/ml_vae/options.h"

namespace vae::ml_vae {
namespace {

using exporter::Function, exporter::Output, exporter::Vars;

std::vector<Function> functions_of(tool::Run& run) {
  const MlVae& model = run.recipe<MlVaeRecipe>().model();
  const auto encode = [&model](const Vars& in, const train::Step&) {
    const Codes codes = model.encode(in[0]);
    std::vector<Output> outputs = exporter::outputs_of(codes.style, "style_");
    const std::vector<Output> of_class = exporter::outputs_of(codes.class_code, "class_");
    outputs.insert(outputs.end(), of_class.begin(), of_class.end());
    return outputs;
  };
  const auto decode = [&model](const Vars& in, const train::Step&) {
    return std::vector<Output>{{"logits", model.decode(in[0], in[1]), "of pixels"}};
  };
  return {
      {"encoder", "q(style|x) and the evidence of x on its class code", {exporter::image_input(run)}, encode},
      {"decoder",
       "p(x|style, class code)",
       {exporter::code_input("style", model.config().style_dim),
        exporter::code_input("class", model.config().class_dim)},
       decode}};
}

}  // namespace

exporter::Exported exported() { return {functions_of}; }

}  // namespace vae::ml_vae
