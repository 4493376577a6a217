#include "models/m1_m2/stack.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/m1_m2/terms.h"

namespace vae::models {
namespace {

constexpr int64_t kBatch = 1000;  // items at a time; test mode has no coupling inside a batch

/// Calls body(batch number, items of the batch) over all items.
template <class Body>
void for_batches(const Tensor& items, const Body& body) {
  for (int64_t begin = 0, number = 0; begin < items.numel(); begin += kBatch, ++number)
    body(number, items.slice(begin, std::min(items.numel(), begin + kBatch)));
}

std::vector<double> to_doubles(const Tensor& x) {
  const Tensor wide = Tensor::empty(x.shape(), DType::f64, x.device());
  kernels::cast(x, wide);
  return wide.to_vector<double>();
}

/// One class per row, drawn from probabilities by inversion of uniform noise, as one-hot rows.
Tensor sample_classes(const Tensor& probabilities, RandomKey key) {
  const int64_t rows = probabilities.size(0), classes = probabilities.size(1);
  const std::vector<double> p = to_doubles(probabilities);
  std::vector<int64_t> drawn(static_cast<size_t>(rows));
  for (int64_t r = 0; r < rows; ++r) {
    double left = uniform01(random_block(key, 0, static_cast<uint64_t>(r)).v[0]);
    int64_t c = 0;
    while (c + 1 < classes && left >= p[r * classes + c]) left -= p[r * classes + c++];
    drawn[r] = c;
  }
  const Tensor one_hot = Tensor::empty(probabilities.shape(), probabilities.dtype(), probabilities.device());
  kernels::one_hot(Tensor::from(drawn, {rows}, probabilities.device()), one_hot);
  return one_hot;
}

RandomKey substream(RandomKey key, uint64_t number) {
  return {key.seed, key.stream + number * 0x9E3779B97F4A7C15u};
}

Var sample(const Gaussian& q, RandomKey key) {
  return autograd::reparameterize(q.mean, q.log_var,
                                  Var(normal_noise(q.mean.shape(), key, 0, q.mean.value())));
}

}  // namespace

Tensor ImageSet::gather(const Tensor& items, DType dtype) const {
  const Tensor x = Tensor::empty({items.numel(), image_size()}, dtype, pixels.device());
  kernels::gather_pixels(pixels, items, x, scaling);
  return x;
}

Tensor ImageSet::gather_labels(const Tensor& items) const {
  const Tensor y = Tensor::empty({items.numel()}, DType::i64, labels.device());
  kernels::gather_rows(labels, items, y);
  return y;
}

Tensor item_range(int64_t begin, int64_t end, Device device) {
  std::vector<int64_t> items(static_cast<size_t>(end - begin));
  std::iota(items.begin(), items.end(), begin);
  return Tensor::from(items, {end - begin}, device);
}

Tensor normal_noise(Shape shape, RandomKey key, int64_t number, const Tensor& like) {
  const Tensor eps = Tensor::empty(shape, like.dtype(), like.device());
  kernels::random_normal(eps, key, Tensor::scalar(number, like.device()));
  return eps;
}

Tensor Stack::features(const Tensor& x, const Tensor& eps) const {
  if (!m1) return x;
  const TestMode test(*m1);
  const Gaussian q = m1->encode(Var(x));
  return autograd::reparameterize(q.mean, q.log_var, Var(eps)).value();
}

Tensor Stack::images(const Decoded& decoded, const Tensor& eps) const {
  if (!m1) return expectation(decoded);
  const TestMode test(*m1);
  const auto& q = std::get<Gaussian>(decoded);
  const Var z1 = eps.defined() ? autograd::reparameterize(
                                     q.mean, autograd::clip(q.log_var, kM2LogVarLow, kM2LogVarHigh), Var(eps))
                               : q.mean;
  return expectation(m1->decode(z1));
}

std::vector<int64_t> predict(const Stack& stack, const ImageSet& images, const Tensor& items, RandomKey key) {
  const TestMode test(*stack.m2);
  std::vector<int64_t> predictions;
  for_batches(items, [&](int64_t number, const Tensor& batch) {
    const Tensor x = images.gather(batch);
    const Tensor eps = stack.m1 ? normal_noise({x.size(0), stack.feature_noise()}, key, number, x) : Tensor{};
    const Tensor classes = Tensor::empty({x.size(0)}, DType::i64, x.device());
    kernels::argmax(stack.m2->classify(Var(stack.features(x, eps))).value(), classes);
    for (const int64_t c : classes.to_vector<int64_t>()) predictions.push_back(c);
  });
  return predictions;
}

double accuracy(const std::vector<int64_t>& predictions, const std::vector<int64_t>& labels) {
  VAE_CHECK(predictions.size() == labels.size(), "{} predictions for {} labels", predictions.size(),
            labels.size());
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) right += predictions[i] == labels[i];
  return labels.empty() ? 0 : static_cast<double>(right) / static_cast<double>(labels.size());
}

Reconstruction reconstruct(const M1& model, const Tensor& x, RandomKey key) {
  const Var z = sample(model.encode(Var(x)), key);
  return {z.value(), expectation(model.decode(z))};
}

