// Cases of the terms of objectives that are compositions; the elementwise functions of which they are made
// have cases of their own.
#include "tests/autograd/cases/catalogue.h"

namespace vae::autograd::detail {
namespace {

void add_terms(std::vector<Case>& cases) {
  cases.push_back(
      {"gaussian_nll", "gaussian_nll/unlimited 4x5", {{{4, 5}}, {{4, 5}}, {{4, 5}}}, [](const Inputs& v) {
         return gaussian_nll(v[0], v[1], v[2]);
       }});
  cases.push_back({"affine", "affine/negative_entropy 4x5", {{{4, 5}}}, [](const Inputs& v) {
                     return negative_entropy(v[0]);
                   }});
}

void add_divergences(std::vector<Case>& cases) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{0, 3}, {1, 1}, {31, 33}, {3, 257}}) {
    const std::string sizes = fmt::format("{}x{}", rows, columns);
    const CaseInput x{{rows, columns}};
    cases.push_back({"kl_means", "kl_means/gaussian_kl " + sizes, {x, x, x, x}, [](const Inputs& v) {
                       return gaussian_kl(v[0], v[1], v[2], v[3]);
                     }});
    if (rows == 0) continue;
    const CaseInput p{{5, columns}};
    // Entries are sums of hundreds of terms that cancel.
    cases.push_back({"matmul", "matmul/gaussian_kl_matrix " + sizes, {x, x, p, p}, [](const Inputs& v) {
                       return gaussian_kl_matrix(v[0], v[1], v[2], v[3]);
                     }});
    cases.push_back({"matmul", "matmul/gaussian_kl_matrix with itself " + sizes, {x, x}, [](const Inputs& v) {
                       return gaussian_kl_matrix(v[0], v[1], v[0], v[1]);
                     }});
    const CaseInput target{{rows, columns}, 0, 1};
    cases.push_back({"log_softmax", "log_softmax/cross_entropy " + sizes, {x, target}, [](const Inputs& v) {
                       return cross_entropy(v[0], v[1]);
                     }});
    const CaseInput noise{{rows, columns}, 0, 1, {}, false}, tau{{}, 0.5, 1.5};
    cases.push_back(
        {"gumbel_logits", "gumbel_logits/gumbel_softmax " + sizes, {x, noise, tau}, [](const Inputs& v) {
           return gumbel_softmax(v[0], v[1].value(), v[2], 1e-8);
         }});
  }
}

void add_labels(std::vector<Case>& cases) {
  for (const auto& [rows, classes] :
       {std::pair<int64_t, int64_t>{1, 1}, {4, 1}, {31, 10}, {33, 257}, {1, 1000}})
    cases.push_back(
        {"pick",
         fmt::format("pick/cross_entropy {}x{}", rows, classes),
         {{{rows, classes}, -4, 4}},
         [rows, classes](const Inputs& v) { return cross_entropy(v[0], labels_of(rows, classes, v[0])); }});
}

void add_flows(std::vector<Case>& cases) {
  for (const auto& [rows, d] : {std::pair<int64_t, int64_t>{0, 2}, {1, 1}, {31, 5}, {3, 257}}) {
    const std::string sizes = fmt::format("{}x{}", rows, d);
    const std::vector<CaseInput> inputs{{{rows, d}, -1, 1}, {{d}, -1, 1}, {{d}, 0.2, 1}, {{}, -1, 1}};
    cases.push_back({"planar_log_det", "planar_log_det/planar_flow log_det " + sizes, inputs,
                     [](const Inputs& v) { return planar_flow(v[0], v[1], v[2], v[3], 1e-8).log_det; }});
    cases.push_back(
        {"planar_log_det", "planar_log_det/planar_flow twice " + sizes, inputs, [](const Inputs& v) {
           const PlanarFlow one = planar_flow(v[0], v[1], v[2], v[3], 1e-8);
           const PlanarFlow two = planar_flow(one.z, v[2], v[2], v[3], 1e-8);
           return sum(square(two.z)) + sum(one.log_det + two.log_det);
         }});
  }
}

}  // namespace

void add_loss_cases(std::vector<Case>& cases) {
  add_terms(cases);
  add_divergences(cases);
  add_labels(cases);
  add_flows(cases);
}

}  // namespace vae::autograd::detail
