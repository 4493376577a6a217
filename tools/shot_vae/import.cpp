// Runs of weights that the published programs trained.
#include "tools/common/import.h"

#include "tools/shot_vae/classifier_options.h"
#include "tools/shot_vae/options.h"
#include "tools/shot_vae/smooth_options.h"
#include "tools/shot_vae/smooth_weights.h"

namespace vae::shot_vae {
namespace {

/// Extents of tensors NAME.0.weight, NAME.2.weight, ... along an axis, as a list of layers.
std::string layers(const SafeTensors& state, const std::string& name, int axis, bool with_last) {
  std::vector<int64_t> units;
  for (int i = 0;; i += 2) {
    const std::string weight = fmt::format("{}.{}.weight", name, i);
    if (i > 0 && !state.contains(weight)) break;
    units.push_back(tool::extent(state, weight, axis));
  }
  if (!with_last) units.pop_back();
  return fmt::format("{}", fmt::join(units, ","));
}

nlohmann::json sizes_of_smooth(const SafeTensors& state) {
  return {{"conv", layers(state, "img_to_features", 0, true)},
          {"deconv", layers(state, "features_to_img", 1, false)},
          {"hidden", tool::extent(state, "features_to_hidden.0.bias")},
          {"z", tool::extent(state, "fc_mean.bias")}};
}

/// Their linear layers between maps and codes take the maps one after the other.
void reorder_smooth(SafeTensors& state) {
  reorder_units(state, tool::extent(state, "features_to_img.0.weight"), Units::maps_last);
}

template <class Options>
tool::Inspection<Options> import_and_test(const tool::Published& published) {
  return tool::import_inspection<Options>(published, [](tool::Run& run, Options&) { return run.test(0), 0; });
}

}  // namespace

tool::Inspection<Options> import_shot() {
  return import_and_test<Options>({[](const SafeTensors& state) {
    return nlohmann::json{{"z", tool::extent(state, "continuous_inference.mean.fc.bias")},
                          {"decoder-width", tool::extent(state, "feature_reconstructor.decoder.13.weight")}};
  }});
}

tool::Inspection<ClassifierOptions> import_classifier() {
  return import_and_test<ClassifierOptions>({[](const SafeTensors&) { return nlohmann::json::object(); }});
}

tool::Inspection<SmoothOptions> import_smooth() {
  return import_and_test<SmoothOptions>({sizes_of_smooth, reorder_smooth});
}

}  // namespace vae::shot_vae
