#include "models/m1_m2/stack.h"

#include <algorithm>

#include "models/m1_m2/terms.h"

namespace vae::models {
namespace {

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

Var sample(const Gaussian& q, RandomKey key) {
  return autograd::reparameterize(q.mean, q.log_var,
                                  Var(normal_noise(q.mean.shape(), key, 0, q.mean.value())));
}

}  // namespace

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
