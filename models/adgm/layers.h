#pragma once
// Layers of the family. Parameter names follow the published checkpoints ("encoder.hidden.0.weight"); the
// weight of a layer that sees several inputs side by side is kept in parts, one per input ("weight_x",
// "weight_y"), so that what depends on the images alone is multiplied once per image.
#include <algorithm>
#include <memory>

#include "models/adgm/config.h"
#include "models/adgm/pass.h"
#include "models/common/gaussian.h"

namespace vae::models::adgm {

/// The rows of a bound: samples x classes x images, images fastest. With one-hot labels[images, K] a row has
/// its image's class; without, `classes` blocks stand for the classes 0 to K - 1 (one block where there are
/// no labels).
struct Rows {
  int64_t images = 0, classes = 1, samples = 1;
  Var labels{};

  int64_t count() const { return samples * classes * images; }
};

/// One-hot labels as a linear map sees them, W[out, K]: added to rows [images, out] of which each class takes
/// its copy; the result has one row per image and class.
Var under_labels(const Var& per_image, const Rows& rows, const Var& weight);
/// The same, added to one row per image, class and sample.
Var add_labels(const Var& per_row, const Rows& rows, const Var& weight);

struct Input {
  const char* name;
  int64_t width;
};

/// W cat(inputs) + b, W in parts.
class JoinedLinear : public nn::Module {
 public:
  JoinedLinear(const std::vector<Input>& inputs, int64_t out, nn::Options options);
  /// W_i x
  Var map(size_t i, const Var& x) const { return autograd::linear(x, weights[i], {}); }
  /// W_i x + base, whose rows repeat.
  Var onto(size_t i, const Var& x, const Var& base) const { return autograd::linear(x, weights[i], base); }

  std::vector<Var> weights;
  Var bias;
};

/// Mean and log variance, the latter through a softplus unless `raw`.
class GaussianHead : public nn::Module {
 public:
  GaussianHead(int64_t in, int64_t out, bool raw, nn::Options options);
  Gaussian operator()(const Var& h) const;

 private:
  nn::Linear mu_, log_var_;
  bool raw_;
};

/// Hidden layers "0", "1", ... of which the first may see several inputs.
class Hidden : public nn::Module {
 public:
  Hidden(const std::vector<Input>& inputs, const std::vector<int64_t>& sizes, nn::Activation activation,
         nn::Options options);
  /// All layers but the linear map of the first, whose result is `u`.
  Var operator()(const Var& u) const;
  JoinedLinear first;

 private:
  std::vector<std::unique_ptr<nn::Linear>> rest_;
  nn::Activation activation_;
};

/// Hidden layers and a Gaussian.
class Encoder : public nn::Module {
 public:
  Encoder(const std::vector<Input>& inputs, const std::vector<int64_t>& hidden, int64_t out, bool raw,
          nn::Options options);
  const JoinedLinear& first() const { return hidden_.first; }
  /// The Gaussian behind the first layer's linear map.
  Gaussian behind(const Var& u) const { return sample_(hidden_(u)); }
  Gaussian operator()(const Var& x) const { return behind(first().onto(0, x, first().bias)); }

 private:
  Hidden hidden_;
  GaussianHead sample_;
};

/// Hidden layers and the logits of Bernoulli pixels.
class Decoder : public nn::Module {
 public:
  Decoder(const std::vector<Input>& inputs, const std::vector<int64_t>& hidden, int64_t out,
          nn::Activation activation, nn::Options options);
  const JoinedLinear& first() const { return hidden_.first; }
  Var behind(const Var& u) const { return reconstruction(hidden_(u)); }
  /// Logits of rows z, and of their labels where the net sees them.
  Var operator()(const Var& z, const Rows& rows) const;
  nn::Linear reconstruction;

 private:
  Hidden hidden_;
};

/// Hidden layers ("dense", then "hidden.0", ...) and the logits of the classes.
class Classifier : public nn::Module {
 public:
  Classifier(const std::vector<Input>& inputs, const std::vector<int64_t>& hidden, int64_t classes,
             nn::Options options);
  const JoinedLinear& first() const { return dense_; }
  Var behind(const Var& u) const;

 private:
  JoinedLinear dense_;
  std::vector<std::unique_ptr<nn::Linear>> rest_;
  nn::Linear logits_;
};

/// One number in the dtype and on the device of `like`.
Tensor number(double value, const Tensor& like);

/// A value per row and one per image, which repeats, added.
Var add_per_image(const Var& per_row, const Var& per_image);

/// A sample from noise; log of its density, from the noise: -(log 2 pi + log_var + eps^2) / 2 summed.
struct Sample {
  Var z, log_q;
};
Sample draw(const Gaussian& q, const Var& noise);

/// The eps of a logarithm that is multiplied by its argument: never zero, so that an underflow gives 0 log 0
/// = 0.
inline double above_zero(double eps) { return std::max(eps, 1e-30); }

/// log Bernoulli(x; sigmoid(logits)) per row; x repeats.
Var log_likelihood(const Var& x, const Var& logits, double eps);

/// log N(z; p) per row.
inline Var log_density(const Var& z, const Gaussian& p) {
  return -autograd::gaussian_nll(z, p.mean, p.log_var);
}

}  // namespace vae::models::adgm
