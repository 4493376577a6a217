#include "models/shot_vae/objective.h"

#include <cmath>

#include "autograd/ops.h"

namespace vae::shot_vae {

using kernels::Schedule;

Objective reference_objective(Method method, const std::string& dataset, int64_t epochs, int64_t first_drop,
                              double labeled) {
  const bool of_100 = dataset == "cifar100", svhn = dataset == "svhn", m2 = method == Method::m2;
  Objective o;
  o.unlabeled.epochs = std::lrint(0.4 * static_cast<double>(epochs));
  o.target_y.top = of_100 ? 4.6 : m2 && svhn ? 0 : 2.3;
  if (m2 && !svhn) o.target_z.top = of_100 ? 1280 : 200;
  if (!m2 && of_100) {
    for (Ramp* ramp : {&o.target_z, &o.target_y, &o.beta_z, &o.beta_y}) ramp->epochs = 150;
    o.distance.epochs = 400;
  }
  if (!m2 && dataset == "cifar10" && labeled >= 0.05) o.boost_after = first_drop;
  return o;
}

Terms::Terms(const Objective& o, int64_t epoch_length, const train::Step& step) {
  const auto ramped = [&](const char* name, const Ramp& ramp) {
    return step.number(name, Schedule::ramp(ramp.top, ramp.epochs, epoch_length));
  };
  target_z = ramped("sched_cmi", o.target_z), target_y = ramped("sched_dmi", o.target_y);
  beta_z = ramped("sched_kl_beta_c", o.beta_z), beta_y = ramped("sched_kl_beta_d", o.beta_y);
  distance = ramped("sched_pwm", o.distance), unlabeled = ramped("sched_ucw", o.unlabeled);
  elbo = ramped("sched_ew", o.elbo);
  if (o.boost_after < 0) return;
  const int64_t boosted = (o.boost_after + 1) * epoch_length;
  elbo = elbo * step.number("elbo_boost", Schedule::pieces({{0, 1}, {boosted, o.elbo_boost}}));
  step.note("sched_ew", elbo);
}

Schedule LearningRate::schedule(int64_t epoch_length) const {
  std::vector<Schedule::Piece> pieces{{0, 0.2 * start}, {epoch_length, start}};
  double rate = start;
  for (const int64_t drop : drops) pieces.push_back({(drop + 1) * epoch_length, rate *= factor});
  return Schedule::pieces(pieces);
}

}  // namespace vae::shot_vae
