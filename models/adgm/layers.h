#pragma once
// Layers of the family. Parameter names follow the published checkpoints ("encoder.hidden.0.weight"); the
// weight of a layer that sees several inputs side by side is kept in parts, one per input ("weight_x",
// "weight_y"), so that what depends on the images alone is multiplied once per image.
#include <algorithm>

#include "models/adgm/config.h"
#include "nn/class_rows.h"
#include "nn/mlp.h"
#include "nn/train/step.h"

namespace vae::adgm {

using train::Step;

/// A sample from noise; log of its density, from the noise: -(log 2 pi + log_var + eps^2) / 2 summed.
struct Sample {
  Var z, log_q;
};
Sample draw(const Gaussian& q, const Var& noise);

/// The rows of a bound: samples x classes x images, images fastest. With labels a row has its image's class;
/// without, `classes` blocks stand for the classes 0 to K - 1 (one block where there are no labels). Of these
/// blocks some rows may be left out.
struct Rows {
  train::Share images;
  int64_t classes = 1, samples = 1;
  Var labels{};       ///< one-hot [images, K]
  Sample shared_a{};  ///< draws that the classes of an image have in common, rows samples x images
  std::optional<nn::ClassRows> counted{};  ///< the others are left out

  /// Rows of one sample, and of all.
  int64_t per_sample() const { return counted ? counted->size() : classes * images.rows; }
  int64_t count() const { return samples * per_sample(); }
  /// These rows, none of them left out; as noise numbers them.
  Rows all() const { return {images, classes, samples, labels, shared_a}; }
  train::Rows noise() const { return {images, samples * classes}; }
  /// Noise [count(), columns].
  Var normal(const Step& step, const std::string& name, int64_t columns) const;
  /// Of values of all rows, those of these rows.
  Var kept(const Var& of_all) const;
  /// Values of images, x [images, n], as an operand beside these rows; of samples and images likewise, one
  /// row each.
  Var of_images(const Var& x) const;
  Var of_samples(const Var& x) const;
};
/// Rows of images with i64 labels.
Rows labeled_rows(train::Share images, const Tensor& labels, int64_t classes, DType dtype,
                  int64_t samples = 1);

/// One-hot labels as a linear map sees them, W[out, K]: added to rows [images, out] of which each class takes
/// its copy; the result has one row per image and class.
Var under_labels(const Var& per_image, const Rows& rows, const Var& weight);
/// The same, added to one row per image, class and sample.
Var add_labels(const Var& per_row, const Rows& rows, const Var& weight);

struct Input {
  const char* name;
  int64_t width;
};
using Inputs = std::vector<Input>;

/// W cat(inputs) + b, W in parts.
class JoinedLinear : public nn::Module {
 public:
  JoinedLinear(Module* parent, const std::string& name, const Inputs& inputs, int64_t out);
  /// W_i x + base, whose rows repeat.
  Var onto(size_t i, const Var& x, const Var& base) const { return linear(x, weights[i], repeating(base)); }
  /// W_0 x + b
  Var operator()(const Var& x) const { return onto(0, x, bias); }

  std::vector<Var> weights;
  Var bias;
};

/// Hidden layers of which the first may see several inputs; `names` are those of the others.
class Hidden : public nn::Module {
 public:
  Hidden(Module* parent, const std::string& name, const Inputs& inputs, const std::vector<int64_t>& units,
         kernels::Activation activation = kernels::kRelu, const char* first_name = "0",
         const nn::LayerNames& names = {.first = 1});
  /// All layers but the linear map of the first, whose result is `u`.
  Var operator()(const Var& u) const { return rest_(autograd::activate(activation_, u)); }
  JoinedLinear first;

 private:
  kernels::Activation activation_;
  nn::Mlp rest_;
};

/// The heads of a Gaussian; log variances through a softplus unless raw.
struct SampleHead : nn::GaussianHead {
  SampleHead(Module* parent, const std::string& name, int64_t in, int64_t out, const Config& c)
      : GaussianHead(parent, name, {"mu", "log_var"}, in, out, !c.raw_log_var) {}
  /// The log variance first: gradients at h add up in the order of the published runs.
  Gaussian operator()(const Var& h) const {
    const Var log_var = this->log_var(h);
    return {mean(h), log_var};
  }
};

/// Hidden layers and a Gaussian.
class Encoder : public nn::Module {
 public:
  Encoder(Module* parent, const std::string& name, const Inputs& inputs, const std::vector<int64_t>& hidden,
          int64_t out, const Config& c)
      : Module(parent, name),
        hidden_(this, "hidden", inputs, hidden),
        sample_(this, "sample", hidden.back(), out, c) {}
  const JoinedLinear& first() const { return hidden_.first; }
  /// The Gaussian behind the first layer's linear map.
  Gaussian behind(const Var& u) const { return sample_(hidden_(u)); }
  Gaussian operator()(const Var& x) const { return behind(first()(x)); }

 private:
  Hidden hidden_;
  SampleHead sample_;
};

/// Hidden layers and the logits of Bernoulli pixels.
class Decoder : public nn::Module {
 public:
  Decoder(Module* parent, const std::string& name, const Inputs& inputs, const std::vector<int64_t>& hidden,
          const Config& c);
  const JoinedLinear& first() const { return hidden_.first; }
  Var behind(const Var& u) const { return reconstruction_(hidden_(u)); }
  /// Logits of rows z, and of their labels where the net sees them.
  Var operator()(const Var& z, const Rows& rows) const;

 private:
  Hidden hidden_;
  nn::Linear reconstruction_;
};

/// Hidden layers ("dense", then "hidden.0", ...) and the logits of the classes.
class Classifier : public nn::Module {
 public:
  Classifier(Module* parent, const std::string& name, const Inputs& inputs, const Config& c);
  const JoinedLinear& first() const { return hidden_.first; }
  Var behind(const Var& u) const { return logits_(hidden_(u)); }

 private:
  Hidden hidden_;
  nn::Linear logits_;
};

/// The eps of a logarithm that is multiplied by its argument: never zero, so that 0 log 0 is 0.
inline double above_zero(double eps) { return std::max(eps, 1e-30); }

/// log Bernoulli(x; sigmoid(logits)) per row of logits, of images x.
Var log_likelihood(const Var& x, const Rows& rows, const Var& logits, double eps);

/// Notes mean and log variance as NAME_mu and NAME_logvar.
void note(const Step& step, const std::string& name, const Gaussian& g);

}  // namespace vae::adgm
