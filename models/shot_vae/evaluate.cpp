#include "models/shot_vae/evaluate.h"

#include <algorithm>

#include "nn/eval/estimate.h"

namespace vae::shot_vae {

void Evaluator::add(const Images& images, int64_t number, const train::Step& step) {
  const int64_t n = images.x.shape()[0];
  const std::string pass = fmt::format("b{}", number);
  const Posterior q = model_.encode(images.x, n, step.in(pass));
  const Var logits = model_.decode(model_.draw_z(q, pass, n, step), model_.draw_y(q, pass, n, step));
  step.note("log_alpha_" + pass, q.log_alpha), step.note("mean_" + pass, q.mean);
  const auto add = [](double& sum, const Var& per_row) { sum += autograd::sum(per_row).value().item(); };
  add(kl_z_, kl_z(q)), add(kl_y_, kl_y(q));
  add(log_p_, reconstruction_error(logits, images.x, {.sigma = objective_.sigma}));
  classification_.add(q.log_alpha.value(), images.labels);
}

Evaluation Evaluator::result() {
  std::vector<double> sums{kl_z_, kl_y_, log_p_};
  eval::sum_over_ranks(sums);
  classification_.gather();
  const double scale = 1 / static_cast<double>(std::max<int64_t>(1, classification_.images()));
  return {sums[0] * scale, sums[1] * scale, sums[2] * scale, classification_};
}

}  // namespace vae::shot_vae
