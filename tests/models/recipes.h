#pragma once
// A small recipe of every kind, with batch norm where its models have any.
#include <functional>

#include "models/m1_m2/recipe.h"
#include "models/ml_vae/classifier.h"
#include "models/ml_vae/recipe.h"
#include "models/mnist_cnn/recipe.h"
#include "models/shot_vae/classifier_recipe.h"
#include "models/shot_vae/recipe.h"
#include "models/shot_vae/smooth_recipe.h"
#include "models/sym_vae/recipe.h"
#include "nn/eval/estimate.h"
#include "nn/fit/fit_recipe.h"
#include "tests/models/adgm_models.h"
#include "tests/models/few.h"
#include "tests/models/sym_vae_models.h"

namespace vae::test {

inline constexpr int64_t kSide = 3, kRecipeClasses = 3;

/// 40 training images of 3 x 3 pixels, 15 of them labelled, and a test set.
inline train::Data data_of(const train::ImageSet& test) {
  using train::item_range;
  const Device device = test.device();
  return {few_images(40, kSide, kSide, kRecipeClasses, 0, device),
          test,
          kRecipeClasses,
          "few",
          {item_range(0, 15, device), item_range(15, 35, device), item_range(35, 40, device)}};
}
inline train::Data data_on(Device device) {
  return data_of(few_images(40, kSide, kSide, kRecipeClasses, 1, device));
}

struct NamedRecipe {
  std::string name;
  std::function<std::unique_ptr<train::Recipe>(const train::Data& data)> make;
  int64_t evaluation_batch = eval::kBatch;  ///< images that are evaluated at a time
};

/// Of the recipes that are made; those of "fit" and "mnist-cnn" are f32 throughout.
inline DType recipe_dtype = DType::f32;

inline nn::Options options_of(const train::Data& data) { return {recipe_dtype, data.test.device(), 1}; }

/// A net as a user of Fit would write one.
struct UsersNet : nn::Module {
  using Module::Module;
  nn::Linear in{this, "in", kSide* kSide, 8};
  nn::BatchNorm norm{this, "norm", 8};
  nn::Dropout dropout{this, "dropout", 0.2, "dropout"};
  nn::Linear out{this, "out", 8, kSide* kSide};
  autograd::Var operator()(const autograd::Var& x) const { return out(dropout(autograd::tanh(norm(in(x))))); }
  fit::Losses loss(const fit::Batch& batch, const train::Step& step) const {
    const autograd::Var x = autograd::flatten(batch.x),
                        y = (*this)(x + 0.1 * step.normal("noise", x.shape()));
    return {autograd::mean(autograd::square(y - x)), {{"size", autograd::mean(y)}}};
  }
};

/// Its recipe, which holds it.
class UsersRecipe : std::unique_ptr<UsersNet>, public fit::FitRecipe {
 public:
  explicit UsersRecipe(const train::Data& data)
      : UsersRecipe(std::make_unique<UsersNet>(nn::Options{DType::f32, data.test.device(), 1}), data) {}

