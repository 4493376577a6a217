#include "models/adgm/evaluate.h"

#include <cmath>

#include "autograd/ops_structure.h"

namespace vae::models::adgm {
namespace {

/// Test mode of a model that is otherwise left alone.
class Test {
 public:
  explicit Test(const Model& model) : mode_(const_cast<Model&>(model)) {}

 private:
  TestMode mode_;
};

constexpr int64_t kRows = 100;  // images at a time: enumerated, their activations stay in cache

template <class Body>
void for_small_batches(const Tensor& items, const Body& body) {
  for (int64_t begin = 0, number = 0; begin < items.numel(); begin += kRows, ++number)
    body(Tensor::scalar(number, items.device()), items.slice(begin, std::min(items.numel(), begin + kRows)));
}

Tensor one_hot(const Tensor& labels, int64_t classes, DType dtype) {
  const Tensor y = Tensor::empty({labels.numel(), classes}, dtype, labels.device());
  kernels::one_hot(labels, y);
  return y;
}

Tensor most_probable(const Var& logits, int64_t draws) {
  const int64_t classes = logits.shape()[1], rows = logits.shape()[0] / draws;
  const Var q = autograd::mean(autograd::softmax(logits), {1, draws, rows * classes});
  const Tensor best = Tensor::empty({rows}, DType::i64, logits.value().device());
  kernels::argmax(q.value().reshape({rows, classes}), best);
  return best;
}

/// Rows of the labels that a model's images have under it, or of none.
Rows predicted_rows(const Model& model, Model::Images& images, const Pass& pass) {
  const Config& c = model.config();
  if (!has_labels(c.kind)) return {images.count(), 1, 1, {}};
  const Var logits = images.classify(1, pass);
  return {images.count(), 1, 1, Var(one_hot(most_probable(logits, 1), c.y_size, logits.value().dtype()))};
}

}  // namespace

Tensor draw_pixels(const Tensor& p, RandomKey key, const Tensor& number) {
  const Tensor noise = Tensor::empty(p.shape(), p.dtype(), p.device()),
               x = Tensor::empty(p.shape(), p.dtype(), p.device());
  kernels::random_uniform(noise, key, number);
  const Tensor operands[] = {p, noise};
  kernels::map_fwd(kernels::Map::bernoulli, {}, operands, x);
  return x;
}

Tensor PixelSet::gather(const Tensor& items, RandomKey key, const Tensor& number) const {
  const Tensor p = images.gather(items);
  return drawn ? draw_pixels(p, key, number) : p;
}

Tensor PixelSet::gather_labels(const Tensor& items, int64_t classes) const {
  return one_hot(images.gather_labels(items), classes, DType::f32);
}

Pass random_pass(uint64_t seed, const std::string& call, const Tensor& number, const Tensor& like) {
  return {.noise = [=](const std::string& name, Shape shape, Draw draw) {
    const Tensor noise = Tensor::empty(shape, like.dtype(), like.device());
    const RandomKey key = RandomKey::named(seed, "noise/" + call + "/" + name);
    draw == Draw::normal ? kernels::random_normal(noise, key, number)
                         : kernels::random_uniform(noise, key, number);
    return noise;
  }};
}

std::vector<int64_t> predict(const Model& model, const PixelSet& images, const Tensor& items, int64_t draws,
                             uint64_t seed) {
  const Test test(model);
  std::vector<int64_t> predictions;
  for_small_batches(items, [&](const Tensor& number, const Tensor& batch) {
    const Tensor x = images.gather(batch, RandomKey::named(seed, "evaluate/pixels"), number);
    const Var logits = model.look_at(Var(x))->classify(draws, random_pass(seed, "predict", number, x));
    for (const int64_t c : most_probable(logits, draws).to_vector<int64_t>()) predictions.push_back(c);
  });
  return predictions;
}

double importance_nll(const Model& model, const PixelSet& images, const Tensor& items, int64_t samples,
                      uint64_t seed) {
  const Config& c = model.config();
  if (c.kind == Kind::stacked || c.kind == Kind::gumbel || (c.flows > 0 && !c.fixed_flow))
    fail(ErrorKind::usage, "the bound of this model has no importance weights");
  const Test test(model);
  const int64_t classes = has_labels(c.kind) ? c.y_size : 1;
  double total = 0;
  for_small_batches(items, [&](const Tensor& number, const Tensor& batch) {
    const Tensor x = images.gather(batch, RandomKey::named(seed, "evaluate/pixels"), number);
    const auto inside = model.look_at(Var(x));
    const auto rows = static_cast<size_t>(batch.numel());
    LogMean estimate(rows);  // p(y) = 1/K: classes are further draws
    for (int64_t s = 0; s < samples; ++s) {
      const Pass pass = random_pass(seed, fmt::format("nll/{}", s), number, x);
      const Model::Terms terms = inside->terms({batch.numel(), classes, 1, {}}, pass);
      const std::vector<double> weights = to_doubles((terms.log_px - terms.kl).value());
      for (auto at = weights.begin(); at != weights.end(); at += batch.numel())
        estimate.add({at, at + batch.numel()});
    }
    for (size_t r = 0; r < rows; ++r) total -= estimate.get(r);
  });
  return total / static_cast<double>(std::max<int64_t>(1, items.numel()));
}

std::vector<ActiveUnits> active_units(const Model& model, const PixelSet& images, const Tensor& items,
                                      uint64_t seed) {
  const Test test(model);
  std::map<std::string, std::pair<std::vector<double>, std::vector<double>>>
      sums;  // of means and their squares
  for_small_batches(items, [&](const Tensor& number, const Tensor& batch) {
    const Tensor x = images.gather(batch, RandomKey::named(seed, "evaluate/pixels"), number);
    const auto inside = model.look_at(Var(x));
    Trace trace;
    Pass pass = random_pass(seed, "units", number, x);
    const Rows rows = predicted_rows(model, *inside, pass);
    pass.trace = &trace;
    inside->terms(rows, pass);
    for (const auto& [name, mean] : trace) {
      const bool posterior =
          name == "z_mu" || name == "a_mu" || (name.starts_with("enc") && name.ends_with("_mu"));
      if (!posterior) continue;
      const std::vector<double> values = to_doubles(mean.value());
      const auto width = static_cast<size_t>(mean.shape()[1]);
      auto& [sum, squares] = sums[name.substr(0, name.size() - 3)];
      sum.resize(width), squares.resize(width);
      for (size_t i = 0; i < values.size(); ++i)
        sum[i % width] += values[i], squares[i % width] += values[i] * values[i];
    }
  });
  std::vector<ActiveUnits> result;
  const double n = static_cast<double>(std::max<int64_t>(1, items.numel()));
  for (const auto& [layer, moments] : sums) {
    ActiveUnits units{layer, 0, static_cast<int64_t>(moments.first.size())};
    for (size_t i = 0; i < moments.first.size(); ++i)
      units.active += moments.second[i] / n - std::pow(moments.first[i] / n, 2) > 0.01;
    result.push_back(units);
  }
  return result;
}

Reconstruction reconstruct(const Model& model, const Tensor& x, uint64_t seed) {
  const Test test(model);
  const Config& c = model.config();
  const auto inside = model.look_at(Var(x));
  Trace trace;
  Pass pass = random_pass(seed, "reconstruct", Tensor::scalar(int64_t{0}, x.device()), x);
  const Rows rows = predicted_rows(model, *inside, pass);
  pass.trace = &trace;
  inside->terms(rows, pass);
  const std::string code = c.kind == Kind::gumbel ? "sample"
                           : c.z.size() > 1       ? fmt::format("enc{}_z", c.z.size() - 1)
                                                  : "z";
  return {trace.at(code).value(), autograd::sigmoid(trace.at("x_logits")).value()};
}

Tensor generate(const Model& model, const Tensor& z, const Tensor& labels, uint64_t seed) {
  const Test test(model);
  const Config& c = model.config();
  const Var y = has_labels(c.kind) ? Var(one_hot(labels, c.y_size, z.dtype())) : Var();
  const Pass pass = random_pass(seed, "generate", Tensor::scalar(int64_t{0}, z.device()), z);
  return autograd::sigmoid(model.decode(Var(z), {z.size(0), 1, 1, y}, pass)).value();
}

Tensor generate_all_classes(const Model& model, const Tensor& z, uint64_t seed) {
  const int64_t rows = z.size(0), classes = model.config().y_size;
  std::vector<int64_t> copies, labels;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t k = 0; k < classes; ++k) copies.push_back(r), labels.push_back(k);
  const Tensor index = Tensor::from(copies, {rows * classes}, z.device());
  const Tensor images = generate(model, autograd::gather_rows(Var(z), index).value(),
                                 Tensor::from(labels, {rows * classes}, z.device()), seed);
  return images.reshape({rows, classes, images.size(1)});
}

}  // namespace vae::models::adgm
