#pragma once
// `import`: a run of weights that a PyTorch program trained. Inspections look at it; training can resume it.
#include "tensor/safetensors.h"
#include "tools/common/tool.h"

namespace vae::tool {

/// The extent of an axis of a tensor of a published program's state dict (nn/train/torch_weights.h); throws
/// Error(data) naming file and tensor where it has none.
int64_t extent(const SafeTensors& state, const std::string& name, int axis = 0);

/// What a family says of such files.
struct Published {
  std::function<nlohmann::json(const SafeTensors&)>
      options;                                  ///< those that the tensors decide, such as sizes
  std::function<void(SafeTensors&)> reorder{};  ///< puts units into the order that ours have
};

/// Makes the run: split, configuration and checkpoint. Throws Error(io), Error(data) for a file that does not
/// fit.
void import_weights(Run& run, const Published& published, const std::filesystem::path& file);

/// `then`: what is said of the run.
template <class Options>
Inspection<Options> import_inspection(const Published& published,
                                      const std::function<int(Run&, Options&)>& then) {
  return {.name = "import",
          .help = "make a run of the published code's weights",
          .describe =
              [](const OptionTable& t, Options& o) {
                t.add("weights", o.weights, "safetensors file of them").required().unstored();
              },
          .run =
              [=](Run& run, Options& o) {
                import_weights(run, published, o.weights);
                return then(run, o);
              },
          .of_trained = false};
}

}  // namespace vae::tool
