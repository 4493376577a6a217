// Reductions, softmax and indexing over rows.
#include "tools/bench/case.h"

namespace vae::bench {
namespace {

using namespace kernels;

std::string shape_of(const char* what, int64_t m, int64_t n) { return fmt::format("{} {}x{}", what, m, n); }

void add_sum(std::vector<Case>& cases, const char* what, int64_t outer, int64_t count, int64_t inner) {
  cases.push_back({"sum", fmt::format("{} {}x{}x{}", what, outer, count, inner),
                   4.0 * static_cast<double>(outer * inner * (count + 1)), 0, [=](Operands in) {
                     const Tensor x = in.uniform({outer, count, inner}), y = in.zeros({outer, inner});
                     return Call{[=] { sum(x, y, {outer, count, inner}, 1, Write::set); }, y};
                   }});
}

template <class Kernel>
void add_softmax(std::vector<Case>& cases, const Kernel& kernel, int64_t m, int64_t n) {
  cases.push_back({kernel.name(), shape_of("", m, n).substr(1), 8.0 * static_cast<double>(m * n), 0,
                   [=, &kernel](Operands in) {
                     const Tensor x = in.uniform({m, n}, -5, 5), y = in.zeros({m, n});
                     return Call{[=, &kernel] { kernel(x, y); }, y};
                   }});
}

template <class Forward, class Backward>
void add_softmax_bwd(std::vector<Case>& cases, const Forward& forward, const Backward& backward, int64_t m,
                     int64_t n) {
  cases.push_back({backward.name(), shape_of("", m, n).substr(1), 12.0 * static_cast<double>(m * n), 0,
                   [=, &forward, &backward](Operands in) {
                     const Tensor x = in.uniform({m, n}, -5, 5), y = in.zeros({m, n}),
                                  dy = in.uniform({m, n}), dx = in.zeros({m, n});
                     forward(x, y);
                     return Call{[=, &backward] { backward(dy, y, dx, Write::set); }, dx};
                   }});
}

void add_indexing(std::vector<Case>& cases) {
  constexpr int64_t rows = 20000, n = 784, table = 60000;
  cases.push_back(
      {"gather_rows", shape_of("", rows, n).substr(1), 8.0 * rows * n, 0, [](Operands in) {
         const Tensor x = in.uniform({table, n}), y = in.zeros({rows, n}), index = in.integers(rows, table);
         return Call{[=] { gather_rows(x, index, y); }, y};
       }});
  cases.push_back(
      {"gather_pixels", shape_of("", rows, n).substr(1), 5.0 * rows * n, 0, [](Operands in) {
         const Tensor x = in.bytes({table, n}), y = in.zeros({rows, n}), index = in.integers(rows, table);
         return Call{[=] { gather_pixels(x, index, y, Pixels::unit); }, y};
       }});
  cases.push_back({"one_hot", "200x10", 4.0 * 2000 + 8 * 200, 0, [](Operands in) {
                     const Tensor y = in.zeros({200, 10}), label = in.integers(200, 10);
                     return Call{[=] { one_hot(label, y); }, y};
                   }});
  cases.push_back(
      {"outer_add", "10x (2000x500)", 4.0 * 500 * (20000 + 2000 + 10), 0, [](Operands in) {
         const Tensor a = in.uniform({2000, 500}), v = in.uniform({10, 500}), y = in.zeros({20000, 500});
         return Call{[=] { outer_add(a, v, y); }, y};
       }});
  cases.push_back({"transpose", "4096x4096", 8.0 * kLarge, 0, [](Operands in) {
                     const Tensor x = in.uniform({4096, 4096}), y = in.zeros({4096, 4096});
                     return Call{[=] { transpose(x, y); }, y};
                   }});
}

/// The likelihood of given labels.
void add_pick(std::vector<Case>& cases, int64_t m, int64_t n) {
  const std::string shape = shape_of("", m, n).substr(1);
  const auto rows = static_cast<double>(m), all = static_cast<double>(m * n);
  cases.push_back({"pick", shape, 16 * rows, 0, [=](Operands in) {
                     const Tensor x = in.uniform({m, n}), label = in.integers(m, n), y = in.zeros({m});
                     return Call{[=] { pick(x, label, y); }, y};
                   }});
  cases.push_back({"pick_bwd", shape, 4 * all + 12 * rows, 0, [=](Operands in) {
                     const Tensor dy = in.uniform({m}), label = in.integers(m, n), dx = in.zeros({m, n});
                     return Call{[=] { pick_bwd(dy, label, dx, Write::set); }, dx};
                   }});
}

/// The sums over samples, labels and groups of the families.
void add_axes(std::vector<Case>& cases) {
  constexpr int64_t outer = 2000, count = 10, inner = 784;
  constexpr double all = 4.0 * outer * inner * (count + 1);
  const Axis axis{outer, count, inner};
  const std::string shape = fmt::format("{}x{}x{}", outer, count, inner);
  cases.push_back({"sum_bwd", shape, all, 0, [=](Operands in) {
                     const Tensor dy = in.uniform({outer, inner}), dx = in.zeros({outer, count, inner});
                     return Call{[=] { sum_bwd(dy, dx, axis, 1, Write::set); }, dx};
                   }});
  cases.push_back({"log_sum_exp_fwd", shape, all, 0, [=](Operands in) {
                     const Tensor x = in.uniform({outer, count, inner}, -5, 5), y = in.zeros({outer, inner});
                     return Call{[=] { log_sum_exp_fwd(x, y, axis, 0); }, y};
                   }});
  cases.push_back({"log_sum_exp_bwd", shape, 2 * all, 0, [=](Operands in) {
                     const Tensor x = in.uniform({outer, count, inner}, -5, 5), y = in.zeros({outer, inner});
                     const Tensor dy = in.uniform({outer, inner}), dx = in.zeros({outer, count, inner});
                     log_sum_exp_fwd(x, y, axis, 0);
                     return Call{[=] { log_sum_exp_bwd(dy, x, y, dx, axis, 0, Write::set); }, dx};
                   }});
  cases.push_back(
      {"segment_sum", "20000x784, 32 groups", 4.0 * 784 * 20032 + 8.0 * 20000, 0, [](Operands in) {
         const Tensor x = in.uniform({20000, 784}), group = in.integers(20000, 32), y = in.zeros({32, 784});
         return Call{[=] { segment_sum(x, group, y, Write::set); }, y};
       }});
  cases.push_back({"copy_columns", "20000x784 into 794", 8.0 * 784 * 20000, 0, [](Operands in) {
                     const Tensor x = in.uniform({20000, 784}), y = in.zeros({20000, 794});
                     return Call{[=] { copy_columns(x, 0, y, 10, 784, Write::set); }, y};
                   }});
  cases.push_back({"top_k", "1000000x10, 2", 4.0 * 1e7 + 24e6, 0, [](Operands in) {
                     const Tensor x = in.uniform({1000000, 10}), y = in.zeros({1000000, 2});
                     const Tensor columns = in.zeros({1000000, 2}, DType::i64);
                     return Call{[=] { top_k(x, y, columns); }, y};
                   }});
}

}  // namespace

void add_rows(std::vector<Case>& cases) {
  add_sum(cases, "all", 1, kLarge, 1);
  add_sum(cases, "rows", 20000, 784, 1);
  add_sum(cases, "rows", 1 << 20, 16, 1);
  add_sum(cases, "columns", 1, 20000, 784);
  add_sum(cases, "channels", 1, 200 * 32 * 32, 32);  // WideResNet-28-2, 32 channels
  add_sum(cases, "bias", 1, 100, 500);
  cases.push_back({"sum_squares", fmt::format("{}", kLarge), 4.0 * kLarge, 0, [](Operands in) {
                     const Tensor x = in.uniform({kLarge}), y = in.zeros({}, DType::f64);
                     return Call{[=] { sum_squares(x, y); }, y};
                   }});
  cases.push_back({"argmax", "1000000x10", 4.0 * 1e7 + 8e6, 0, [](Operands in) {
                     const Tensor x = in.uniform({1000000, 10}), y = in.zeros({1000000}, DType::i64);
                     return Call{[=] { argmax(x, y); }, y};
                   }});
  for (const auto& [m, n] : {std::pair<int64_t, int64_t>{1000000, 10}, {20000, 784}}) {
    add_softmax(cases, softmax_fwd, m, n);
    add_softmax_bwd(cases, softmax_fwd, softmax_bwd, m, n);
    add_softmax(cases, log_softmax_fwd, m, n);
    add_softmax_bwd(cases, log_softmax_fwd, log_softmax_bwd, m, n);
  }
  add_pick(cases, 100, 10);
  add_pick(cases, 1000000, 10);
  add_axes(cases);
  add_indexing(cases);
}

}  // namespace vae::bench
