// Cases of the functions that are not elementwise, and of the compositions offered beside them.
#include "autograd/catalogue.h"

namespace vae::autograd::detail {
namespace {

using Inputs = std::vector<Var>;

/// Labels 0..classes-1 in a fixed irregular order, on the device of x.
Tensor labels_of(int64_t rows, int64_t classes, const Var& x) {
  std::vector<int64_t> labels(static_cast<size_t>(rows));
  for (int64_t r = 0; r < rows; ++r) labels[static_cast<size_t>(r)] = (r * 7 + 3) % classes;
  return Tensor::from(labels, {rows}, x.value().device());
}

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
                     [](const Inputs& v) { return linear(v[0], v[1], v[2]); }});
  cases.push_back({"linear", "linear/used twice 5x6", {{{5, 6}}, {{6, 6}}}, [](const Inputs& v) {
                     return linear(linear(v[0], v[1], {}), v[1], {}) + v[0];
                   }});
}

void add_shapes(std::vector<Case>& cases) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{0, 4}, {1, 1}, {31, 33}, {3, 257}}) {
    const std::string sizes = fmt::format("{}x{}", rows, columns);
    const CaseInput x{{rows, columns}};
    cases.push_back(
        {"transpose", "transpose/" + sizes, {x}, [](const Inputs& v) { return transpose(v[0]); }});
    cases.push_back({"reshape", "reshape/" + sizes, {x}, [rows, columns](const Inputs& v) {
                       return reshape(square(v[0]), {columns, rows});
                     }});
    cases.push_back({"sum", "sum/" + sizes, {x}, [](const Inputs& v) { return sum(v[0], -0.7); }});
    if (rows) cases.push_back({"sum", "sum/mean " + sizes, {x}, [](const Inputs& v) { return mean(v[0]); }});
    for (const int64_t copies : {0, 1, 3})
      cases.push_back({"repeat_rows",
                       fmt::format("repeat_rows/{} times {}", copies, sizes),
                       {x},
                       [copies](const Inputs& v) { return repeat_rows(v[0], copies); }});
  }
  for (const int64_t groups : {1, 3, 33})
    cases.push_back({"repeat_rows",
                     fmt::format("repeat_rows/5 times 33x7 in {} groups", groups),
                     {{{33, 7}}},
                     [groups](const Inputs& v) { return repeat_rows(v[0], 5, groups); }});
}

void add_blocks_of_rows(std::vector<Case>& cases) {
  struct Sizes {
    int64_t blocks, rows, columns;
  };
  for (const Sizes& s : {Sizes{1, 4, 3}, {10, 0, 5}, {0, 4, 5}, {10, 3, 33}, {4, 31, 65}, {2, 1, 1}}) {
    const std::string sizes = fmt::format("{} x {}x{}", s.blocks, s.rows, s.columns);
    const CaseInput shared{{s.rows, s.columns}}, own{{s.blocks * s.rows, s.columns}},
        v{{s.blocks, s.columns}};
    cases.push_back({"outer_add", "outer_add/" + sizes, {shared, v}, [](const Inputs& x) {
                       return outer_add(x[0], x[1]);
                     }});
    if (s.blocks)
      cases.push_back({"add_blocks", "add_blocks/" + sizes, {own, v}, [](const Inputs& x) {
                         return add_blocks(x[0], x[1]);
                       }});
  }
}

void add_classification(std::vector<Case>& cases) {
  for (const auto& [rows, classes] :
       {std::pair<int64_t, int64_t>{0, 10}, {1, 1}, {4, 1}, {31, 10}, {33, 257}, {1, 1000}}) {
    const CaseInput x{{rows, classes}, -4, 4};
    const std::string sizes = fmt::format("{}x{}", rows, classes);
    cases.push_back({"softmax", "softmax/" + sizes, {x}, [](const Inputs& v) { return softmax(v[0]); }});
    cases.push_back(
        {"log_softmax", "log_softmax/" + sizes, {x}, [](const Inputs& v) { return log_softmax(v[0]); }});
    cases.push_back({"pick", "pick/" + sizes, {x}, [rows, classes](const Inputs& v) {
                       return pick(v[0], labels_of(rows, classes, v[0]));
                     }});
    cases.push_back({"pick", "pick/added to softmax " + sizes, {x}, [rows, classes](const Inputs& v) {
                       return sum(softmax(v[0])) + sum(pick(v[0], labels_of(rows, classes, v[0])));
                     }});
    if (rows)
      cases.push_back({"pick", "pick/cross_entropy " + sizes, {x}, [rows, classes](const Inputs& v) {
                         return cross_entropy(v[0], labels_of(rows, classes, v[0]));
                       }});
  }
}

void add_batch_norm(std::vector<Case>& cases) {
  const kernels::BatchNormRule textbook{}, chainer{2e-5, 0.1, true};
  for (const auto& [m, n] :
       {std::pair<int64_t, int64_t>{0, 3}, {1, 4}, {2, 3}, {31, 5}, {33, 65}, {257, 2}, {300, 131}})
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
  using kernels::Map;
  const std::pair<Map, kernels::Params> functions[] = {
      {Map::tanh, {}}, {Map::sigmoid, {}},          {Map::softplus, {}},
      {Map::relu, {}}, {Map::leaky_relu, {0.2, 0}}, {Map::elu, {1.5, 0}}};
  for (const auto& [function, params] : functions) {
    const auto f = [activation = kernels::Activation{function, params}](const Inputs& v) {
      return batch_norm(v[0], v[1], v[2], {}, {}, {}, activation);
    };
    const std::string name = fmt::format("batch_norm/{}", kernels::name_of(function));
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

void add_compositions(std::vector<Case>& cases) {
  cases.push_back(
      {"mul", "mul/dropout 31x33", {{{31, 33}}, {{31, 33}, 0, 1, {0.3}, false}}, [](const Inputs& v) {
         return dropout(v[0], v[1].value(), 0.3);
       }});
  cases.push_back({"add", "add/x + x 4x5", {{{4, 5}}}, [](const Inputs& v) { return v[0] + v[0]; }});
  cases.push_back(
      {"sub", "sub/x - x^2 4x5", {{{4, 5}}}, [](const Inputs& v) { return v[0] - square(v[0]); }});
  cases.push_back({"mul", "mul/x x 4x5", {{{4, 5}}}, [](const Inputs& v) { return v[0] * v[0]; }});
  cases.push_back(
      {"gaussian_nll", "gaussian_nll/unlimited 4x5", {{{4, 5}}, {{4, 5}}, {{4, 5}}}, [](const Inputs& v) {
         return gaussian_nll(v[0], v[1], v[2]);
       }});
  cases.push_back({"affine", "affine/negative_entropy 4x5", {{{4, 5}}}, [](const Inputs& v) {
                     return negative_entropy(v[0]);
                   }});
}

}  // namespace

void add_structured_cases(std::vector<Case>& cases) {
  add_linear(cases);
  add_shapes(cases);
  add_blocks_of_rows(cases);
  add_classification(cases);
  add_batch_norm(cases);
  add_batch_norm_activations(cases);
  add_compositions(cases);
}

}  // namespace vae::autograd::detail
