#pragma once
// Small models of the ADGM family in every variant, with data and noise that repeat.
#include "models/adgm/recipe.h"
#include "tests/numeric.h"

namespace vae::adgm {

inline constexpr int64_t kX = 6, kClasses = 3, kLabelled = 4, kUnlabelled = 5;

struct Variant {
  std::string name;
  Config config;
  Samples samples{};
};

inline Config small(Kind kind) {
  Config c;
  c.kind = kind;
  c.x_size = kX, c.y_size = kClasses;
  c.z = {3}, c.a = 2, c.hidden = {5, 4};
  c.features_z = 4, c.features_hidden = {5};
  c.draws = 4;
  if (kind == Kind::ladder || kind == Kind::ladder_m2) c.z = {3, 2, 2}, c.hidden = {5, 4, 3};
  return c;
}

/// Every kind of model with every switch.
inline std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const Kind kind : {Kind::adgm, Kind::sdgm, Kind::m2, Kind::stacked, Kind::ladder_m2, Kind::vae,
                          Kind::ladder, Kind::gumbel})
    all.push_back({name_of(kind), small(kind)});
  const auto add = [&](const char* name, Kind kind, const auto& change) {
    Variant variant{name_of(kind) + ", " + name, small(kind)};
    change(variant);
    all.push_back(variant);
  };
  for (const Kind kind : {Kind::adgm, Kind::m2, Kind::vae, Kind::ladder, Kind::ladder_m2})
    add("raw and exact", kind, [](Variant& v) { v.config.raw_log_var = true, v.config.eps = 0; });
  for (const Kind kind : {Kind::adgm, Kind::sdgm, Kind::m2, Kind::ladder_m2})
    add("2 x 3 samples", kind, [](Variant& v) { v.samples = {2, 3}; });
  for (const Kind kind : {Kind::adgm, Kind::sdgm}) {
    add("shared a", kind, [](Variant& v) { v.config.share_a = true; });
    add("shared a, 2 x 2 samples", kind, [](Variant& v) { v.config.share_a = true, v.samples = {2, 2}; });
  }
  add("deep classifier", Kind::adgm, [](Variant& v) { v.config.classifier_hidden = {4, 3}; });
  add("flows", Kind::vae, [](Variant& v) { v.config.flows = 2; });
  add("fixed flows", Kind::vae, [](Variant& v) { v.config.flows = 2, v.config.fixed_flow = true; });
  add("tanh decoder", Kind::vae, [](Variant& v) {
    v.config.decoder_hidden = {3, 5, 4},
    v.config.decoder_activation = kernels::activation(kernels::Map::tanh);
  });
  add("fixed", Kind::ladder, [](Variant& v) { v.config.fixed_ladder = true; });
  add("fixed", Kind::ladder_m2, [](Variant& v) { v.config.fixed_ladder = true; });
  add("fixed", Kind::gumbel, [](Variant& v) { v.config.fixed_gumbel = true; });
  return all;
}

/// A step whose noise is the same for the same name and shape.
inline Step fixed_step(DType dtype) {
  return Step(0, Tensor::scalar(int64_t{0}), dtype)
      .with_noise([=](const std::string& name, Shape shape, train::Draw draw) {
        const Tensor noise = Tensor::empty(shape, dtype), step = Tensor::scalar(int64_t{0});
        const RandomKey key = RandomKey::named(5, name);
        draw == train::Draw::normal ? kernels::random_normal(noise, key, step, {})
                                    : kernels::random_uniform(noise, key, step, {});
        return noise;
      });
}

inline Tensor images(int64_t rows, DType dtype, uint64_t stream) {
  return test::sample_tensor({rows, kX}, dtype, kCpu, 0.1, 0.9, stream);
}

inline SemiBatch semi_batch(DType dtype) {
  return {images(kLabelled, dtype, 1), Tensor::from(std::vector<int64_t>{0, 2, 1, 2}, {kLabelled}),
          images(kUnlabelled, dtype, 2), kLabelled, kUnlabelled};
}

inline Objective objective(const Variant& variant) {
  return {2.5, variant.samples, kernels::Schedule::constant(0.7), kernels::Schedule::constant(0.8)};
}

/// The complete loss of a variant.
inline Var loss_of(const Model& model, const Variant& variant, DType dtype) {
  if (has_labels(variant.config.kind))
    return semi_supervised_loss(model, semi_batch(dtype), objective(variant), fixed_step(dtype)).total;
  return unsupervised_loss(model, images(kUnlabelled, dtype, 2), kUnlabelled, objective(variant),
                           fixed_step(dtype).in("F"))
      .total;
}

}  // namespace vae::adgm
