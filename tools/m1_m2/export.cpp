// The functions of M1 and M2 that are exported. On the features of an M1, M2's own are of z1, a sample or the
// mean of M1's q(z1|x).
#include "nn/train/torch_weights.h"
#include "tools/export/inspection.h"
#include "tools/m1_m2/options.h"

namespace vae::m1_m2 {
namespace {

using exporter::Function, exporter::Input, exporter::outputs_of, exporter::Vars;

std::vector<Function> functions_of(const M1& m1, const Input& x, const std::string& prefix = "",
                                   const std::string& z = "z") {
  return {{prefix + "encoder",
           "q(z|x) of M1",
           {x},
           [&m1](const Vars& in, const train::Step&) { return outputs_of(m1.encode(in[0])); }},
          {prefix + "decoder",
           "p(x|z) of M1",
           {exporter::code_input(z, m1.config().z_size)},
           [&m1](const Vars& in, const train::Step&) { return outputs_of(m1.decode(in[0])); }}};
}

std::vector<Function> functions_of(const M2& m2, const Input& x) {
  const Input y = exporter::class_input(m2.config().y_size);
  return {{"encoder",
           "q(z|x, y) of M2",
           {x, y},
           [&m2](const Vars& in, const train::Step&) { return outputs_of(m2.encode(in[0], in[1])); }},
          {"decoder",
           "p(x|z, y) of M2",
           {exporter::code_input("z", m2.config().z_size), y},
           [&m2](const Vars& in, const train::Step&) { return outputs_of(m2.decode(in[0], in[1])); }},
          {"classifier", "q(y|x) of M2", {x}, [&m2](const Vars& in, const train::Step&) {
             return std::vector<exporter::Output>{{"logits", m2.classify(in[0]), "of classes"}};
           }}};
}

}  // namespace

exporter::Exported exported_m1() {
  return {[](tool::Run& run) {
    return functions_of(run.recipe<M1Recipe>().model(), exporter::image_input(run));
  }};
}

exporter::Exported exported_m2() {
  const auto functions = [](tool::Run& run) {
    auto& recipe = run.recipe<M2Recipe>();
    const Input x = exporter::image_input(run);
    const M1* const m1 = recipe.m1();
    if (!m1) return functions_of(recipe.model(), x);
    std::vector<Function> all = functions_of(*m1, x, "m1_", "z1");
    for (Function& f : functions_of(recipe.model(), exporter::code_input("z1", m1->config().z_size)))
      all.push_back(std::move(f));
    return all;
  };
  const auto weights = [](tool::Run& run) {
    nn::StateDict state;
    run.recipe<M2Recipe>().add_state(state);
    return train::export_weights(state);
  };
  return {functions, weights};
}

}  // namespace vae::m1_m2