 private:
  UsersRecipe(std::unique_ptr<UsersNet> made, const train::Data& data)
      : std::unique_ptr<UsersNet>(std::move(made)),
        FitRecipe(
            *get(),
            [net = get()](const fit::Batch& batch, const train::Step& step) {
              return net->loss(batch, step);
            },
            {.run = {}, .batch = 10}, data) {
    scatter(*get());
    show({{"again", [net = get()](const train::Step& step) {
             return autograd::sigmoid((*net)(step.normal("picture", {4, kSide * kSide})));
           }}});
  }
};

/// M1, M2 in both orders of its updates, M1+M2.
inline void add_m1_m2(std::vector<NamedRecipe>& recipes, const kernels::Schedule& rate) {
  using namespace m1_m2;
  const NetConfig net{.hidden = {8, 5}, .dropout = 0.2};
  M1Config m1;
  m1.x_size = kSide * kSide, m1.z_size = 2;
  m1.encoder = m1.decoder_net = net;
  M2Config m2;
  m2.x_size = kSide * kSide, m2.y_size = kRecipeClasses, m2.z_size = 2;
  m2.encoder_xy_z = m2.encoder_x_y = m2.decoder_net = net;
  recipes.push_back({"m1", [=](const train::Data& data) {
                       return std::make_unique<M1Recipe>(
                           M1Recipe::Settings{.model = m1, .batch = 10, .rate = rate}, data,
                           options_of(data));
                     }});
  const auto add = [&](const char* name, M2Update update, const M2Config& model,
                       std::optional<M1Config> below) {
    const M2Recipe::Settings settings{.model = model,
                                      .m1 = below,
                                      .batch_labeled = 6,
                                      .batch_unlabeled = 8,
                                      .objective = {.update = update},
                                      .rate = rate};
    recipes.push_back({name, [=](const train::Data& data) {
                         auto recipe = std::make_unique<M2Recipe>(settings, data, options_of(data));
                         if (recipe->m1()) scatter(*recipe->m1());  // as if it were trained
                         return recipe;
                       }});
  };
  add("m2", M2Update::separate, m2, {});
  add("m2, joint", M2Update::joint, m2, {});
  M2Config features = m2;
  features.decoder = nn::LikelihoodKind::gaussian, features.x_size = m1.z_size;
  add("m1+m2", M2Update::separate, features, m1);
}

/// Codes of two variables, as if an encoder had given them.
inline ml_vae::SetCodes codes_of(const train::ImageSet& images) {
  const auto rows = [&](uint64_t stream) {
    const Shape shape{images.size(), 2};
    return ml_vae::GaussianRows{sample_tensor(shape, recipe_dtype, images.device(), -1, 1, stream),
                                sample_tensor(shape, recipe_dtype, images.device(), -1, 1, stream + 1)};
  };
  return {rows(1), rows(3), images.labels};
}

inline void add_ml_vae(std::vector<NamedRecipe>& recipes) {
  using namespace ml_vae;
  recipes.push_back(
      {"ml_vae", [](const train::Data& data) {
         return std::make_unique<MlVaeRecipe>(
             MlVaeRecipe::Settings{
                 .model = {.x_size = kSide * kSide, .hidden = 8, .style_dim = 2, .class_dim = 2},
                 .batch = 10,
                 .reshuffle = true},
             data, options_of(data));
       }});
  recipes.push_back({"ml_vae, classifiers", [](const train::Data& data) {
                       return std::make_unique<ClassifierRecipe>(ClassifierRecipe::Settings{.batch = 10},
                                                                 codes_of(data.train), kRecipeClasses,
                                                                 options_of(data));
                     }});
}

/// Images of side x side pixels: a pixel of the given ones and its neighbours are alike.
inline train::ImageSet enlarged(const train::ImageSet& small, int64_t side) {
  const auto pixels = small.pixels.to_vector<uint8_t>();
  std::vector<uint8_t> large;
  for (int64_t i = 0; i < small.size(); ++i)
    for (int64_t y = 0; y < side; ++y)
      for (int64_t x = 0; x < side; ++x)
        large.push_back(pixels[(i * kSide + y * kSide / side) * kSide + x * kSide / side]);
  return {Tensor::from(large, {small.size(), side, side, 1}, small.device()), small.labels, small.inputs};
}

/// Symmetric learning of bits and with a ladder; the bound of grey values and with an encoder of its own.
inline void add_sym_vae(std::vector<NamedRecipe>& recipes) {
  using namespace sym_vae;
  const auto add = [&](const char* name, const Config& model, Learning learning, train::Inputs inputs) {
    recipes.push_back(
        {name, [=](const train::Data& data) {
           train::Data large{enlarged(data.train, sym_vae::kSide), enlarged(data.test, sym_vae::kSide)};
           large.train.inputs = large.test.inputs = inputs;
           return std::make_unique<SymVaeRecipe>(
               SymVaeRecipe::Settings{.model = model, .learning = learning, .batch = 10}, large,
               options_of(data));
         }});
  };
  add("sym_vae", sym_vae::small(), Learning::symmetric, train::Inputs::binary);
  add("sym_vae, elbo", sym_vae::small(EncoderKind::reverse, nn::LikelihoodKind::gaussian), Learning::elbo,
      train::Inputs::unit);
}

/// SHOT-VAE with either partner, the plain bound, the classifier and FixMatch, smooth-ELBO learning. The last
/// batches of a pass are smaller.
inline void add_shot_vae(std::vector<NamedRecipe>& recipes) {
  using namespace shot_vae;
  constexpr int64_t side = 32;
  const auto large = [](train::Data data) {
    data.train = enlarged(data.train, side), data.test = enlarged(data.test, side);
    return data;
  };
  const SourceSettings source{.batch_labeled = 6, .batch = 8};
  const backbones::Config wide{.sizes = backbones::WideResNet{10, 0.25, 2}, .dropout = 0.2, .channels = 1},
      dense{.sizes = backbones::DenseNet{2, {1, 1}, 2, 2}, .channels = 1};
  const auto shot = [&](const char* name, Method method, Partner partner, const backbones::Config& backbone) {
    ShotRecipe::Settings settings{
        .training = {.source = source, .rate = {.drops = {1}}, .augment_validation = true, .average = 0.9},
        .model = {.backbone = backbone, .z_size = 2, .classes = kRecipeClasses, .decoder_width = 1},
        .method = method,
        .objective = reference_objective(method, "cifar10", 4, 1, 0.1),
        .partner = partner};
    settings.training.source.equal_batches = method == Method::m2;
    recipes.push_back({name,
                       [=](const train::Data& data) {
                         return std::make_unique<ShotRecipe>(settings, large(data), options_of(data));
                       },
                       source.batch});
  };
  shot("shot_vae", Method::shot, Partner::random, dense);
  shot("shot_vae, nearest", Method::shot, Partner::nearest, wide);
  shot("shot_m2", Method::m2, Partner::random, wide);
  const auto classifier = [&](const char* name, ClassifierMethod method) {
    const ClassifierRecipe::Settings settings{.training = {.source = source, .rate = {.drops = {1}}},
                                              .backbone = wide,
                                              .classes = kRecipeClasses,
                                              .method = method,
                                              .threshold = 0.4};
    recipes.push_back({name,
                       [=](const train::Data& data) {
                         return std::make_unique<ClassifierRecipe>(settings, large(data), options_of(data));
                       },
                       source.batch});
  };
  classifier("shot_classifier", ClassifierMethod::supervised);
  classifier("fixmatch", ClassifierMethod::fixmatch);
  const SmoothRecipe::Settings smooth{
      .model = {.conv = {2, 2}, .deconv = {2}, .hidden = 4, .z_size = 2, .classes = kRecipeClasses},
      .batch_labeled = 6,
      .batch = 8,
      .plateau = train::Plateau::Settings{.patience = 0}};
  recipes.push_back({"smooth_elbo", [=](const train::Data& data) {
                       return std::make_unique<SmoothRecipe>(smooth, large(data), options_of(data));
                     }});
}

/// All but the ADGM family, as they are trained at a rate.
inline std::vector<NamedRecipe> recipes_at(const kernels::Schedule& rate) {
  std::vector<NamedRecipe> recipes;
  add_m1_m2(recipes, rate);
  add_ml_vae(recipes);
  add_sym_vae(recipes);
  add_shot_vae(recipes);
  recipes.push_back({"mnist-cnn", [](const train::Data& data) {
                       return std::make_unique<mnist_cnn::CnnRecipe>(
                           mnist_cnn::Settings{.features = 8, .batch = 10, .shift = 1}, data,
                           data.test.device());
                     }});
  recipes.push_back({"fit", [](const train::Data& data) { return std::make_unique<UsersRecipe>(data); }});
  return recipes;
}

/// All recipes.
inline std::vector<NamedRecipe> recipes() {
  std::vector<NamedRecipe> all = recipes_at(kernels::Schedule::constant(1e-2));
  for (const adgm::Variant& variant : adgm::variants())
    all.push_back({variant.name,
                   [variant](const train::Data& data) {
                     adgm::Settings settings{.model = variant.config, .batch = 8, .batch_labeled = 4};
                     settings.model.x_size = kSide * kSide, settings.model.y_size = kRecipeClasses;
                     settings.objective.samples = variant.samples;
                     settings.iters_per_epoch = 4;
                     return adgm::make_recipe(settings, data, options_of(data));
                   },
                   8});
  return all;
}

}  // namespace vae::test
