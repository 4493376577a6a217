#include "autograd/gradcheck.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "autograd/calling.h"
#include "autograd/ops.h"

namespace vae::autograd {
namespace {

constexpr int kSteps = 3;          // each a tenth of the one before
constexpr int64_t kLinesEach = 3;  // lines about one input

/// sum(w * f()) with weights that are a function of the element alone.
Var weighted(const Var& y) {
  const Tensor weights = Tensor::empty(y.shape(), DType::f64, y.value().device());
  kernels::random_normal(weights, RandomKey::named(7, "gradcheck"),
                         Tensor::scalar(int64_t{0}, weights.device()), {});
  return sum(y * Var(weights));
}

/// An element of a tensor, moved about and put back.
class Element {
 public:
  Element(const Tensor& x, int64_t i)
      : element_(x.reshape({x.numel()}).slice(i, i + 1)), x_(element_.item()) {}
  ~Element() { kernels::fill(element_, x_); }
  Element(const Element&) = delete;
  Element& operator=(const Element&) = delete;
  /// The loss with the element moved by `delta`.
  double loss(const std::function<Var()>& f, double delta) const {
    kernels::fill(element_, x_ + delta);
    return weighted(f()).value().item();
  }
  double value() const { return x_; }

 private:
  Tensor element_;
  double x_;
};

class Check {
 public:
  Check(const std::function<Var()>& f, const NamedInputs& inputs, const GradcheckOptions& options)
      : f_(f), inputs_(inputs), options_(options) {}

  GradcheckResult run() {
    for (const auto& [name, input] : inputs_) {
      if (!input.defined()) misuse("gradcheck", "{} is undefined", name);
      if (input.value().dtype() != DType::f64)
        misuse("gradcheck", "{} is {}: differences need f64", name, input.value().str());
    }
    if (!walk()) return result_;
    for (const auto& [name, input] : inputs_)
      if (input.needs_grad()) check_input(name, input);
    if (result_.checked == 0 && result_.problems.empty())
      problem("nothing was checked: no input that needs a gradient has an element where f has a derivative");
    result_.ok = result_.problems.empty();
    return result_;
  }

 private:
  void problem(std::string line) { result_.problems.push_back(std::move(line)); }

  /// Leaves the gradients in the inputs. False where there are none.
  bool walk() {
    Tape tape;
    for (auto [name, input] : inputs_) input.clear_grad();
    const Var loss = weighted(f_());
    if (!loss.needs_grad()) {
      problem("nothing was checked: the result of f depends on no input that needs a gradient");
      return false;
    }
    loss_ = loss.value().item();
    for (std::string& fault : tape.backward_checked(loss)) problem(std::move(fault));
    const double again = weighted(f_()).value().item();
    if (again == loss_ || (std::isnan(again) && std::isnan(loss_))) return true;
    problem(fmt::format(
        "f is no function of its inputs alone: a second call gave {}, not {} (does it draw noise, or "
        "count?)",
        again, loss_));
    return false;
  }

  void check_input(const std::string& name, const Var& input) {
    const Tensor& x = input.value();
    const std::vector<double> gradient = input.has_grad()
                                             ? input.grad().to_vector<double>()
                                             : std::vector<double>(static_cast<size_t>(x.numel()), 0.0);
    const int64_t stride = std::max<int64_t>(1, x.numel() / options_.max_elements);
    int64_t wrong = 0, kinks = 0;
    for (int64_t i = 0; i < x.numel(); i += stride) {
      const std::string where = fmt::format("{} element {}", name, i);
      const Outcome outcome = compare(x, i, gradient[static_cast<size_t>(i)]);
      if (outcome.kink) {
        if (++kinks <= kLinesEach)
          result_.kinks.push_back(fmt::format("kink at {}: {} to the left, {} to the right, gradient {}",
                                              where, outcome.left, outcome.right,
                                              gradient[static_cast<size_t>(i)]));
        continue;
      }
      ++result_.checked;
      const std::string line =
          fmt::format("{}: gradient {} against {}", where, gradient[static_cast<size_t>(i)], outcome.numeric);
      if (!(outcome.error <= result_.worst)) result_.worst = outcome.error, result_.where = line;
      if (!outcome.right_gradient && ++wrong <= kLinesEach) problem("WRONG " + line);
    }
    if (wrong > kLinesEach) problem(fmt::format("WRONG {}: {} more elements", name, wrong - kLinesEach));
    if (kinks > kLinesEach)
      result_.kinks.push_back(fmt::format("kink at {}: {} more elements", name, kinks - kLinesEach));
  }

  struct Outcome {
    bool right_gradient = false, kink = false;
    double numeric = 0, error = 0, left = 0, right = 0;
  };

  Outcome compare(const Tensor& x, int64_t i, double gradient) const {
    const Element element(x, i);
    Outcome outcome;
    double h = options_.step * std::max(1.0, std::abs(element.value()));
    for (int attempt = 0; attempt < kSteps; ++attempt, h /= 10) {
      const double above = element.loss(f_, h), below = element.loss(f_, -h);
      const double numeric = (above - below) / (2 * h), scale = std::max(1.0, std::abs(numeric));
      const double error = std::abs(numeric - gradient) / scale;
      const double rounding = attempt ? 7e-15 * std::max(std::abs(above), std::abs(below)) / h : 0;
      const bool good = error <= std::max(options_.tolerance, rounding / scale);
      if (attempt == 0 || good) outcome.numeric = numeric, outcome.error = error;
      if (good) {
        outcome.right_gradient = true;
        return outcome;
      }
      outcome.left = (loss_ - below) / h, outcome.right = (above - loss_) / h;
    }
    // No derivative: sides that stay apart, and a gradient of the span between them.
    const double low = std::min(outcome.left, outcome.right), high = std::max(outcome.left, outcome.right);
    const double slack = 1e-4 * std::max({1.0, std::abs(low), std::abs(high)});
    outcome.kink = high - low > 10 * slack && gradient >= low - slack && gradient <= high + slack;
    return outcome;
  }

  const std::function<Var()>& f_;
  const NamedInputs& inputs_;
  const GradcheckOptions& options_;
  double loss_ = 0;
  GradcheckResult result_;
};

}  // namespace

std::string GradcheckResult::str() const {
  std::string text =
      fmt::format("{}: {} elements compared, worst error {:.1e}{}", ok ? "gradients agree" : "FAILED",
                  checked, worst, where.empty() ? "" : " at " + where);
  for (const auto* lines : {&problems, &kinks})
    for (const std::string& line : *lines) text += "\n" + line;
  return text;
}

GradcheckResult gradcheck(const std::function<Var()>& f, const NamedInputs& inputs,
                          GradcheckOptions options) {
  return Check(f, inputs, options).run();
}

GradcheckResult gradcheck(const std::function<Var()>& f, const std::vector<Var>& inputs,
                          GradcheckOptions options) {
  NamedInputs named;
  for (const Var& input : inputs) named.emplace_back(fmt::format("input {}", named.size()), input);
  return gradcheck(f, named, options);
}

}  // namespace vae::autograd
