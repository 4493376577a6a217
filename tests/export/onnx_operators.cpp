#include "tests/export/onnx_operators.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace vae::test {
namespace {

using Inputs = std::vector<Array>;

/// The element of an operand that stands under element i of a result.
int64_t under(const std::vector<int64_t>& operand, const std::vector<int64_t>& result, int64_t i) {
  int64_t at = 0, stride = 1;
  for (size_t axis = 0; axis < result.size(); ++axis) {
    const int64_t extent = result[result.size() - 1 - axis];
    const int64_t own = axis < operand.size() ? operand[operand.size() - 1 - axis] : 1;
    if (own != 1) at += i % extent * stride;
    i /= extent, stride *= own;
  }
  return at;
}

std::vector<int64_t> broadcast(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  std::vector<int64_t> result(std::max(a.size(), b.size()));
  for (size_t axis = 0; axis < result.size(); ++axis) {
    const int64_t x = axis < a.size() ? a[a.size() - 1 - axis] : 1,
                  y = axis < b.size() ? b[b.size() - 1 - axis] : 1;
    if (x != y && x != 1 && y != 1) throw std::runtime_error("operands that do not broadcast");
    result[result.size() - 1 - axis] = x == 1 ? y : x;
  }
  return result;
}

Operator binary(double (*f)(double, double)) {
  return [f](const Inputs& in, const NodeSettings&) {
    Array y{broadcast(in[0].extents, in[1].extents), {}};
    for (int64_t i = 0; i < count_of(y.extents); ++i)
      y.values.push_back(f(in[0].values.at(under(in[0].extents, y.extents, i)),
                           in[1].values.at(under(in[1].extents, y.extents, i))));
    return y;
  };
}

Operator unary(double (*f)(double, double), double alpha = 0) {
  return [=](const Inputs& in, const NodeSettings& s) {
    Array y = in[0];
    for (double& v : y.values) v = f(v, s.number("alpha", alpha));
    return y;
  };
}

Array gemm(const Inputs& in, const NodeSettings& s) {
  const bool ta = s.number("transA", 0) != 0, tb = s.number("transB", 0) != 0;
  const Array &a = in[0], &b = in[1];
  const int64_t rows = a.extents[ta ? 1 : 0], inner = a.extents[ta ? 0 : 1], columns = b.extents[tb ? 0 : 1];
  if (b.extents[tb ? 1 : 0] != inner) throw std::runtime_error("a product of matrices that do not fit");
  Array y{{rows, columns}, {}};
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) {
      double sum = in.size() > 2 ? in[2].values.at(under(in[2].extents, y.extents, r * columns + c)) : 0;
      for (int64_t k = 0; k < inner; ++k)
        sum += a.values[ta ? k * rows + r : r * inner + k] * b.values[tb ? c * inner + k : k * columns + c];
      y.values.push_back(sum);
    }
  return y;
}

Array transpose(const Inputs& in, const NodeSettings& s) {
  const std::vector<int64_t>& perm = s.lists.at("perm");
  Array y{{}, {}};
  std::vector<int64_t> strides(perm.size(), 1);
  for (size_t axis = perm.size() - 1; axis-- > 0;)
    strides[axis] = strides[axis + 1] * in[0].extents[axis + 1];
  for (const int64_t axis : perm) y.extents.push_back(in[0].extents[axis]);
  for (int64_t i = 0; i < count_of(y.extents); ++i) {
    int64_t at = 0, rest = i;
    for (size_t axis = perm.size(); axis-- > 0; rest /= y.extents[axis])
      at += rest % y.extents[axis] * strides[perm[axis]];
    y.values.push_back(in[0].values.at(at));
  }
  return y;
}

Array reshape(const Inputs& in, const NodeSettings&) {
  Array y{{in[1].values.begin(), in[1].values.end()}, in[0].values};
  int64_t known = 1;
  for (const int64_t extent : y.extents) known *= extent == -1 ? 1 : extent;
  for (int64_t& extent : y.extents)
    if (extent == -1) extent = std::ssize(y.values) / known;
  if (count_of(y.extents) != std::ssize(y.values)) throw std::runtime_error("a shape of another size");
  return y;
}

/// Blocks before, along and behind an axis.
struct Blocks {
  int64_t before = 1, along, behind = 1;
  Blocks(const std::vector<int64_t>& extents, int64_t axis) {
    const auto at = static_cast<size_t>(axis < 0 ? axis + std::ssize(extents) : axis);
    along = extents.at(at);
    for (size_t i = 0; i < extents.size(); ++i) (i < at ? before : i > at ? behind : known) *= extents[i];
  }
  int64_t known = 1;
};

