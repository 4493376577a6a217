#include "tensor/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace vae {

std::vector<double> to_doubles(const Tensor& x) {
  return dispatch_any(x.dtype(), [&](auto zero) {
    const auto typed = x.to_vector<decltype(zero)>();
    return std::vector<double>(typed.begin(), typed.end());
  });
}

double distance(const std::vector<double>& actual, const std::vector<double>& expected) {
  if (actual.size() != expected.size()) return HUGE_VAL;
  double scale = 1, worst = 0;
  for (const double e : expected)
    if (std::isfinite(e)) scale = std::max(scale, std::abs(e));
  for (size_t i = 0; i < actual.size(); ++i) {
    const double error = actual[i] == expected[i] ? 0 : std::abs(actual[i] - expected[i]);
    if (!(error <= worst)) worst = std::isnan(error) ? HUGE_VAL : error;
  }
  return worst / scale;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  const Tensor x = a.to(kCpu), y = b.to(kCpu);
  return x.shape() == y.shape() && x.dtype() == y.dtype() &&
         (x.bytes() == 0 || std::memcmp(x.raw(), y.raw(), x.bytes()) == 0);
}

}  // namespace vae
