#pragma once
// `export`: a trained model for other programs, as functions in ONNX files and as weights under PyTorch's
// names.
#include "nn/distributions.h"
#include "tensor/safetensors.h"
#include "tools/common/tool.h"
#include "tools/export/function.h"

namespace vae::exporter {

/// The weights of a run's model as they are, by the names of the published program where those are ours.
SafeTensors weights_of(tool::Run& run);

/// What a family exports of a run, whose model is in test mode.
struct Exported {
  std::function<std::vector<Function>(tool::Run&)> functions;
  std::function<SafeTensors(tool::Run&)> weights = weights_of;
};

/// Images as the models of a run see them: flat, or NHWC.
Input image_input(const tool::Run& run, bool flat = true);
/// One-hot classes.
Input class_input(int64_t classes);
inline Input code_input(const std::string& name, int64_t width) { return {name, {width}, "latent code"}; }
/// mean and log_var, behind a prefix; logits of bits, or mean and log_var.
std::vector<Output> outputs_of(const nn::Gaussian& q, const std::string& prefix = "");
std::vector<Output> outputs_of(const nn::Likelihood& p);

/// Writes what the options ask for. Throws Error(usage) where they ask for nothing, or for a function that
/// cannot be exported; Error(io) for a folder or file that exists.
void write(tool::Run& run, const Exported& exported, const tool::CommonOptions& options);

template <class Options>
tool::Inspection<Options> inspection(const Exported& exported) {
  return {"export", "write a trained model for other programs",
          [](const tool::OptionTable& t, Options& o) {
            t.add("onnx", o.onnx, "new folder of ONNX files: encoder, decoder, classifier").unstored();
            t.add("torch-names", o.torch_names, "new safetensors file, named and laid out as PyTorch does")
                .unstored();
          },
          [=](tool::Run& run, Options& o) { return write(run, exported, o), 0; }};
}

}  // namespace vae::exporter
