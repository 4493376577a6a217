// Cases of matrix products and batch norm.
#include "tests/autograd/cases/catalogue.h"

namespace vae::autograd::detail {
namespace {

using kernels::Transpose;

void add_linear(std::vector<Case>& cases) {
  struct Sizes {
    int64_t rows, in, out;
  };
  for (const Sizes& s : {Sizes{0, 5, 3}, {1, 1, 1}, {31, 33, 7}, {4, 257, 5}, {33, 6, 31}, {5, 0, 3}}) {
    const CaseInput x{{s.rows, s.in}}, weight{{s.out, s.in}}, bias{{s.out}};
    const std::string sizes = fmt::format("{}x{}->{}", s.rows, s.in, s.out);
    cases.push_back({"linear", "linear/bias " + sizes, {x, weight, bias}, [](const Inputs& v) {
                       return linear(v[0], v[1], v[2]);
                     }});
    cases.push_back({"linear", "linear/no bias " + sizes, {x, weight}, [](const Inputs& v) {
                       return linear(v[0], v[1], {});
                     }});
  }
  for (const int64_t own_rows : {1, 5, 31, 155})  // rows of the bias, which repeat
    cases.push_back({"linear",
                     fmt::format("linear/bias of {} rows 155x7->33", own_rows),
                     {{{155, 7}}, {{33, 7}}, {{own_rows, 33}}},
                     [](const Inputs& v) { return linear(v[0], v[1], repeating(v[2])); }});
  cases.push_back({"linear", "linear/used twice 5x6", {{{5, 6}}, {{6, 6}}}, [](const Inputs& v) {
                     return linear(linear(v[0], v[1], {}), v[1], {}) + v[0];
                   }});
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

void add_transposes(std::vector<Case>& cases) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{0, 4}, {1, 1}, {31, 33}, {3, 257}})
    cases.push_back({"transpose",
                     fmt::format("transpose/{}x{}", rows, columns),
                     {{{rows, columns}}},
                     [](const Inputs& v) { return transpose(v[0]); }});
}

void add_batch_norm(std::vector<Case>& cases) {
  const kernels::BatchNormRule textbook{}, chainer{2e-5, 0.1, true};
  for (const auto& [m, n] :
       {std::pair<int64_t, int64_t>{0, 3}, {2, 3}, {31, 5}, {33, 65}, {257, 2}, {300, 131}})
    for (const bool textbook_rule : {true, false})
      for (const bool running : {true, false}) {
        const auto f = [rule = textbook_rule ? textbook : chainer, running, n = n](const Inputs& v) {
          const Tensor& x = v[0].value();
          const auto statistic = [&] {
            return running ? Tensor::zeros({n}, x.dtype(), x.device()) : Tensor{};
          };
          return batch_norm(v[0], v[1], v[2], statistic(), statistic(), rule);
        };
        cases.push_back({"batch_norm",
                         fmt::format("batch_norm/{}{} {}x{}", textbook_rule ? "textbook" : "chainer",
                                     running ? " running" : "", m, n),
                         {{{m, n}, -3, 3}, {{n}, 0.5, 1.5}, {{n}}},
                         f});
      }
  for (const auto& [m, n, wide] :
       {std::tuple<int64_t, int64_t, int64_t>{2, 3, 3}, {31, 5, 8}, {257, 33, 40}}) {
    const auto of_first = [](const Inputs& v) { return batch_norm_of_first(v[0], v[1], v[2], {}, {}, {}); };
    const auto both = [of_first](const Inputs& v) { return sum(square(v[0])) + sum(of_first(v)); };
    const std::vector<CaseInput> inputs{{{m, wide}, -3, 3}, {{n}, 0.5, 1.5}, {{n}}};
    const std::string name = fmt::format("batch_norm/first {} of {}x{}", n, m, wide);
    cases.push_back({"batch_norm", name, inputs, of_first});
    cases.push_back({"batch_norm", name + " added to the gradient of x", inputs, both});
  }
  const auto f = [](const Inputs& v) { return batch_norm(v[0], v[1], v[2], {}, {}, {}); };
  cases.push_back({"batch_norm",
                   "batch_norm/x alone 8x3",
                   {{{8, 3}}, {{3}, 0.5, 1.5, {}, false}, {{3}, -2, 2, {}, false}},
                   f});
  cases.push_back({"batch_norm",
                   "batch_norm/parameters alone 8x3",
                   {{{8, 3}, -2, 2, {}, false}, {{3}, 0.5, 1.5}, {{3}}},
                   f});
}

void add_batch_norm_activations(std::vector<Case>& cases) {
  for (const std::string_view function : kernels::activation_names()) {
    const auto f = [activation = kernels::parse_activation(function)](const Inputs& v) {
      return batch_norm(v[0], v[1], v[2], {}, {}, {}, activation);
    };
    const std::string name = fmt::format("batch_norm/{}", function);
    // A beta of 4 keeps all values on one side of the kink at zero, one of -4 on the other.
    for (const double beta : {-4., 4.})
      for (const auto& [m, n] : {std::pair<int64_t, int64_t>{0, 3}, {2, 3}, {31, 5}, {33, 65}, {257, 2}})
        cases.push_back({"batch_norm",
                         fmt::format("{} beta {} {}x{}", name, beta, m, n),
                         {{{m, n}, -3, 3}, {{n}, 0.5, 1}, {{n}, beta - 0.2, beta + 0.2}},
                         f});
    const auto twice = [f](const Inputs& v) { return sum(square(v[0])) + sum(f(v)); };
    cases.push_back({"batch_norm",
                     name + " added to the gradient of x 8x3",
                     {{{8, 3}}, {{3}, 0.5, 1}, {{3}, 4, 5}},
                     twice});
    cases.push_back({"batch_norm",
                     name + " parameters alone 8x3",
                     {{{8, 3}, -2, 2, {}, false}, {{3}, 0.5, 1}, {{3}, 4, 5}},
                     f});
  }
}

}  // namespace

void add_linear_cases(std::vector<Case>& cases) {
  add_linear(cases);
  add_products(cases);
  add_transposes(cases);
  add_batch_norm(cases);
  add_batch_norm_activations(cases);
}

}  // namespace vae::autograd::detail