Reconstruction reconstruct(const Stack& stack, const Tensor& x, RandomKey key) {
  const TestMode test(*stack.m2);
  const Tensor eps1 =
      stack.m1 ? normal_noise({x.size(0), stack.feature_noise()}, substream(key, 1), 0, x) : Tensor{};
  const Var features(stack.features(x, eps1));
  const Tensor probabilities = autograd::softmax(stack.m2->classify(features)).value();
  const Var y(sample_classes(probabilities, substream(key, 2)));
  const Var z = sample(stack.m2->encode(features, y), substream(key, 3));
  const Tensor eps2 =
      stack.m1 ? normal_noise({x.size(0), stack.feature_noise()}, substream(key, 4), 0, x) : Tensor{};
  return {z.value(), stack.images(stack.m2->decode(z, y), eps2)};
}

Tensor analogy(const Stack& stack, const Tensor& x, RandomKey key, bool means) {
  const TestMode test(*stack.m2);
  const int64_t rows = x.size(0), classes = stack.m2->config().y_size;
  const Var z(reconstruct(stack, x, key).z);
  const Tensor eps = stack.m1 && !means
                         ? normal_noise({classes * rows, stack.feature_noise()}, substream(key, 5), 0, x)
                         : Tensor{};
  const Tensor by_class = stack.images(stack.m2->decode_all_classes(z), eps);
  // [K, rows, D] -> [rows, K, D], one row of images at a time
  const int64_t size = by_class.size(1);
  const Tensor result = Tensor::empty({rows, classes, size}, by_class.dtype(), by_class.device());
  for (int64_t k = 0; k < classes; ++k)
    for (int64_t r = 0; r < rows; ++r)
      result.reshape({rows * classes, size})
          .slice(r * classes + k, r * classes + k + 1)
          .copy_from(by_class.slice(k * rows + r, k * rows + r + 1));
  return result;
}

namespace {

/// log of the mean of weights given by their logarithms, summed one draw at a time.
class LogMean {
 public:
  explicit LogMean(size_t rows) : top_(rows, -INFINITY), total_(rows, 0) {}
  void add(const std::vector<double>& log_weights) {
    ++draws_;
    for (size_t r = 0; r < top_.size(); ++r) {
      const double top = std::max(top_[r], log_weights[r]);
      if (top == -INFINITY) continue;
      total_[r] = total_[r] * std::exp(top_[r] - top) + std::exp(log_weights[r] - top);
      top_[r] = top;
    }
  }
  double get(size_t row) const { return top_[row] + std::log(total_[row] / static_cast<double>(draws_)); }

 private:
  std::vector<double> top_, total_;
  int64_t draws_ = 0;
};

/// log p(z) - log q(z) of a sample, without limits on the log variance.
Var prior_ratio(const Gaussian& q, const Var& z) {
  return autograd::log_standard_normal(z) + autograd::gaussian_nll(z, q.mean, q.log_var);
}

}  // namespace

double importance_nll(const M1& model, const ImageSet& images, const Tensor& items, int64_t samples,
                      RandomKey key) {
  double total = 0;
  for_batches(items, [&](int64_t number, const Tensor& batch) {
    const Var x(images.gather(batch));
    const Gaussian q = model.encode(x);
    LogMean estimate(static_cast<size_t>(batch.numel()));
    for (int64_t s = 0; s < samples; ++s) {
      const Var z = sample(q, substream(key, static_cast<uint64_t>(number * samples + s)));
      estimate.add(to_doubles((log_likelihood(x, model.decode(z), {}) + prior_ratio(q, z)).value()));
    }
    for (int64_t r = 0; r < batch.numel(); ++r) total -= estimate.get(static_cast<size_t>(r));
  });
  return total / static_cast<double>(std::max<int64_t>(1, items.numel()));
}

double importance_nll(const Stack& stack, const ImageSet& images, const Tensor& items, int64_t samples,
                      RandomKey key) {
  VAE_CHECK(!stack.m1, "the likelihood of images under M1+M2 has no closed weights: ask M1 or M2");
  const TestMode test(*stack.m2);
  const M2& m2 = *stack.m2;
  const int64_t classes = m2.config().y_size;
  double total = 0;
  for_batches(items, [&](int64_t number, const Tensor& batch) {
    const Var x(images.gather(batch));
    LogMean estimate(static_cast<size_t>(batch.numel()));  // p(y) = 1/K: classes are further draws
    for (int64_t k = 0; k < classes; ++k) {
      const Tensor y = Tensor::empty({batch.numel(), classes}, x.value().dtype(), x.value().device());
      kernels::one_hot(Tensor::from(std::vector<int64_t>(batch.numel(), k), {batch.numel()}, y.device()), y);
      const Gaussian q = m2.encode(x, Var(y));
      for (int64_t s = 0; s < samples; ++s) {
        const Var z = sample(q, substream(key, static_cast<uint64_t>((number * classes + k) * samples + s)));
        const Var weight =
            log_likelihood(x, m2.decode(z, Var(y)), {kM2LogVarLow, kM2LogVarHigh}) + prior_ratio(q, z);
        estimate.add(to_doubles(weight.value()));
      }
    }
    for (int64_t r = 0; r < batch.numel(); ++r) total -= estimate.get(static_cast<size_t>(r));
  });
  return total / static_cast<double>(std::max<int64_t>(1, items.numel()));
}

}  // namespace vae::models
