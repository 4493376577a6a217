// Sums along every axis, arg max, the softmax family, matrix products.
#include "tests/kernels/parity.h"
#include "tests/numeric.h"

namespace vae::test {
namespace {

using namespace kernels;

constexpr int64_t kLong = 10000;  // more than one part of a split sum

Outputs sums(Operands in, DType result) {
  Outputs out;
  const auto one = [&](Axis axis, Write write) {
    out.push_back(in.uniform({axis.outer * axis.inner}));
    if (out.back().dtype() != result) out.back() = in.empty({axis.outer * axis.inner}, result);
    sum(in.uniform({axis.outer, axis.count, axis.inner}), out.back(), axis, 0.1, write);
  };
  for (const Write write : {Write::set, Write::add}) {
    for (const int64_t n : kSizes) {
      one(Axis::all(n), write);
      one(Axis::rows(40, n), write);
      one(Axis::columns(40, n), write);
      one({3, n, 5}, write);
    }
    one(Axis::all(kLong), write);
    one(Axis::rows(kLong, 33), write);
    one(Axis::columns(2, kLong), write);
    one({2, 1000, 33}, write);
  }
  return out;
}

Outputs sums_together(Operands in) {
  std::vector<ColumnSum> sums;
  Outputs out;
  for (const int64_t m : {0, 1, 33, 1000, 1100})
    for (const int64_t n : {1, 31, 257}) {
      out.push_back(in.uniform({n}));
      sums.push_back({in.uniform({m, n}), out.back(), m % 2 ? Write::add : Write::set});
    }
  column_sums(sums);
  return out;
}

Outputs squares(Operands in) {
  Outputs out;
  for (const int64_t n : {0, 1, 31, 33, 257, 1000, 10000}) {
    out.push_back(in.empty({}, DType::f64));
    sum_squares(in.uniform({n}), out.back());
  }
  return out;
}

/// Rows with equal largest elements, and with NaN first and elsewhere.
Tensor with_ties(const Operands& in, int64_t m, int64_t n) {
  std::vector<double> values(m * n);
  for (int64_t i = 0; i < m * n; ++i) values[i] = static_cast<double>((i * 7919 + 5) % 11);
  if (n > 2) values[0] = values[n + 2] = std::nan("");
  return tensor_of(values, {m, n}, in.dtype(), in.device());
}

Outputs largest(Operands in) {
  Outputs out;
  for (const int64_t n : {1, 10, 31, 33, 257, 1000, 3000}) {
    out.push_back(in.empty({19}, DType::i64));
    argmax(with_ties(in, 19, n), out.back());
  }
  return out;
}

constexpr int64_t kRowLengths[] = {0, 1, 10, 31, 33, 257, 1000, 3000};

Outputs spreads(Operands in) {
  Outputs out;
  for (const Write write : {Write::set, Write::add})
    for (const int64_t n : kSizes)
      for (const Axis& axis : {Axis::all(n), Axis::rows(40, n), Axis::columns(40, n), Axis{3, n, 5}}) {
        out.push_back(in.uniform({axis.outer, axis.count, axis.inner}));
        sum_bwd(in.uniform({axis.outer, axis.inner}), out.back(), axis, 0.1, write);
      }
  return out;
}

Outputs largest_k(Operands in) {
  Outputs out;
  for (const int64_t n : {5, 10, 31, 33, 257, 1000, 3000}) {
    out.push_back(in.empty({19, 5}));
    out.push_back(in.empty({19, 5}, DType::i64));
    top_k(in.uniform({19, n}), out[out.size() - 2], out.back());
  }
  return out;
}

Outputs log_sums(Operands in, bool backward) {
  Outputs out;
  for (const Write write : {Write::set, Write::add})
    for (const int64_t n : {1, 31, 33, 257, 3000})
      for (const Axis& axis : {Axis::rows(n, 33), Axis::columns(40, n), Axis{3, n, 5}})
        for (const double eps : {0.0, 0.1}) {
          const Tensor x = in.uniform({axis.outer, axis.count, axis.inner}, -20, 20),
                       y = in.empty({axis.outer, axis.inner}), dy = in.uniform(y.shape());
          log_sum_exp_fwd(x, y, axis, eps);
          out.push_back(backward ? in.uniform(x.shape()) : y);
          if (backward) log_sum_exp_bwd(dy, x, y, out.back(), axis, eps, write);
        }
  return out;
}

template <class Forward>
std::function<Outputs(Operands)> softmax_cases(const Forward& forward) {
  return [=](Operands in) {
    Outputs out;
    for (const int64_t n : kRowLengths) {
      out.push_back(in.empty({19, n}));
      forward(in.uniform({19, n}, -20, 20), out.back());
    }
    return out;
  };
}

template <class Forward, class Backward>
std::function<Outputs(Operands)> softmax_bwd_cases(const Forward& forward, const Backward& backward) {
  return [=](Operands in) {
    Outputs out;
    for (const Write write : {Write::set, Write::add})
      for (const int64_t n : kRowLengths) {
        const Tensor y = in.empty({19, n});
        forward(in.uniform({19, n}), y);
        out.push_back(in.uniform({19, n}));
        backward(in.uniform({19, n}), y, out.back(), write);
      }
    return out;
  };
}

Outputs products(Operands in) {
  Outputs out;
  for (const Transpose ta : {Transpose::no, Transpose::yes})
    for (const Transpose tb : {Transpose::no, Transpose::yes})
      for (const int64_t k : kSizes)
        for (const auto& [m, n] : {std::pair<int64_t, int64_t>{1, 1}, {5, 33}, {31, 1}, {0, 7}, {7, 0}}) {
          const Tensor a = in.uniform(ta == Transpose::no ? Shape{m, k} : Shape{k, m}, -1, 1);
          const Tensor b = in.uniform(tb == Transpose::no ? Shape{k, n} : Shape{n, k}, -1, 1);
          for (const double beta : {0.0, 0.5}) {
            out.push_back(in.uniform({m, n}));
            gemm(a, ta, b, tb, out.back(), 0.7, beta);
          }
        }
  return out;
}

Outputs linears(Operands in) {
  Outputs out;
  for (const int64_t k : kSizes)
    for (const auto& [m, n] : {std::pair<int64_t, int64_t>{1, 1}, {6, 33}, {32, 1}, {0, 7}, {7, 0}}) {
      const Tensor x = in.uniform({m, k}, -1, 1), w = in.uniform({n, k}, -1, 1);
      for (const Tensor& bias : {Tensor{}, in.uniform({n}), in.uniform({m, n})}) {
        out.push_back(in.empty({m, n}));
        linear_fwd(x, w, bias, out.back());
      }
      if (m % 2 || n == 0) continue;
      out.push_back(in.empty({m, n}));
      linear_fwd(x, w, in.uniform({m / 2, n}), out.back());
    }
  return out;
}

}  // namespace

void add_reduction_cases(std::vector<ParityCase>& cases) {
  cases.push_back({"sum", "into its dtype", [](Operands in) { return sums(in, in.dtype()); }});
  // The CPU adds blocks of f32, so that an f64 result has the accuracy of f32.
  cases.push_back({"sum", "into f64", [](Operands in) { return sums(in, DType::f64); }, kFloatInside});
  cases.push_back({"sum_squares", "sizes", squares, kFloatInside});
  cases.push_back({"column_sums", "sizes", sums_together});
  cases.push_back({"sum_bwd", "sizes", spreads});
  cases.push_back({"top_k", "sizes", largest_k, kExact});
  cases.push_back({"log_sum_exp_fwd", "sizes", [](Operands in) { return log_sums(in, false); }});
  cases.push_back({"log_sum_exp_bwd", "sizes", [](Operands in) { return log_sums(in, true); }});
  cases.push_back({"argmax", "ties and NaN", largest, kExact});
  cases.push_back({"softmax_fwd", "sizes", softmax_cases(softmax_fwd)});
  cases.push_back({"log_softmax_fwd", "sizes", softmax_cases(log_softmax_fwd)});
  cases.push_back({"softmax_bwd", "set and add", softmax_bwd_cases(softmax_fwd, softmax_bwd)});
  cases.push_back({"log_softmax_bwd", "set and add", softmax_bwd_cases(log_softmax_fwd, log_softmax_bwd)});
  cases.push_back({"gemm", "all transpositions", products});
  cases.push_back({"linear_fwd", "biases of no, one and several rows", linears});
}

}  // namespace vae::test
