// Cases of the functions that move, gather and reduce.
#include "autograd/catalogue.h"
#include "autograd/ops_structure.h"

namespace vae::autograd::detail {
namespace {

using kernels::Axis;
using kernels::Transpose;
using Inputs = std::vector<Var>;

/// i64 numbers below `limit` in a fixed irregular order that skips the last one, on the device of x.
Tensor ids_of(int64_t rows, int64_t limit, const Var& x) {
  std::vector<int64_t> ids(static_cast<size_t>(rows));
  for (int64_t r = 0; r < rows; ++r)
    ids[static_cast<size_t>(r)] = (r * r + 3 * r + 1) % std::max<int64_t>(limit - 1, 1);
  return Tensor::from(ids, {rows}, x.value().device());
}

void add_columns(std::vector<Case>& cases) {
  struct Sizes {
    int64_t rows, a, b, c;
  };
  for (const Sizes& s :
       {Sizes{5, 1, 1, 1}, {0, 2, 3, 4}, {31, 33, 0, 257}, {1, 784, 10, 32}, {257, 2, 3, 4}}) {
    const std::string sizes = fmt::format("{}x({}+{}+{})", s.rows, s.a, s.b, s.c);
    const CaseInput a{{s.rows, s.a}}, b{{s.rows, s.b}}, c{{s.rows, s.c}}, all{{s.rows, s.a + s.b + s.c}};
    cases.push_back({"concat", "concat/" + sizes, {a, b, c}, [](const Inputs& v) { return concat(v); }});
    cases.push_back({"slice_columns", "slice_columns/" + sizes, {all}, [s](const Inputs& v) {
                       return slice_columns(v[0], s.a, s.a + s.b);
                     }});
    cases.push_back({"slice_columns", "slice_columns/split " + sizes, {all}, [s](const Inputs& v) {
                       const std::vector<Var> parts = split_columns(v[0], {s.a, s.b, s.c});
                       return concat({square(parts[2]), parts[0], exp(parts[1])});
                     }});
  }
  cases.push_back(
      {"concat", "concat/images, one twice", {{{2, 3, 4, 5}}, {{2, 3, 4, 2}}}, [](const Inputs& v) {
         return concat({v[0], v[1], v[0]});
       }});
}

void add_rows(std::vector<Case>& cases) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{1, 1}, {31, 33}, {9, 257}}) {
    const std::string sizes = fmt::format("{}x{}", rows, columns);
    const CaseInput x{{rows, columns}};
    cases.push_back({"slice_rows", "slice_rows/halves " + sizes, {x}, [rows](const Inputs& v) {
                       return sum(square(slice_rows(v[0], 0, rows / 2))) +
                              sum(exp(slice_rows(v[0], rows / 2, rows)));
                     }});
    cases.push_back({"gather_rows", "gather_rows/" + sizes, {x}, [rows](const Inputs& v) {
                       return gather_rows(v[0], ids_of(40, rows, v[0]));
                     }});
    cases.push_back({"gather_rows", "gather_rows/of none " + sizes, {x}, [](const Inputs& v) {
                       return gather_rows(v[0], ids_of(0, 1, v[0]));
                     }});
    for (const int64_t groups : {1, 10, 300}) {
      const std::string name = fmt::format("{} in {}", sizes, groups);
      cases.push_back({"segment_sum", "segment_sum/" + name, {x}, [rows, groups](const Inputs& v) {
                         return segment_sum(v[0], ids_of(rows, groups, v[0]), groups);
                       }});
      cases.push_back({"segment_sum", "segment_sum/mean " + name, {x}, [rows, groups](const Inputs& v) {
                         return segment_mean(v[0], ids_of(rows, groups, v[0]), groups);
                       }});
    }
    const CaseInput one{{}, 0, 1}, each{{rows}, 0, 1};
    for (const CaseInput& t : {one, each})
      cases.push_back({"lerp",
                       fmt::format("lerp/mix_rows by {} {}", t.shape.str(), sizes),
                       {x, t},
                       [rows](const Inputs& v) { return mix_rows(v[0], ids_of(rows, rows, v[0]), v[1]); }});
  }
  cases.push_back({"segment_sum", "segment_sum/no rows, images", {{{0, 2, 3}}}, [](const Inputs& v) {
                     return segment_sum(v[0], ids_of(0, 4, v[0]), 4);
                   }});
  cases.push_back({"slice_rows", "slice_rows/images, once and whole", {{{4, 2, 3}}}, [](const Inputs& v) {
                     return sum(slice_rows(v[0], 1, 3)) + sum(square(v[0]));
                   }});
}

