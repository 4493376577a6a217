#include "models/m1_m2/stack.h"

#include <algorithm>

#include "nn/eval/estimate.h"

namespace vae::m1_m2 {
namespace {

using eval::substream;

Var sample(const Gaussian& q, RandomKey key) {
  return nn::sample(q, Var(train::normal_noise(q.mean.shape(), key, 0, q.mean.value())));
}

/// log p(z) - log q(z) of a sample, without limits on the log variance.
Var prior_ratio(const Gaussian& q, const Var& z) {
  return autograd::log_standard_normal(z) - nn::log_density(z, q);
}

}  // namespace

Tensor Stack::features(const Tensor& x, const Tensor& eps) const {
  if (!m1) return x;
  return nn::sample(m1->encode(Var(x)), Var(eps)).value();
}

Tensor Stack::features(const Tensor& x, RandomKey key, int64_t number) const {
  if (!m1) return x;
  return features(x, train::normal_noise({x.size(0), m1->config().z_size}, key, number, x));
}

Tensor Stack::images(const Likelihood& decoded, std::optional<RandomKey> key) const {
  if (!m1) return expectation(decoded);
  const auto& q = std::get<Gaussian>(decoded);
  const Var z1 =
      key ? sample({q.mean, autograd::clip(q.log_var, kM2LogVar.low, kM2LogVar.high)}, *key) : q.mean;
  return expectation(m1->decode(z1));
}

std::vector<int64_t> predict(const Stack& stack, const ImageSet& images, const Tensor& items, RandomKey key) {
  return eval::for_items(items, [&](int64_t number, const Tensor& batch) {
    const Var features(stack.features(images.gather(batch), key, number));
    return train::most_probable(stack.m2->classify(features).value()).to_vector<int64_t>();
  });
}

Reconstruction reconstruct(const M1& model, const Tensor& x, RandomKey key) {
  const Var z = sample(model.encode(Var(x)), key);
  return {z.value(), expectation(model.decode(z))};
}

Reconstruction reconstruct(const Stack& stack, const Tensor& x, RandomKey key) {
  const Var features(stack.features(x, substream(key, 1)));
  const Tensor y =
      eval::sample_classes(autograd::softmax(stack.m2->classify(features)).value(), substream(key, 2));
  const Var z = sample(stack.m2->encode(features, y), substream(key, 3));
  return {z.value(), stack.images(stack.m2->decode(z, y), substream(key, 4))};
}

Tensor analogy(const Stack& stack, const Tensor& x, RandomKey key, bool means) {
  const int64_t rows = x.size(0), classes = stack.m2->config().y_size;
  const Var z(reconstruct(stack, x, key).z);
  const Tensor by_class =
      stack.images(stack.m2->decode_all_classes(z), means ? std::nullopt : std::optional(substream(key, 5)));
  std::vector<int64_t> rows_first;  // [K, rows, D] -> [rows, K, D]
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t k = 0; k < classes; ++k) rows_first.push_back(k * rows + r);
  return autograd::gather_rows(Var(by_class), train::items_of(rows_first, x.device()))
      .value()
      .reshape({rows, classes, by_class.size(1)});
}

double importance_nll(const M1& model, const ImageSet& images, const Tensor& items, int64_t samples,
                      RandomKey key) {
  return eval::importance_nll(
      items, eval::kBatch, [&](int64_t number, const Tensor& batch, eval::LogMean& estimate) {
        const Var x(images.gather(batch));
        const Gaussian q = model.encode(x);
        for (int64_t s = 0; s < samples; ++s) {
          const Var z = sample(q, substream(key, static_cast<uint64_t>(number * samples + s)));
          estimate.add(to_doubles((nn::log_likelihood(x, model.decode(z)) + prior_ratio(q, z)).value()));
        }
      });
}

double importance_nll(const Stack& stack, const ImageSet& images, const Tensor& items, int64_t samples,
                      RandomKey key) {
  if (stack.m1)
    fail(ErrorKind::usage, "the likelihood of images under M1+M2 has no closed weights: ask M1 or M2");
  const M2& m2 = *stack.m2;
  const int64_t classes = m2.config().y_size;
  return eval::importance_nll(
      items, eval::kBatch, [&](int64_t number, const Tensor& batch, eval::LogMean& estimate) {
        const Var x(images.gather(batch));
        for (int64_t k = 0; k < classes; ++k) {  // p(y) = 1/K: classes are further draws
          const Tensor y =
              train::items_of(std::vector<int64_t>(static_cast<size_t>(batch.numel()), k), images.device());
          const Gaussian q = m2.encode(x, y);
          for (int64_t s = 0; s < samples; ++s) {
            const Var z =
                sample(q, substream(key, static_cast<uint64_t>((number * classes + k) * samples + s)));
            const Var weight = nn::log_likelihood(x, m2.decode(z, y), kM2LogVar) + prior_ratio(q, z);
            estimate.add(to_doubles(weight.value()));
          }
        }
      });
}

}  // namespace vae::m1_m2
