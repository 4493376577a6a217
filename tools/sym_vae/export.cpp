// The functions of the symmetric VAE that are exported. Uniform noise draws the bits between.
#include "tools/export/inspection.h"
#include "tools/sym_vae/options.h"

namespace vae::sym_vae {
namespace {

using exporter::Function, exporter::Input, exporter::Output, exporter::Vars;

std::vector<Function> functions_of(tool::Run& run) {
  const SymVae& model = run.recipe<SymVaeRecipe>().model();
  const auto encode = [&model](const Vars& in, const train::Step& step) {
    const Codes q = model.encode(in[0], in[0].shape()[0], step);
    return std::vector<Output>{{"z0_logits", q.logits0, "of bits z0"},
                               {"z1_logits", q.logits1, "of bits z1"}};
  };
  const auto prior = [&model](const Vars& in, const train::Step&) {
    return std::vector<Output>{{"logits", model.prior(in[0]), "of bits z1"}};
  };
  const auto decode = [&model](const Vars& in, const train::Step&) {
    return std::vector<Output>{{model.has_bits() ? "logits" : "mean", model.decode(in[0]), "of pixels"}};
  };
  const Input z0{"z0", {model.config().nz0}, "bits, 0 or 1"}, z1{"z1", {model.config().nz1}, "bits, 0 or 1"};
  return {{"encoder", "q(z0, z1|x)", {exporter::image_input(run)}, encode},
          {"prior", "p(z1|z0); bits z0 are 0 or 1 with probability 1/2", {z0}, prior},
          {"decoder", "p(x|z1)", {z1}, decode}};
}

}  // namespace

exporter::Exported exported() { return {functions_of}; }

}  // namespace vae::sym_vae
