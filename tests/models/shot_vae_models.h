#pragma once
// Small nets of the SHOT-VAE family, a backbone of each kind among them, and sets of a few colour pictures.
#include "models/shot_vae/recipe.h"
#include "tests/models/few.h"

namespace vae::shot_vae {

struct NamedBackbone {
  std::string name;
  backbones::Config config;
};

/// A backbone of each kind, and of bottlenecks, all with dropout.
inline std::vector<NamedBackbone> small_backbones() {
  std::vector<NamedBackbone> nets{{"wide", {.sizes = backbones::WideResNet{10, 0.25, 2}}},
                                  {"basic", {.sizes = backbones::PreActResNet{{1, 1}, 1, 2}}},
                                  {"bottleneck", {.sizes = backbones::PreActResNet{{1, 1}, 4, 2}}},
                                  {"dense", {.sizes = backbones::DenseNet{2, {1, 1}, 3, 2}}}};
  for (NamedBackbone& net : nets) net.config.dropout = 0.25;
  return nets;
}

inline Config small_config(const backbones::Config& backbone = small_backbones()[0].config) {
  return {.backbone = backbone, .z_size = 3, .classes = 3, .decoder_width = 1};
}

/// Pictures of side x side pixels, all different, of the classes 0, 1, ..., in turn.
inline train::ImageSet few_pictures(int64_t count, int64_t side, int64_t classes, uint64_t stream = 0,
                                    int64_t channels = 3) {
  train::ImageSet set = test::few_images(count, side, side * channels, classes, stream);
  set.pixels = set.pixels.reshape({count, side, side, channels});
  return set;
}

/// 15 labelled pictures, 20 without labels, 5 for validation, and 8 of a test set.
inline train::Data few_data(int64_t side = 32, int64_t classes = 3) {
  const auto items = [](int64_t begin, int64_t end) { return train::item_range(begin, end, kCpu); };
  return {few_pictures(40, side, classes, 0),
          few_pictures(8, side, classes, 1),
          classes,
          "few",
          {items(0, 15), items(15, 35), items(35, 40)}};
}

inline train::Step step_of(int64_t iteration, DType dtype = DType::f64) {
  return {7, Tensor::scalar(iteration), dtype};
}

inline Images pictures(int64_t n, uint64_t stream, int64_t classes = 3, DType dtype = DType::f64) {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < n; ++i) labels.push_back((i * i + 1) % classes);
  return {Var(test::sample_tensor({n, 32, 32, 3}, dtype, kCpu, 0, 1, stream)), train::items_of(labels, kCpu)};
}

/// Weights of which each counts.
inline Objective full_objective(Reconstruction reconstruction) {
  return {.reconstruction = reconstruction,
          .sigma = 0.7,
          .target_z = {1.5, 0},
          .target_y = {0.3, 0},
          .beta_z = {0.7, 0},
          .beta_y = {0.9, 0},
          .elbo = {0.01, 0},
          .distance = {30, 0},
          .unlabeled = {0.8, 0}};
}

}  // namespace vae::shot_vae
