// A run of parameters that the public PyTorch implementation trained.
#include "tools/common/import.h"

#include "tools/ml_vae/options.h"

namespace vae::ml_vae {

tool::Inspection<Options> import_weights() {
  const auto sizes = [](const SafeTensors& state) {
    return nlohmann::json{{"hidden", tool::extent(state, "encoder.linear_model.linear_1.bias")},
                          {"style-dim", tool::extent(state, "encoder.style_mu.bias")},
                          {"class-dim", tool::extent(state, "encoder.class_mu.bias")}};
  };
  const auto look = [](tool::Run& run, Options& o) { return run.write_pictures(), probe().run(run, o); };
  return tool::import_inspection<Options>({sizes}, look);
}

}  // namespace vae::ml_vae