void add_axes(std::vector<Case>& cases) {
  for (const Axis& axis :
       {Axis::rows(31, 33), Axis::rows(5, 257), Axis::columns(31, 33), Axis::columns(1, 1000), Axis{3, 4, 5},
        Axis{2, 6, 31}, Axis{4, 1, 7}, Axis{0, 3, 2}, Axis::all(33)}) {
    const std::string sizes = fmt::format("{}x{}x{}", axis.outer, axis.count, axis.inner);
    const CaseInput x{{axis.outer, axis.count, axis.inner}, -4, 4};
    cases.push_back(
        {"sum", "sum/axis " + sizes, {x}, [axis](const Inputs& v) { return sum(v[0], axis, -0.3); }});
    cases.push_back({"sum", "sum/axis, added to square " + sizes, {x}, [axis](const Inputs& v) {
                       return sum(sum(v[0], axis)) + sum(square(v[0]));
                     }});
    for (const double eps : {0.0, 0.1})
      cases.push_back({"log_sum_exp",
                       fmt::format("log_sum_exp/eps {} {}", eps, sizes),
                       {x},
                       [axis, eps](const Inputs& v) { return log_sum_exp(v[0], axis, eps); }});
    cases.push_back({"log_sum_exp", "log_sum_exp/mean, added to mean " + sizes, {x}, [axis](const Inputs& v) {
                       return log_mean_exp(v[0], axis, 1e-3) + mean(v[0], axis);
                     }});
  }
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{0, 3}, {31, 1}, {7, 33}, {3, 1000}})
    cases.push_back({"pick",
                     fmt::format("pick/max_columns {}x{}", rows, columns),
                     {{{rows, columns}}},
                     [](const Inputs& v) { return max_columns(v[0]); }});
}

void add_products(std::vector<Case>& cases) {
  struct Sizes {
    int64_t m, k, n;
  };
  for (const Sizes& s : {Sizes{1, 1, 1}, {31, 33, 7}, {4, 257, 5}, {0, 3, 2}, {3, 0, 2}})
    for (const Transpose ta : {Transpose::no, Transpose::yes})
      for (const Transpose tb : {Transpose::no, Transpose::yes}) {
        const auto shape = [](Transpose t, int64_t rows, int64_t columns) {
          return t == Transpose::no ? Shape{rows, columns} : Shape{columns, rows};
        };
        const auto mark = [](Transpose t) { return t == Transpose::no ? "" : "^T"; };
        cases.push_back({"matmul",
                         fmt::format("matmul/a{} b{} {}x{}x{}", mark(ta), mark(tb), s.m, s.k, s.n),
                         {{shape(ta, s.m, s.k)}, {shape(tb, s.k, s.n)}},
                         [ta, tb](const Inputs& v) { return matmul(v[0], ta, v[1], tb); }});
      }
  cases.push_back({"matmul", "matmul/x x^T 5x7", {{{5, 7}}}, [](const Inputs& v) {
                     return matmul(v[0], Transpose::no, v[0], Transpose::yes);
                   }});
}

}  // namespace

void add_structure_cases(std::vector<Case>& cases) {
  add_columns(cases);
  add_rows(cases);
  add_axes(cases);
  add_products(cases);
}

}  // namespace vae::autograd::detail
