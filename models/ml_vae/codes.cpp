#include "models/ml_vae/codes.h"

#include "nn/eval/estimate.h"
#include "nn/train/meter.h"

namespace vae::ml_vae {
namespace {

Tensor rows_of(const Tensor& x, const Tensor& items) { return autograd::gather_rows(Var(x), items).value(); }

/// Zeros, which the rows of all ranks are added to.
Tensor no_rows(int64_t rows, int64_t columns, const ImageSet& images, DType dtype) {
  return Tensor::zeros({rows, columns}, dtype, images.device());
}

void put(const GaussianRows& all, int64_t begin, const Gaussian& part) {
  const int64_t end = begin + part.mean.value().size(0);
  all.mean.slice(begin, end).copy_from(part.mean.value());
  all.log_var.slice(begin, end).copy_from(part.log_var.value());
}

}  // namespace

Tensor GaussianRows::sample(const Tensor& eps) const {
  return autograd::reparameterize(Var(mean), Var(log_var), Var(eps)).value();
}

GaussianRows GaussianRows::rows(const Tensor& items) const {
  return {rows_of(mean, items), rows_of(log_var, items)};
}

SetCodes encode_set(const MlVae& model, const ImageSet& images, DType dtype) {
  const auto all = [&](int64_t dim) {
    return GaussianRows{no_rows(images.size(), dim, images, dtype),
                        no_rows(images.size(), dim, images, dtype)};
  };
  const SetCodes codes{all(model.config().style_dim), all(model.config().class_dim), images.labels};
  eval::for_batches(train::all_items(images), [&](int64_t number, const Tensor& batch) {
    const Codes part = model.encode(Var(images.gather(batch, dtype)));
    put(codes.style, number * eval::kBatch, part.style);
    put(codes.class_code, number * eval::kBatch, part.class_code);
  });
  for (const GaussianRows* rows : {&codes.style, &codes.class_code})
    parallel::current().all_reduce(rows->mean), parallel::current().all_reduce(rows->log_var);
  return codes;
}

GaussianRows evidence_of(const GaussianRows& class_code, const Tensor& labels, int64_t classes) {
  const Gaussian group = accumulate_evidence({Var(class_code.mean), Var(class_code.log_var)},
                                             make_groups(labels, classes, class_code.mean.dtype()));
  return {group.mean.value(), group.log_var.value()};
}

Tensor decode_images(const MlVae& model, const Tensor& style, const Tensor& class_code) {
  return autograd::sigmoid(model.decode(Var(style), Var(class_code))).value();
}

ReconstructionErrors reconstruction_errors(const MlVae& model, const ImageSet& images, const SetCodes& codes,
                                           int64_t classes) {
  const auto evidence = [&] {
    const parallel::Alone alone;  // every rank has all codes
    return evidence_of(codes.class_code, codes.labels, classes).mean;
  };
  const Tensor group_mean = evidence();
  std::vector<double> errors(2);  // of single images, with evidence
  eval::for_batches(train::all_items(images), [&](int64_t, const Tensor& batch) {
    const Var x(images.gather(batch, codes.style.mean.dtype()));
    const Tensor style = rows_of(codes.style.mean, batch);
    const auto squares = [&](const Tensor& class_code) {
      const Var image(decode_images(model, style, class_code));
      return autograd::sum(autograd::square(image - x)).value().item();
    };
    errors[0] += squares(rows_of(codes.class_code.mean, batch));
    errors[1] += squares(rows_of(group_mean, images.gather_labels(batch)));
  });
  eval::sum_over_ranks(errors);
  const auto pixels = static_cast<double>(images.size() * images.image_size());
  return {errors[0] / pixels, errors[1] / pixels};
}

SetLosses set_losses(const MlVae& model, const ImageSet& images, int64_t classes, int64_t batch,
                     uint64_t seed) {
  const Config& config = model.config();
  const Device device = images.device();
  batch = std::min(batch, images.size());
  const train::Share share(batch);
  const Groups single = make_groups(train::item_range(0, batch, device), batch, DType::f32);
  train::Meter meter({"reconstruction", "style_kl", "class_kl", "single"}, device);
  for (int64_t number = 0; number < images.size() / batch; ++number) {
    const train::Step step(seed, Tensor::scalar(number, device));
    const Tensor items =
        step.items("losses/batch", train::all_items(images), share, passes(images.size(), batch, false));
    const Var x(images.gather(items));
    const auto noise = [&](int64_t rows, int64_t columns, const char* stream, double deviation) {
      const Tensor eps = train::normal_noise({rows, columns}, step.key(stream), number, x.value());
      return autograd::affine(Var(eps), deviation, 0);
    };
    const Groups groups = make_groups(images.gather_labels(items), classes, DType::f32);
    const int64_t draws = config.class_noise == ClassNoise::per_group ? classes : batch;
    const Var style = noise(batch, config.style_dim, "losses/style", 1);
    const Losses losses = model.loss(
        x, share, groups, {style, noise(draws, config.class_dim, "losses/class", config.noise_std)}, step);
    const Losses alone =
        model.loss(x, share, single, {style, noise(batch, config.class_dim, "losses/single", 1)}, step);
    meter.add("reconstruction", losses.reconstruction.value()),
        meter.add("style_kl", losses.style_kl.value());
    meter.add("class_kl", losses.class_kl.value()), meter.add("single", alone.reconstruction.value());
    meter.count();
  }
  const train::Scalars means = meter.drain();
  return {means[0].value, means[1].value, means[2].value, means[3].value};
}

Tensor swap_images(const MlVae& model, const Tensor& style, const Tensor& class_code) {
  const int64_t styles = style.size(0), classes = class_code.size(0);
  std::vector<int64_t> style_of, class_of;
  for (int64_t cell = 0; cell < styles * classes; ++cell) {
    style_of.push_back(cell / classes);
    class_of.push_back(cell % classes);
  }
  const auto cells = [&](const Tensor& codes, const std::vector<int64_t>& of) {
    return rows_of(codes, Tensor::from(of, {styles * classes}, codes.device()));
  };
  return decode_images(model, cells(style, style_of), cells(class_code, class_of))
      .reshape({styles, classes, model.config().x_size});
}

}  // namespace vae::ml_vae
