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
  const auto ramped = [&](const Ramp& ramp) { return Schedule::ramp(ramp.top, ramp.epochs, epoch_length); };
  const int64_t boosted = (o.boost_after + 1) * epoch_length;
  const Schedule boost = o.boost_after < 0 ? Schedule() : Schedule::pieces({{0, 1}, {boosted, o.elbo_boost}});
  const std::vector<Var> numbers = step.numbers({{"sched_cmi", ramped(o.target_z)},
                                                 {"sched_dmi", ramped(o.target_y)},
                                                 {"sched_kl_beta_c", ramped(o.beta_z)},
                                                 {"sched_kl_beta_d", ramped(o.beta_y)},
                                                 {"sched_pwm", ramped(o.distance)},
                                                 {"sched_ucw", ramped(o.unlabeled)},
                                                 {"sched_ew", ramped(o.elbo)},
                                                 {"elbo_boost", boost}});
  target_z = numbers[0], target_y = numbers[1], beta_z = numbers[2], beta_y = numbers[3];
  unlabeled = numbers[5], elbo = numbers[6];
  if (o.boost_after >= 0) step.note("sched_ew", elbo = elbo * numbers[7]);
  distance = elbo * beta_z * numbers[4];
}

Schedule LearningRate::schedule(int64_t epoch_length) const {
  std::vector<Schedule::Piece> pieces{{0, 0.2 * start}, {epoch_length, start}};
  double rate = start;
  for (const int64_t drop : drops) pieces.push_back({(drop + 1) * epoch_length, rate *= factor});
  return Schedule::pieces(pieces);
}

}  // namespace vae::shot_vae
