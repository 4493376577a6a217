// What is read off a trained ML-VAE: swap grids, reconstructions, t-SNE, probes.
#include "models/common/evaluation.h"
#include "nn/eval/qda.h"
#include "nn/eval/tsne.h"
#include "nn/report/image_grid.h"
#include "nn/report/scatter.h"
#include "nn/train/progress.h"
#include "tensor/file.h"
#include "tools/common/pictures.h"
#include "tools/ml_vae/experiment.h"

namespace vae {
namespace {

/// MNIST test images of the digits 0 to 9 that the published grids show.
constexpr std::array<int64_t, 10> kPublishedDigits{3215, 2034, 7483, 9501, 5178, 2237, 952, 9979, 3064, 8457};

constexpr int64_t kTrustworthinessNeighbours = 12;

RandomKey key_of(const MlVaeOptions& options, const char* stream) {
  return RandomKey::named(options.run.seed, stream);
}

/// A grid without gaps: the digits above and on the left of the images [rows, columns, size]; the corner is
/// black.
report::Image swap_picture(const Tensor& digits, const Tensor& swapped, const Shape& image_shape) {
  const int64_t n = digits.size(0), size = digits.size(1);
  const std::vector<float> edge = digits.to_vector<float>(), inside = swapped.to_vector<float>();
  std::vector<float> tiles(static_cast<size_t>(size));
  tiles.insert(tiles.end(), edge.begin(), edge.end());
  for (int64_t r = 0; r < n; ++r) {
    tiles.insert(tiles.end(), edge.begin() + r * size, edge.begin() + (r + 1) * size);
    tiles.insert(tiles.end(), inside.begin() + r * n * size, inside.begin() + (r + 1) * n * size);
  }
  const int cells = static_cast<int>(n) + 1;
  return report::image_grid(tiles, {.rows = cells,
                                    .columns = cells,
                                    .tile_height = static_cast<int>(image_shape[1]),
                                    .tile_width = static_cast<int>(image_shape[2]),
                                    .channels = static_cast<int>(image_shape[3]),
                                    .range = report::TileRange::unit,
                                    .padding = 0,
                                    .scale = 2});
}

}  // namespace

Tensor MlVaeExperiment::reference_digits() const {
  const bool mnist = images_.test.name.starts_with("mnist ") && images_.test.size() == 10000;
  const std::string& wanted = options_.references;
  std::vector<int64_t> digits(kPublishedDigits.begin(), kPublishedDigits.end());
  if (wanted == "fixed" && !mnist)
    fail(ErrorKind::usage, "--references fixed: the published digits are test images of MNIST, not of {}",
         images_.test.name);
  if (wanted == "random" || !mnist) {
    digits.assign(static_cast<size_t>(classes_), -1);
    const auto order =
        models::random_items(images_.test_set, images_.test.size(), key_of(options_, "swap/digits"))
            .to_vector<int64_t>();
    for (const int64_t item : order) {
      int64_t& digit = digits[static_cast<size_t>(images_.test.labels.data<int64_t>()[item])];
      if (digit < 0) digit = item;
    }
    for (size_t c = 0; c < digits.size(); ++c)
      if (digits[c] < 0) fail(ErrorKind::data, "no test image of class {} for the swap grid", c);
  }
  return Tensor::from(digits, {static_cast<int64_t>(digits.size())}, device_);
}

void MlVaeExperiment::swap() {
  const auto encode = [&](const Tensor& items) {
    return model_.encode(models::Var(images_.test_set.gather(items)));
  };
  const Tensor items = reference_digits(), x = images_.test_set.gather(items);
  const models::MlVaeCodes digits = encode(items);
  const Tensor others =
      models::random_items(images_.test_set, options_.evidence_images, key_of(options_, "swap/evidence"));
  const Tensor labels = images_.test_set.gather_labels(others);
  const models::Groups groups = models::make_groups(labels, classes_, DType::f32);
  const std::vector<float> sizes = groups.size.to_vector<float>();
  for (size_t c = 0; c < sizes.size(); ++c)
    if (sizes[c] == 0)
      fail(ErrorKind::data, "no image of class {} among {} random test images: raise --evidence-images", c,
           others.numel());
  const models::Gaussian of_others = encode(others).class_code;
  const Tensor style = digits.style.mean.value();
  const auto write = [&](const char* file, const Tensor& class_code) {
    report::write_png(options_.run.run / file,
                      swap_picture(x, swap_images(model_, style, class_code), images_.test.images.shape()));
  };
  write("swap.png", digits.class_code.mean.value());
  write("swap_evidence.png", models::accumulate_evidence(of_others, groups).mean.value());
}

void MlVaeExperiment::pictures() {
  swap();
  const Tensor items = models::random_items(images_.test_set, 100, key_of(options_, "pictures"));
  const models::MlVaeCodes codes = model_.encode(models::Var(images_.test_set.gather(items)));
  const Tensor images =
      models::decode_images(model_, codes.style.mean.value(), codes.class_code.mean.value());
  report::write_png(options_.run.run / "reconstructed_x.png",
                    reconstruction_picture(images, images_.test.images.shape()));
}

Tensor MlVaeExperiment::tsne_input(const Tensor& items) const {
  if (options_.code == "pixels") return images_.test_set.gather(items);
  const models::SetCodes codes = encode_set(model_, images_.test_set);
  const Tensor labels = images_.test_set.gather_labels(items);
  const auto noise = [&](const Tensor& like, double deviation) {
    const Tensor eps = models::normal_noise(like.shape(), key_of(options_, "tsne/noise"), 0, like);
    kernels::map_fwd(kernels::Map::affine, {options_.means ? 0 : deviation, 0}, {&eps, 1}, eps);
    return eps;
  };
  if (options_.code == "style" || !options_.evidence) {
    const models::GaussianRows rows = (options_.code == "style" ? codes.style : codes.class_code).rows(items);
    return rows.sample(noise(rows.mean, 1));
  }
  const models::GaussianRows group = models::evidence_of(codes.class_code.rows(items), labels, classes_);
  const Tensor of_group = group.sample(noise(group.mean, options_.noise_std));
  const Tensor of_image = Tensor::empty({items.numel(), of_group.size(1)}, DType::f32, device_);
  kernels::gather_rows(of_group, labels, of_image);
  return of_image;
}

void MlVaeExperiment::tsne() {
  const Tensor items = models::item_range(0, std::min(options_.tsne_images, images_.test.size()), device_);
  const Tensor x = tsne_input(items).to(kCpu);
  train::Progress progress({.total = options_.tsne_iterations,
                            .iters_per_epoch = options_.tsne_iterations,
                            .images_per_step = items.numel(),
                            .quiet = options_.run.quiet});
  const Tensor y = eval::tsne(x, {.perplexity = options_.perplexity,
                                  .iterations = options_.tsne_iterations,
                                  .learning_rate = options_.tsne_rate,
                                  .early_exaggeration = options_.exaggeration,
                                  .seed = options_.run.seed,
                                  .progress = [&](int64_t done) { progress.update(done); }});
  progress.clear();
  const std::string name = "tsne_" + options_.code + (options_.evidence ? "_evidence" : "");
  report::Scatter scatter{.points = {}, .labels = images_.test_set.gather_labels(items).to_vector<int64_t>()};
  for (int64_t i = 0; i < items.numel(); ++i)
    scatter.points.push_back({y.data<float>()[2 * i], y.data<float>()[2 * i + 1]});
  scatter.title = fmt::format("t-SNE of {} test images: {}{}", items.numel(), options_.code,
                              options_.evidence ? " with evidence" : "");
  scatter.x_label = scatter.y_label = "";
  const report::Figure figure = report::scatter_figure(scatter);
  for (const char* extension : {".png", ".svg"}) figure.write(options_.run.run / (name + extension));
  if (2 * kTrustworthinessNeighbours < items.numel())
    fmt::print("{}: {} images, trustworthiness (k = {}) {:.4f}\n", name, items.numel(),
               kTrustworthinessNeighbours, eval::trustworthiness(x, y, kTrustworthinessNeighbours));
}

nlohmann::ordered_json MlVaeExperiment::probe_numbers() {
  nlohmann::ordered_json numbers;
  const models::SetCodes train = encode_set(model_, images_.train_set),
                         test = encode_set(model_, images_.test_set);
  const auto errors = reconstruction_errors(model_, images_.test_set, test, classes_);
  numbers["test_mse_single"] = errors.single;
  numbers["test_mse_evidence"] = errors.evidence;
  for (const auto& [part, images] : {std::pair{"train", &images_.train_set}, {"test", &images_.test_set}}) {
    const models::SetLosses losses = set_losses(model_, *images, classes_, options_.batch, options_.run.seed);
    numbers[fmt::format("{}_reconstruction", part)] = losses.reconstruction;
    numbers[fmt::format("{}_style_kl", part)] = losses.style_kl;
    numbers[fmt::format("{}_class_kl", part)] = losses.class_kl;
    numbers[fmt::format("{}_reconstruction_single", part)] = losses.reconstruction_single;
  }
  const int64_t fit = std::min(options_.fit, images_.train.size());
  const auto accuracy = [&](const Tensor& x_train, const Tensor& x_test) {
    const eval::Qda qda(x_train.to(kCpu).slice(0, fit), images_.train.labels.slice(0, fit), classes_,
                        options_.ridge);
    return qda.accuracy(x_test.to(kCpu), images_.test.labels);
  };
  const auto sample = [&](const models::GaussianRows& rows, const char* stream) {
    return rows.sample(models::normal_noise(rows.mean.shape(), key_of(options_, stream), 0, rows.mean));
  };
  for (const bool style : {false, true}) {
    const auto &of_train = style ? train.style : train.class_code,
               &of_test = style ? test.style : test.class_code;
    const std::string name = style ? "qda_style" : "qda_class";
    numbers[name + "_mean"] = accuracy(of_train.mean, of_test.mean);
    numbers[name + "_sample"] = accuracy(sample(of_train, "probe/train"), sample(of_test, "probe/test"));
  }
  return numbers;
}

void MlVaeExperiment::probe() {
  const nlohmann::ordered_json numbers = probe_numbers();
  for (const auto& [name, value] : numbers.items()) fmt::print("{:28} {:.5f}\n", name, value.get<double>());
  write_file_atomically(options_.run.run / "probe.json", numbers.dump(2) + "\n");
}

}  // namespace vae
