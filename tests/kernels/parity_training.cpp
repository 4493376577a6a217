// Batch norm and the optimisers.
#include "tensor/communicator.h"
#include "tests/kernels/parity.h"

namespace vae::test {
namespace {

using namespace kernels;

const Shape kBatches[] = {{2, 1},  {31, 33}, {100, 257}, {1000, 5}, {1, 31},
                          {0, 31}, {33, 0},  {1300, 8},  {2100, 5}};  // the last in parts, in packs and not

BatchNormForward forward_of(Operands& in, int64_t m, int64_t n, BatchNormRule rule) {
  BatchNormForward f;
  f.x = in.uniform({m, n}, 8, 12);  // a mean far from zero
  f.gamma = in.uniform({n});
  f.beta = in.uniform({n});
  f.y = in.empty({m, n});
  f.mean = in.empty({n});
  f.rstd = in.empty({n});
  f.rule = rule;
  return f;
}

Outputs normalised(Operands in, BatchNormRule rule, bool running, bool wide = false,
                   parallel::Communicator* ranks = nullptr) {
  Outputs out;
  for (const Shape& shape : kBatches) {
    BatchNormForward f = forward_of(in, shape[0], shape[1], rule);
    if (shape[0] == 1) f.rule.eps = 1;  // one value has no variance
    if (wide) f.x = in.uniform({shape[0], shape[1] + 3});
    f.ranks = ranks;
    if (running) f.running_mean = in.uniform({shape[1]}), f.running_var = in.uniform({shape[1]}, 1, 2);
    batch_norm_fwd(f);
    out.insert(out.end(), {f.y, f.mean, f.rstd});
    if (running) out.insert(out.end(), {f.running_mean, f.running_var});
  }
  return out;
}

Outputs gradients(Operands in, Write write, bool with_dx, bool wide = false,
                  parallel::Communicator* ranks = nullptr) {
  Outputs out;
  for (const Shape& shape : kBatches) {
    const int64_t m = shape[0], n = shape[1];
    BatchNormForward f = forward_of(in, m, n, {1e-2, 0.1, false});
    if (wide) f.x = in.uniform({m, n + 3});
    batch_norm_fwd(f);
    BatchNormBackward b;
    b.dy = in.uniform({m, n});
    b.x = f.x, b.gamma = f.gamma, b.mean = f.mean, b.rstd = f.rstd;
    b.dgamma = in.uniform({n});
    b.dbeta = in.uniform({n});
    if (with_dx) b.dx = in.uniform({m, wide ? n + 3 : n});
    b.write_x = b.write_gamma = b.write_beta = write;
    b.ranks = ranks;
    batch_norm_bwd(b);
    out.insert(out.end(), {b.dgamma, b.dbeta});
    if (with_dx) out.push_back(b.dx);
  }
  return out;
}

/// Three steps on every size, clipped when asked for.
template <class Step, class Kernel>
Outputs steps(Operands in, Step step, const Kernel& kernel, bool clipped,
              const std::function<Outputs(Step&, Operands&, int64_t)>& fill_buffers) {
  Outputs out;
  for (const int64_t n : kSizes) {
    step.parameter = in.uniform({n});
    step.gradient = in.uniform({n});
    const Outputs buffers = fill_buffers(step, in, n);
    step.learning_rate = in.scalar(0.01);
    if (clipped) step.grad_norm_squared = in.scalar(400.0), step.clip = 5;
    for (int i = 0; i < 3; ++i) kernel(alone(step));
    out.push_back(step.parameter);
    out.insert(out.end(), buffers.begin(), buffers.end());
  }
  return out;
}

/// Counts, rates and norms of several groups.
Outputs started(Operands in) {
  std::vector<StepStart> starts;
  for (const int64_t n : kSizes) {
    StepStart& s = starts.emplace_back();
    s.learning_rate = in.scalar(0.01), s.t = in.scalar<int64_t>(n);
    s.schedule = Schedule::decay(0.1, Decay::cosine, 100, 0), s.iteration = in.scalar<int64_t>(n % 100);
    s.gradient = in.uniform({n}), s.norm_squared = in.scalar(0.0);
  }
  start_steps(starts);
  Outputs out;
  for (const StepStart& s : starts) out.insert(out.end(), {s.t, s.learning_rate, s.norm_squared});
  return out;
}

ParityCase adam_case(const std::string& what, AdamRule rule, bool clipped) {
  return {"adam", what, [=](Operands in) {
            AdamStep step;
            step.rule = rule;
            return steps<AdamStep>(in, step, adam, clipped, [](AdamStep& s, Operands& more, int64_t n) {
              s.m = more.uniform({n});
              s.v = more.uniform({n}, 0.1, 1);
              s.t = more.scalar<int64_t>(4);
              return Outputs{s.m, s.v};
            });
          }};
}

ParityCase sgd_case(const std::string& what, SgdRule rule, bool clipped) {
  return {"sgd", what, [=](Operands in) {
            SgdStep step;
            step.rule = rule;
            return steps<SgdStep>(in, step, sgd, clipped, [](SgdStep& s, Operands& more, int64_t n) {
              s.velocity = more.uniform({n});
              return Outputs{s.velocity};
            });
          }};
}

ParityCase adagrad_case(const std::string& what, AdagradRule rule, bool clipped) {
  return {"adagrad", what, [=](Operands in) {
            AdagradStep step;
            step.rule = rule;
            if (clipped) step.clip_elements = 0.1;
            return steps<AdagradStep>(in, step, adagrad, clipped,
                                      [](AdagradStep& s, Operands& more, int64_t n) {
                                        s.sum = more.uniform({n}, 0, 1);
                                        return Outputs{s.sum};
                                      });
          }};
}

Outputs averages(Operands in) {
  Outputs out;
  for (const int64_t n : kSizes) {
    out.push_back(in.uniform({n}));
    moving_average(in.uniform({n}), out.back(), 0.9);
  }
  return out;
}

Outputs activated(Operands in, Activation activation, Write write) {
  Outputs out;
  for (const Shape& shape : kBatches) {
    const int64_t m = shape[0], n = shape[1];
    BatchNormForward f = forward_of(in, m, n, {1e-2, 0.1, false});
    f.activation = activation;
    batch_norm_fwd(f);
    BatchNormBackward b;
    b.dy = in.uniform({m, n});
    b.x = f.x, b.gamma = f.gamma, b.mean = f.mean, b.rstd = f.rstd, b.beta = f.beta, b.y = f.y;
    b.activation = activation;
    b.dgamma = in.uniform({n});
    b.dbeta = in.uniform({n});
    b.dx = in.uniform({m, n});
    b.write_x = b.write_gamma = b.write_beta = write;
    batch_norm_bwd(b);
    out.insert(out.end(), {f.y, b.dgamma, b.dbeta, b.dx});
  }
  return out;
}

void add_schedule_cases(std::vector<ParityCase>& cases) {
  const std::vector<std::pair<const char*, Schedule>> schedules = {
      {"constant", Schedule::constant(0.1)},
      {"rise", Schedule::rise(0.7, 60, 2)},
      {"raised", Schedule::raised(0.5, 2, 60, 1.8)},
      {"steps", Schedule::steps(0.1, 0.75, 20, 0.02)},
      {"warm-up", Schedule::decay(0.1, Decay::constant, 100, 4)},
      {"ramp", Schedule::ramp(0.1, 20, 3)},
      {"pieces", Schedule::pieces({{0, 0.1}, {3, 0.2}, {40, 0.3}})},
      {"linear", Schedule::decay(0.1, Decay::linear, 100, 4)},
      {"cosine", Schedule::decay(0.1, Decay::cosine, 100, 4)}};
  for (const auto& [name, schedule] : schedules)
    cases.push_back({"scheduled", name, [schedule](Operands in) {
                       Outputs numbers;
                       for (const int64_t iteration : {0, 3, 4, 57, 100, 1000}) {
                         numbers.push_back(in.empty({}));
                         scheduled(in.scalar(iteration), numbers.back(), alone(schedule));
                       }
                       return numbers;
                     }});
  cases.push_back({"scheduled", "several", [=](Operands in) {  // more than a launch takes
                     std::vector<Schedule> all;
                     while (all.size() < 20) all.push_back(schedules[all.size() % schedules.size()].second);
                     const Tensor numbers = in.empty({20});
                     scheduled(in.scalar(int64_t{7}), numbers, all);
                     return Outputs{numbers};
                   }});
}

}  // namespace

void add_training_cases(std::vector<ParityCase>& cases) {
  const BatchNormRule rule{1e-2, 0.1, false}, chainer{1e-2, 0.2, true};
  cases.push_back({"batch_norm_fwd", "bare", [=](Operands in) { return normalised(in, rule, false); }});
  cases.push_back({"batch_norm_fwd", "running", [=](Operands in) { return normalised(in, rule, true); }});
  cases.push_back({"batch_norm_fwd", "chainer", [=](Operands in) { return normalised(in, chainer, true); }});
  for (const bool with_dx : {false, true}) {
    const std::string what = with_dx ? "with dx" : "without dx";
    cases.push_back(
        {"batch_norm_bwd", "set, " + what, [=](Operands in) { return gradients(in, Write::set, with_dx); }});
    cases.push_back(
        {"batch_norm_bwd", "add, " + what, [=](Operands in) { return gradients(in, Write::add, with_dx); }});
  }
  cases.push_back(
      {"batch_norm_fwd", "first columns", [=](Operands in) { return normalised(in, rule, true, true); }});
  cases.push_back({"batch_norm_fwd", "of ranks, here one",
                   [=](Operands in) { return normalised(in, rule, true, false, &parallel::current()); }});
  cases.push_back({"batch_norm_bwd", "of ranks, here one", [=](Operands in) {
                     return gradients(in, Write::set, true, false, &parallel::current());
                   }});
  cases.push_back({"batch_norm_bwd", "first columns",
                   [=](Operands in) { return gradients(in, Write::add, true, true); }});
  for (const std::string_view function : activation_names())
    for (const Write write : {Write::set, Write::add})
      cases.push_back({"batch_norm_bwd", fmt::format("{} {}", function, write == Write::add ? "add" : "set"),
                       [=](Operands in) { return activated(in, parse_activation(function), write); }});
  cases.push_back({"start_steps", "sizes", started, kFloatInside});
  cases.push_back(adam_case("torch", {}, false));
  cases.push_back(adam_case("torch, decay and clipping", {0.9, 0.999, 1e-8, 0.1, AdamForm::torch}, true));
  cases.push_back(adam_case("chainer", {0.9, 0.999, 1e-8, 0, AdamForm::chainer}, false));
  add_schedule_cases(cases);
  cases.push_back(sgd_case("plain", {}, false));
  cases.push_back(sgd_case("momentum, decay and clipping", {0.9, 0.1, false}, true));
  cases.push_back(sgd_case("nesterov", {0.9, 0, true}, false));
  cases.push_back(adagrad_case("plain", {}, false));
  cases.push_back(adagrad_case("decay and clipping", {1e-10, 0.1}, true));
  cases.push_back({"moving_average", "sizes", averages});
}

}  // namespace vae::test