Array slice(const Array& x, int64_t begin, int64_t end, int64_t axis) {
  const Blocks b(x.extents, axis);
  Array y{x.extents, {}};
  y.extents[axis] = end - begin;
  for (int64_t i = 0; i < b.before; ++i)
    y.values.insert(y.values.end(), x.values.begin() + (i * b.along + begin) * b.behind,
                    x.values.begin() + (i * b.along + end) * b.behind);
  return y;
}

Array concat(const Inputs& in, const NodeSettings& s) {
  const auto axis = static_cast<int64_t>(s.numbers.at("axis"));
  Array y{in[0].extents, {}};
  y.extents[axis] = 0;
  for (const Array& x : in) y.extents[axis] += x.extents.at(axis);
  for (int64_t i = 0; i < Blocks(in[0].extents, axis).before; ++i)
    for (const Array& x : in) {
      const Blocks b(x.extents, axis);
      const auto begin = x.values.begin() + i * b.along * b.behind;
      y.values.insert(y.values.end(), begin, begin + b.along * b.behind);
    }
  return y;
}

Array softmax(const Array& x, const NodeSettings& s, bool logarithm) {
  const Blocks b(x.extents, static_cast<int64_t>(s.number("axis", -1)));
  Array y = x;
  for (int64_t i = 0; i < b.before; ++i)
    for (int64_t k = 0; k < b.behind; ++k) {
      const auto at = [&](int64_t j) -> double& { return y.values[(i * b.along + j) * b.behind + k]; };
      double most = at(0), sum = 0;
      for (int64_t j = 0; j < b.along; ++j) most = std::max(most, at(j));
      for (int64_t j = 0; j < b.along; ++j) sum += std::exp(at(j) - most);
      for (int64_t j = 0; j < b.along; ++j)
        at(j) = logarithm ? at(j) - most - std::log(sum) : std::exp(at(j) - most) / sum;
    }
  return y;
}

std::map<std::string, Operator> operators() {
  std::map<std::string, Operator> all{
      {"Gemm", gemm},
      {"Transpose", transpose},
      {"Reshape", reshape},
      {"Concat", concat},
      {"Add", binary([](double a, double b) { return a + b; })},
      {"Sub", binary([](double a, double b) { return a - b; })},
      {"Mul", binary([](double a, double b) { return a * b; })},
      {"Div", binary([](double a, double b) { return a / b; })},
      {"Less", binary([](double a, double b) { return a < b ? 1.0 : 0.0; })},
      {"Exp", unary([](double x, double) { return std::exp(x); })},
      {"Log", unary([](double x, double) { return std::log(x); })},
      {"Sqrt", unary([](double x, double) { return std::sqrt(x); })},
      {"Abs", unary([](double x, double) { return std::abs(x); })},
      {"Reciprocal", unary([](double x, double) { return 1 / x; })},
      {"Tanh", unary([](double x, double) { return std::tanh(x); })},
      {"Sigmoid", unary([](double x, double) { return 1 / (1 + std::exp(-x)); })},
      {"Softplus", unary([](double x, double) { return std::log1p(std::exp(x)); })},
      {"Relu", unary([](double x, double) { return std::max(x, 0.0); })},
      {"LeakyRelu", unary([](double x, double alpha) { return x < 0 ? alpha * x : x; }, 0.01)},
      {"Elu", unary([](double x, double alpha) { return x < 0 ? alpha * std::expm1(x) : x; }, 1)},
      {"Cast", unary([](double x, double) { return x; })},
      {"Identity", unary([](double x, double) { return x; })}};
  all["Clip"] = [](const Inputs& in, const NodeSettings&) {
    Array y = in[0];
    for (double& v : y.values) v = std::clamp(v, in[1].values.at(0), in[2].values.at(0));
    return y;
  };
  all["Slice"] = [](const Inputs& in, const NodeSettings&) {
    const auto number = [&](size_t i) { return static_cast<int64_t>(in[i].values.at(0)); };
    return slice(in[0], number(1), number(2), number(3));
  };
  all["Softmax"] = [](const Inputs& in, const NodeSettings& s) { return softmax(in[0], s, false); };
  all["LogSoftmax"] = [](const Inputs& in, const NodeSettings& s) { return softmax(in[0], s, true); };
  add_image_operators(all);
  return all;
}

}  // namespace

const Operator& find_operator(const std::string& type) {
  static const std::map<std::string, Operator> all = operators();
  if (!all.contains(type)) throw std::runtime_error("no operator " + type);
  return all.at(type);
}

}  // namespace vae::test
