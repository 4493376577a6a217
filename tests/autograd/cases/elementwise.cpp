// Cases of the elementwise functions: every function of the list, as map and as row sum, with every operand
// broadcast in every way.
#include "kernels/elementwise/call.h"
#include "tests/autograd/cases/catalogue.h"

namespace vae::autograd::detail {
namespace {

using kernels::Map;
using kernels::Params;

/// Constants for a function's cases, and the kinks of its last operand.
struct Setting {
  Params params;
  std::vector<double> kinks;
};

Setting setting_of(Map op) {
  switch (op) {
    case Map::affine:
      return {{1.7, -0.3}, {}};
    case Map::log:
      return {{0.1, 0}, {}};
    case Map::abs_difference:
    case Map::running_mean:
      return {{0.7, 0}, {}};
    case Map::abs:
    case Map::relu:
      return {{}, {0}};
    case Map::leaky_relu:
      return {{0.2, 0}, {0}};
    case Map::elu:
      return {{1.3, 0}, {0}};
    case Map::clip:
      return {{-1.5, 1.2}, {-1.5, 1.2}};
    case Map::at_least:
      return {{0.5, 2}, {0.5}};
    case Map::weighted_bound:
      return {{1e-6, 0}, {}};
    case Map::bce_floored:
    case Map::bernoulli_kl:
    case Map::planar_log_det:
    case Map::gumbel_logits:
      return {{1e-2, 0}, {}};
    case Map::gaussian_nll:
      return {{-2, 2}, {-2, 2}};
    default:
      return {};
  }
}

/// Ways in which an operand fits into rows x columns.
enum class Fit { full, row, column, scalar, block };

std::string_view name_of(Fit fit) {
  constexpr std::string_view names[] = {"full", "row", "column", "scalar", "block"};
  return names[static_cast<int>(fit)];
}

Shape shape_of(Fit fit, int64_t rows, int64_t columns) {
  switch (fit) {
    case Fit::row:
      return {columns};
    case Fit::column:
      return {rows, 1};
    case Fit::scalar:
      return {};
    case Fit::block:
      return {rows / 3, columns};
    default:
      return {rows, columns};
  }
}

Var apply(bool rowsum, Map op, const std::vector<Var>& x, Params params) {
  const auto call = [&](std::initializer_list<Var> operands) {
    return rowsum ? autograd::rowsum(op, operands, params) : autograd::map(op, operands, params);
  };
  return x.size() == 1 ? call({x[0]}) : x.size() == 2 ? call({x[0], x[1]}) : call({x[0], x[1], x[2]});
}

/// The operands all full, each alone broadcast in every way, and each alone full between a row and a column.
std::vector<std::vector<Fit>> fits_of(size_t arity) {
  std::vector<std::vector<Fit>> all{std::vector<Fit>(arity, Fit::full)};
  if (arity == 1) return all;
  for (size_t i = 0; i < arity; ++i)
    for (const Fit fit : {Fit::row, Fit::column, Fit::scalar, Fit::block}) {
      all.emplace_back(arity, Fit::full);
      all.back()[i] = fit;
    }
  if (arity == 3) {
    all.push_back({Fit::full, Fit::row, Fit::column});
    all.push_back({Fit::column, Fit::full, Fit::row});
    all.push_back({Fit::block, Fit::scalar, Fit::full});
  }
  return all;
}

/// Bounds of each operand of a function.
using Domain = std::span<const double[2]>;

class Family {
 public:
  explicit Family(std::vector<Case>& cases) : cases_(cases) {}

  void add(Map op, Domain domain) {
    const std::vector<std::vector<Fit>> all = fits_of(domain.size());
    for (const std::vector<Fit>& fits : all) add_fits(op, domain, fits, 12, 7);
    for (const auto& [rows, columns] : {std::pair{0, 5}, {5, 0}, {1, 1}, {31, 1}, {1, 33}, {3, 257}})
      add_fits(op, domain, all[0], rows, columns);
    // Beyond the sizes where the loops are split over threads: along a row, and by rows.
    add_fits(op, domain, all[0], 131, 257);
    if (domain.size() > 1) add_fits(op, domain, all[1], 131, 257);
    if (domain.size() > 1) add_fits(op, domain, all[1], 0, 5);
  }

 private:
  void add_fits(Map op, Domain domain, const std::vector<Fit>& fits, int64_t rows, int64_t columns) {
    const Setting setting = setting_of(op);
    Case sample{.op = std::string(kernels::name_of(op)), .name = "", .inputs = {}, .f = {}};
    sample.surrogate = kernels::is_surrogate(op);
    std::string variant;
    for (size_t i = 0; i < fits.size(); ++i) {
      sample.inputs.push_back({shape_of(fits[i], rows, columns), domain[i][0], domain[i][1],
                               i + 1 == fits.size() ? setting.kinks : std::vector<double>{}});
      variant += fmt::format("{}{}", i ? "," : "", name_of(fits[i]));
    }
    for (const bool rowsum : {false, true}) {
      if (rowsum && (op == Map::add || op == Map::sub || op == Map::add_scaled))
        continue;  // not offered as row sums
      sample.name =
          fmt::format("{}/{} {} {}x{}", sample.op, rowsum ? "rowsum" : "map", variant, rows, columns);
      Params params = setting.params;
      if (rowsum) params.scale = -0.75;
      sample.f = [rowsum, op, params](const std::vector<Var>& x) { return apply(rowsum, op, x, params); };
      cases_.push_back(sample);
    }
  }

  std::vector<Case>& cases_;
};

void add_compositions(std::vector<Case>& cases) {
  cases.push_back(
      {"mul", "mul/dropout 31x33", {{{31, 33}}, {{31, 33}, 0, 1, {0.3}, false}}, [](const Inputs& v) {
         return dropout(v[0], v[1].value(), 0.3);
       }});
  cases.push_back({"add", "add/x + x 4x5", {{{4, 5}}}, [](const Inputs& v) { return v[0] + v[0]; }});
  cases.push_back(
      {"sub", "sub/x - x^2 4x5", {{{4, 5}}}, [](const Inputs& v) { return v[0] - square(v[0]); }});
  cases.push_back({"mul", "mul/x x 4x5", {{{4, 5}}}, [](const Inputs& v) { return v[0] * v[0]; }});
}

}  // namespace

void add_elementwise_cases(std::vector<Case>& cases) {
  Family family(cases);
#define VAE_MAP(type, name) family.add(Map::name, kernels::type::domain);
#include "kernels/elementwise/list.h"
#undef VAE_MAP
  add_compositions(cases);
}

}  // namespace vae::autograd::detail
