// Elementwise functions as nodes of ONNX.
#include "tools/export/translator.h"

namespace vae::exporter {
namespace {

using kernels::Map;
using kernels::Params;
using Operands = std::vector<std::string>;

/// The functions that are one node, with their constant as an attribute where they have one.
struct Node {
  const char *type, *attribute = nullptr;
};
const std::map<Map, Node> kNodes{{Map::exp, {"Exp"}},
                                 {Map::sqrt, {"Sqrt"}},
                                 {Map::abs, {"Abs"}},
                                 {Map::sigmoid, {"Sigmoid"}},
                                 {Map::tanh, {"Tanh"}},
                                 {Map::relu, {"Relu"}},
                                 {Map::softplus, {"Softplus"}},
                                 {Map::leaky_relu, {"LeakyRelu", "alpha"}},
                                 {Map::elu, {"Elu", "alpha"}},
                                 {Map::add, {"Add"}},
                                 {Map::sub, {"Sub"}},
                                 {Map::mul, {"Mul"}},
                                 {Map::div, {"Div"}}};

std::string affine(Translator& t, const std::string& x, double a, double b) {
  const std::string scaled = a == 1 ? x : t.graph.node("Mul", {x, t.number(a)});
  return b == 0 ? scaled : t.graph.node("Add", {scaled, t.number(b)});
}

/// 1 where noise is below the probability.
std::string bernoulli(Translator& t, const std::string& p, const std::string& uniform) {
  constexpr int64_t kFloat = 1;
  return t.graph.node("Cast", {t.graph.node("Less", {uniform, p})}, {{"to", kFloat}});
}

/// The functions that take several.
const std::map<Map, std::string (*)(Translator&, const Operands&, Params)> kCompositions{
    {Map::affine, [](Translator& t, const Operands& x, Params k) { return affine(t, x[0], k.a, k.b); }},
    {Map::square,
     [](Translator& t, const Operands& x, Params) {
       return t.graph.node("Mul", {x[0], x[0]});
     }},
    {Map::clip,
     [](Translator& t, const Operands& x, Params k) {
       return t.graph.node("Clip", {x[0], t.number(k.a), t.number(k.b)});
     }},
    {Map::add_scaled,
     [](Translator& t, const Operands& x, Params k) {
       return affine(t, t.graph.node("Add", {x[0], affine(t, x[1], k.a, 0)}), 1, k.b);
     }},
    {Map::reparameterize,
     [](Translator& t, const Operands& x, Params) {
       const std::string deviation = t.graph.node("Exp", {affine(t, x[1], 0.5, 0)});
       return t.graph.node("Add", {x[0], t.graph.node("Mul", {deviation, x[2]})});
     }},
    {Map::bernoulli, [](Translator& t, const Operands& x, Params) { return bernoulli(t, x[0], x[1]); }},
    {Map::zgr_bit, [](Translator& t, const Operands& x, Params) {
       return bernoulli(t, t.graph.node("Sigmoid", {x[0]}), x[1]);
     }}};

std::string translated(Translator& t, Map function, Params k, const Operands& x) {
  if (const auto one = kNodes.find(function); one != kNodes.end()) {
    const auto [type, attribute] = one->second;
    return t.graph.node(type, x, attribute ? Settings{{attribute, static_cast<float>(k.a)}} : Settings{});
  }
  if (const auto several = kCompositions.find(function); several != kCompositions.end())
    return several->second(t, x, k);
  if (function == Map::log && k.b == 0) return t.graph.node("Log", {affine(t, x[0], 1, k.a)});
  if (function == Map::reciprocal && k.a == 0) return t.graph.node("Reciprocal", {x[0]});
  fail(ErrorKind::usage, "the function {} has no translation to ONNX", kernels::name_of(function));
}

}  // namespace

std::string activated(Translator& t, const kernels::Activation& activation, const std::string& x) {
  return activation.function ? translated(t, *activation.function, activation.params, {x}) : x;
}

void translate_map(Translator& t, const Call& call) {
  Operands operands;
  for (const int input : call.inputs) operands.push_back(t.operand(input, call.output));
  t.define(call.output, translated(t, *call.attributes.function, call.attributes.params, operands));
}

}  // namespace vae::exporter
