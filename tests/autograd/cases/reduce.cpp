// Cases of the reductions and softmax.
#include "tests/autograd/cases/catalogue.h"

namespace vae::autograd::detail {
namespace {

using kernels::Axis;

void add_sums(std::vector<Case>& cases) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{0, 4}, {1, 1}, {31, 33}, {3, 257}}) {
    const std::string sizes = fmt::format("{}x{}", rows, columns);
    const CaseInput x{{rows, columns}};
    cases.push_back({"sum", "sum/" + sizes, {x}, [](const Inputs& v) { return scaled_sum(v[0], -0.7); }});
    if (rows) cases.push_back({"sum", "sum/mean " + sizes, {x}, [](const Inputs& v) { return mean(v[0]); }});
  }
}

void add_axes(std::vector<Case>& cases) {
  for (const Axis& axis :
       {Axis::rows(31, 33), Axis::rows(5, 257), Axis::columns(31, 33), Axis::columns(1, 1000), Axis{3, 4, 5},
        Axis{2, 6, 31}, Axis{4, 1, 7}, Axis{0, 3, 2}, Axis::all(33)}) {
    const std::string sizes = fmt::format("{}x{}x{}", axis.outer, axis.count, axis.inner);
    const CaseInput x{{axis.outer, axis.count, axis.inner}, -4, 4};
    cases.push_back(
        {"sum", "sum/axis " + sizes, {x}, [axis](const Inputs& v) { return scaled_sum(v[0], axis, -0.3); }});
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
}

void add_softmax(std::vector<Case>& cases) {
  for (const auto& [rows, classes] :
       {std::pair<int64_t, int64_t>{0, 10}, {1, 1}, {4, 1}, {31, 10}, {33, 257}, {1, 1000}}) {
    const CaseInput x{{rows, classes}, -4, 4};
    const std::string sizes = fmt::format("{}x{}", rows, classes);
    cases.push_back({"softmax", "softmax/" + sizes, {x}, [](const Inputs& v) { return softmax(v[0]); }});
    cases.push_back(
        {"log_softmax", "log_softmax/" + sizes, {x}, [](const Inputs& v) { return log_softmax(v[0]); }});
  }
}

}  // namespace

void add_reduce_cases(std::vector<Case>& cases) {
  add_sums(cases);
  add_axes(cases);
  add_softmax(cases);
}

}  // namespace vae::autograd::detail
