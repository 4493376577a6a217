// Layers, and what moves rows and columns, as nodes of ONNX.
#include "tools/export/translator.h"

namespace vae::exporter {
namespace {

/// Throws Error(usage) unless a value is rows of columns.
void check_rows(const Translator& t, const Call& call, int value) {
  if (t.extents(value).size() != 2)
    fail(ErrorKind::usage, "{} of {} has no translation to ONNX", call.op, fmt::join(t.extents(value), "x"));
}

std::vector<std::string> with_bias(Translator& t, const std::vector<std::string>& inputs, int bias,
                                   int columns) {
  std::vector<std::string> all = inputs;
  if (bias < 0) return all;
  const Tensor& x = t.constant_of(bias);
  all.push_back(x.defined() && x.numel() == columns ? t.constant(bias, x.reshape({columns})) : t.name(bias));
  return all;
}

void linear(Translator& t, const Call& call) {
  for (const int rows : {call.inputs[0], call.output}) check_rows(t, call, rows);
  const int bias = call.inputs[2];
  if (bias >= 0 && !t.constant_of(bias).defined() && t.extents(bias) != t.extents(call.output))
    fail(ErrorKind::usage, "a bias {} under {} does not broadcast as ONNX has it",
         fmt::join(t.extents(bias), "x"), fmt::join(t.extents(call.output), "x"));
  const auto operands = with_bias(t, {t.name(call.inputs[0]), t.name(call.inputs[1])}, bias,
                                  static_cast<int>(t.columns(call.output)));
  t.define(call.output, t.graph.node("Gemm", operands, {{"transB", int64_t{1}}}));
}

void matmul(Translator& t, const Call& call) {
  for (const int rows : call.inputs) check_rows(t, call, rows);
  const auto flag = [](kernels::Transpose transposed) {
    return int64_t{transposed == kernels::Transpose::yes};
  };
  t.define(call.output,
           t.graph.node("Gemm", {t.name(call.inputs[0]), t.name(call.inputs[1])},
                        {{"transA", flag(call.attributes.first)}, {"transB", flag(call.attributes.second)}}));
}

Settings settings_of(const kernels::Window& w) {
  return {{"kernel_shape", std::vector{w.h.kernel, w.w.kernel}},
          {"strides", std::vector{w.h.stride, w.w.stride}},
          {"pads", std::vector{w.h.padding, w.w.padding, w.h.padding, w.w.padding}}};
}

/// Weights [a, kh, kw, b] are images of b channels, [a, b, kh, kw] there.
void convolution(Translator& t, const Call& call, const char* type) {
  const auto operands = with_bias(t, {t.name(call.inputs[0]), t.name(call.inputs[1])}, call.inputs[2],
                                  static_cast<int>(t.columns(call.output)));
  const std::string y = t.graph.node(type, operands, settings_of(call.attributes.window));
  t.define(call.output, activated(t, call.attributes.activation, y));
}

void pooling(Translator& t, const Call& call, bool average) {
  Settings settings = settings_of(call.attributes.window);
  if (average)
    settings.push_back({"count_include_pad", int64_t{call.attributes.divisor == kernels::Divisor::window}});
  t.define(call.output,
           t.graph.node(average ? "AveragePool" : "MaxPool", {t.name(call.inputs[0])}, settings));
}

void over_columns(Translator& t, const Call& call, const char* type) {
  const auto axis = static_cast<int64_t>(t.is_images(call.output) ? Translator::kColumns : -1);
  t.define(call.output, t.graph.node(type, {t.name(call.inputs[0])}, {{"axis", axis}}));
}

/// Whether images have the same numbers in the same order with channels first.
bool same_order(const Extents& e) { return e[3] == 1 || (e[1] == 1 && e[2] == 1); }

std::string reshaped(Translator& t, const std::string& x, const Extents& extents) {
  return t.graph.node("Reshape", {x, t.graph.constant(extents)});
}

void reshape(Translator& t, const Call& call) {
  const Extents &from = t.extents(call.inputs[0]), &to = t.extents(call.output);
  std::string x = t.name(call.inputs[0]);
  if (from == to) return t.define(call.output, x);
  const std::vector<int64_t> last{0, 2, 3, 1}, first{0, 3, 1, 2};
  if (from.size() == 4 && !same_order(from)) x = t.graph.node("Transpose", {x}, {{"perm", last}});
  if (to.size() != 4 || same_order(to)) return t.define(call.output, reshaped(t, x, channels_first(to)));
  t.define(call.output, t.graph.node("Transpose", {reshaped(t, x, to)}, {{"perm", first}}));
}

void check_columns(const Translator& t, const Call& call) {
  if (!t.is_images(call.output)) check_rows(t, call, call.output);
}

void concat(Translator& t, const Call& call) {
  check_columns(t, call);
  std::vector<Translator::Part> all;
  for (const int input : call.inputs) {
    const auto parts = t.parts(input);
    all.insert(all.end(), parts.begin(), parts.end());
  }
  t.define(call.output, std::move(all));
}

void slice_columns(Translator& t, const Call& call) {
  check_columns(t, call);
  const int64_t begin = call.attributes.begin;
  t.define(call.output, t.cut(t.parts(call.inputs[0]), begin, begin + t.columns(call.output)));
}

void overwrite_columns(Translator& t, const Call& call) {
  check_columns(t, call);
  const auto parts = t.parts(call.inputs[0]), part = t.parts(call.inputs[1]);
  const int64_t begin = call.attributes.begin, end = begin + t.columns(call.inputs[1]);
  std::vector<Translator::Part> all = t.cut(parts, 0, begin);
  const auto rest = t.cut(parts, end, t.columns(call.output));
  all.insert(all.end(), part.begin(), part.end()), all.insert(all.end(), rest.begin(), rest.end());
  t.define(call.output, std::move(all));
}

void transpose(Translator& t, const Call& call) {
  check_rows(t, call, call.inputs[0]);
  t.define(call.output,
           t.graph.node("Transpose", {t.name(call.inputs[0])}, {{"perm", std::vector<int64_t>{1, 0}}}));
}

const std::map<std::string, void (*)(Translator&, const Call&), std::less<>> kTranslations{
    {"linear", linear},
    {"matmul", matmul},
    {"transpose", transpose},
    {"conv2d", [](Translator& t, const Call& call) { convolution(t, call, "Conv"); }},
    {"conv_transpose2d", [](Translator& t, const Call& call) { convolution(t, call, "ConvTranspose"); }},
    {"max_pool2d", [](Translator& t, const Call& call) { pooling(t, call, false); }},
    {"avg_pool2d", [](Translator& t, const Call& call) { pooling(t, call, true); }},
    {"softmax", [](Translator& t, const Call& call) { over_columns(t, call, "Softmax"); }},
    {"log_softmax", [](Translator& t, const Call& call) { over_columns(t, call, "LogSoftmax"); }},
    {"reshape", reshape},
    {"concat", concat},
    {"slice_columns", slice_columns},
    {"overwrite_columns", overwrite_columns}};

}  // namespace

void translate_other(Translator& t, const Call& call) {
  const auto translation = kTranslations.find(call.op);
  if (translation == kTranslations.end())
    fail(ErrorKind::usage, "the function {} has no translation to ONNX", call.op);
  translation->second(t, call);
}

}  // namespace vae::exporter
