// The functions of the models on deep backbones, and of smooth-ELBO learning, that are exported.
#include "tools/export/inspection.h"
#include "tools/shot_vae/classifier_options.h"
#include "tools/shot_vae/options.h"
#include "tools/shot_vae/smooth_options.h"
#include "tools/shot_vae/smooth_weights.h"

namespace vae::shot_vae {
namespace {

using exporter::Function, exporter::Input, exporter::Output, exporter::Vars;

/// How a model with a class computes its functions.
struct Passes {
  decltype(Function::outputs) encode, decode, classify;
};

std::vector<Function> functions_of(const Input& x, const Input& z, const Input& y, const Passes& passes) {
  return {{"encoder", "q(z|x)", {x}, passes.encode},
          {"decoder", "p(x|z, y)", {z, y}, passes.decode},
          {"classifier", "q(y|x)", {x}, passes.classify}};
}

std::vector<Function> functions_of_shot(tool::Run& run) {
  const ShotVae& model = run.recipe<ShotRecipe>().model();
  const auto encode = [&model](const Vars& in, const train::Step& step) {
    const Posterior q = model.encode(in[0], in[0].shape()[0], step);
    return exporter::outputs_of({q.mean, q.log_var});
  };
  const auto classify = [&model](const Vars& in, const train::Step& step) {
    const Posterior q = model.encode(in[0], in[0].shape()[0], step);
    return std::vector<Output>{{"logits", q.log_alpha, "log q(y|x)"}};
  };
  const auto decode = [&model](const Vars& in, const train::Step&) {
    return std::vector<Output>{{"logits", model.decode(in[0], in[1]), "of pixels, NCHW"}};
  };
  const Input x = exporter::image_input(run, false);
  const Config& c = model.config();
  return functions_of(x, exporter::code_input("z", c.z_size), exporter::class_input(c.classes),
                      {encode, decode, classify});
}

std::vector<Function> functions_of_classifier(tool::Run& run) {
  const Classifier& model = run.recipe<ClassifierRecipe>().model();
  const auto classify = [&model](const Vars& in, const train::Step& step) {
    return std::vector<Output>{{"logits", model(in[0], in[0].shape()[0], step), "of classes"}};
  };
  return {{"classifier", "q(y|x)", {exporter::image_input(run, false)}, classify}};
}

std::vector<Function> functions_of_smooth(tool::Run& run) {
  const Smooth& model = run.recipe<SmoothRecipe>().model();
  const auto encode = [&model](const Vars& in, const train::Step&) {
    return exporter::outputs_of(model.encode(in[0]).z);
  };
  const auto classify = [&model](const Vars& in, const train::Step&) {
    return std::vector<Output>{{"probabilities", model.encode(in[0]).alpha, "q(y|x)"}};
  };
  const auto decode = [&model](const Vars& in, const train::Step&) {
    return std::vector<Output>{{"x", model.decode(autograd::concat({in[0], in[1]})), "images NCHW, -1 to 1"}};
  };
  Input x = exporter::image_input(run, false);
  x.doc += "; that times 2, minus 1";
  const SmoothConfig& c = model.config();
  return functions_of(x, exporter::code_input("z", c.z_size), exporter::class_input(c.classes),
                      {encode, decode, classify});
}

}  // namespace

exporter::Exported exported_shot() { return {functions_of_shot}; }

exporter::Exported exported_classifier() { return {functions_of_classifier}; }

exporter::Exported exported_smooth() {
  const auto weights = [](tool::Run& run) {
    SafeTensors state = exporter::weights_of(run);
    const SmoothConfig& c = run.recipe<SmoothRecipe>().model().config();
    reorder_units(state, c.conv.back(), Units::maps_first);
    return state;
  };
  return {functions_of_smooth, weights};
}

}  // namespace vae::shot_vae
