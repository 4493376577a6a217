#include "models/sym_vae/generate.h"
#include "models/sym_vae/recipe.h"
#include "sym_vae_case.h"

namespace vae::golden {
namespace {

using autograd::Var;
using sym_vae::kPixels, sym_vae::kSide, sym_vae::SymVae, sym_vae::SymVaeRecipe;

Tensor as_images(const Tensor& rows) { return rows.clone().reshape({rows.size(0), 1, kSide, kSide}); }

bool fits_chain(const nlohmann::json& config) { return config.contains("n_images"); }

Values run_chain(Numbers& numbers) {
  const nlohmann::json& config = numbers.file().config;
  const auto images = config.at("n_images").get<int64_t>(), steps = config.at("steps").get<int64_t>();
  SymVae model(sym_vae_config(config), numbers.options());
  load_sym_vae(numbers, model);
  train::Notes notes;
  const train::Step step = train::Step(0, Tensor::scalar(int64_t{0}, golden_device()), numbers.dtype())
                               .with_noise([&](const std::string& name, Shape shape, train::Draw draw) {
                                 return sym_vae_noise(numbers, "", name, shape, draw);
                               })
                               .with_notes(notes);
  Values values;
  const auto put_bytes = [&](const std::string& name, const Tensor& decoded) {
    std::vector<double> bytes = to_doubles(sym_vae::bytes_of(model, decoded));
    if (model.has_bits())
      for (double& byte : bytes) byte /= 255;
    values["output/" + name + (model.has_bits() ? "_thresholded" : "_bytes")] =
        Tensor::from(bytes, {images, 1, kSide, kSide});
  };
  const Tensor random = sym_vae::random_images(model, images, step.in("sh"));
  values["output/single_shot"] = as_images(model.mean_of(Var(random)));
  put_bytes("single_shot", random);

  const Tensor limit =
      sym_vae::limiting_images(model, images_of(numbers, "input/x_start", images), steps, step);
  for (int64_t t = 0; t < steps; ++t)
    values[fmt::format("output/step{}.x", t)] = as_images(notes.at(fmt::format("step{}/x", t)).value());
  values["output/last_step_mean"] =
      as_images(model.mean_of(notes.at(fmt::format("step{}/decoded", steps - 1))));
  values["output/final_mean"] = as_images(model.mean_of(Var(limit)));
  put_bytes("final", limit);

  const sym_vae::Drawn drawn = model.draw(images, step.in("anc"));
  values["output/anc.z0"] = drawn.codes.z0.value(), values["output/anc.z1"] = drawn.codes.z1.value();
  values["output/anc.x"] = as_images(drawn.x.value());
  const Var last = notes.at(fmt::format("step{}/x", steps - 1));
  const sym_vae::Codes codes = model.encode(last, images, step.in("post"));
  values["output/post.z0"] = codes.z0.value(), values["output/post.z1"] = codes.z1.value();
  return values;
}

std::optional<Tolerance> chain_tolerance(const File& file, const std::string& name, DType precision) {
  if (name.ends_with("_bytes")) return Tolerance{.absolute = 1};
  const bool bits = name.ends_with("z0") || name.ends_with("z1") || name.ends_with("_thresholded") ||
                    (name.ends_with(".x") && file.config.at("likelihood") == "bernoulli");
  if (bits) return Tolerance{};
  return Tolerance{.absolute = precision == DType::f32 ? 1e-5 : 1e-10};
}

bool fits_data(const nlohmann::json& config) { return config.contains("threshold"); }

/// Numbers in front of images that are zero behind them.
template <class T>
std::vector<T> filled_up(const std::vector<double>& values) {
  std::vector<T> images(values.begin(), values.end());
  images.resize((values.size() + kPixels - 1) / kPixels * kPixels);
  return images;
}

/// How a recipe sees bytes.
Tensor seen(const std::vector<double>& bytes, nn::LikelihoodKind likelihood, const nn::Options& options) {
  const std::vector<uint8_t> pixels = filled_up<uint8_t>(bytes);
  const auto images = static_cast<int64_t>(pixels.size()) / kPixels;
  const bool bits = likelihood == nn::LikelihoodKind::bernoulli;
  const train::ImageSet set{Tensor::from(pixels, {images, kSide, kSide, 1}, options.device),
                            Tensor::zeros({images}, DType::i64).to(options.device),
                            bits ? train::Inputs::binary : train::Inputs::unit};
  SymVaeRecipe recipe({.model = {.likelihood = likelihood, .nz0 = 1, .nz1 = 1, .width = 1},
                       .trained_on = sym_vae::TrainedOn::train},
                      {.train = set, .test = set}, options);
  const Tensor all = recipe.images().gather(train::all_items(recipe.images()), options.dtype);
  return all.reshape({all.numel()}).slice(0, static_cast<int64_t>(bytes.size()));
}

Values run_data(Numbers& numbers) {
  const nlohmann::json& config = numbers.file().config;
  const nn::Options options = numbers.options();
  Values values;
  const std::vector<double> bytes = to_doubles(numbers.integers("input/bytes"));
  values["output/unit_float"] = seen(bytes, nn::LikelihoodKind::gaussian, options);
  values["output/mnist_binary"] = seen(bytes, nn::LikelihoodKind::bernoulli, options);

  const auto count = numbers.file().content.at("input/save_values").numel();
  std::vector<int64_t> saved;
  for (const double v : to_doubles(numbers.get("input/save_values", {count})))
    saved.push_back(sym_vae::byte_of(static_cast<float>(v)));
  values["output/save_bytes"] = Tensor::from(saved, {count});

  std::vector<float> images;
  for (const double byte : to_doubles(numbers.integers("input/grid_images")))
    images.push_back(static_cast<float>(byte / 255));
  const report::Image grid = sym_vae::image_rows(images, config.at("nrow").get<int>());
  const std::vector<int64_t> pixels(grid.pixels.begin(), grid.pixels.end());
  values["output/grid_bytes"] = Tensor::from(pixels, {grid.height, grid.width});

  const auto length = numbers.file().content.at("input/series").numel();
  nn::Module root(options);
  const sym_vae::RunningAverages average(&root, {"average"});
  std::vector<double> running;
  const Tensor series = numbers.get("input/series", {length});
  for (int64_t i = 0; i < length; ++i) {
    const train::Step step(0, Tensor::scalar(i, options.device), options.dtype);
    average.add({Var(series.slice(i, i + 1))}, step);
    if (i % 100 == 99) running.push_back(average.values()[0]);
  }
  values["output/running_every_100"] = Tensor::from(running, {static_cast<int64_t>(running.size())});
  return values;
}

std::optional<Tolerance> data_tolerance(const File&, const std::string& name, DType precision) {
  if (name == "output/unit_float") return Tolerance{.absolute = 1e-7};  // stored from f32
  if (name == "output/running_every_100")
    return Tolerance{.of_maximum = precision == DType::f32 ? 1e-5 : 1e-12};
  return Tolerance{};
}

}  // namespace

FileKind sym_vae_chain() {
  return {.name = "Markov chain",
          .fits = fits_chain,
          .precisions = {DType::f64, DType::f32},
          .run = run_chain,
          .tolerance = chain_tolerance};
}

FileKind sym_vae_data() {
  return {.name = "bytes and averages",
          .fits = fits_data,
          .precisions = {DType::f64, DType::f32},
          .run = run_data,
          .tolerance = data_tolerance};
}

}  // namespace vae::golden
