#include "tools/export/translate.h"

#include "tensor/compare.h"
#include "tools/export/translator.h"

namespace vae::exporter {
namespace {

/// Whether a broadcasts into b: from the last axis on, extents are the same or 1.
bool broadcasts(const Extents& a, const Extents& b) {
  if (a.size() > b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const int64_t own = a[a.size() - 1 - i];
    if (own != 1 && own != b[b.size() - 1 - i]) return false;
  }
  return true;
}

/// [n, h, w, c] as [n, c, h, w].
Tensor turned_images(const Tensor& x) {
  const Tensor here = x.to(kCpu);
  const int64_t n = here.size(0), pixels = here.size(1) * here.size(2), channels = here.size(3);
  const Tensor turned = Tensor::empty({n, channels, here.size(1), here.size(2)});
  const auto* from = here.data<float>();
  auto* const to = turned.data<float>();
  for (int64_t i = 0; i < n; ++i)
    for (int64_t p = 0; p < pixels; ++p)
      for (int64_t c = 0; c < channels; ++c) to[(i * channels + c) * pixels + p] = *from++;
  return turned;
}

}  // namespace

Extents channels_first(const Extents& e) { return e.size() == 4 ? Extents{e[0], e[3], e[1], e[2]} : e; }

std::string Translator::constant(int value, const Tensor& as) {
  const auto known = names_.find(constant_of(value).raw());
  return graph.constant(as, known == names_.end() ? "constant" : known->second);
}

std::vector<Translator::Part> Translator::parts(int value) {
  if (const auto known = parts_.find(value); known != parts_.end()) return known->second;
  const Tensor& x = constant_of(value);
  if (!x.defined()) return {{"", columns(value)}};
  const std::string name = constant(value, is_images(value) ? turned_images(x) : x);
  return parts_[value] = {{name, columns(value)}};
}

std::string Translator::name(int value) {
  const std::vector<Part> side_by_side = parts(value);
  std::vector<std::string> names;
  for (const Part& part : side_by_side) {
    if (part.name.empty())
      fail(ErrorKind::usage, "a value of the size of the batch is used before it is written");
    names.push_back(part.name);
  }
  if (names.size() == 1) return names[0];
  define(value, graph.node("Concat", names, {{"axis", kColumns}}));
  return parts_[value][0].name;
}

std::vector<Translator::Part> Translator::cut(const std::vector<Part>& parts, int64_t begin, int64_t end) {
  std::vector<Part> result;
  int64_t at = 0;
  for (const Part& part : parts) {
    const int64_t from = std::max(begin - at, int64_t{0}), to = std::min(end - at, part.width);
    at += part.width;
    if (from >= to) continue;
    const bool whole = from == 0 && to == part.width;
    if (!whole && !part.name.empty())
      result.push_back({graph.node("Slice", {part.name, graph.constant({from}), graph.constant({to}),
                                             graph.constant({kColumns})}),
                        to - from});
    else
      result.push_back({part.name, to - from});
  }
  return result;
}

std::string Translator::operand(int value, int result) {
  const Tensor& x = constant_of(value);
  Extents own = extents(value);
  if (x.defined() && is_images(result) && !is_images(value)) {  // a number for each channel
    while (own.size() > 1 && own.front() == 1) own.erase(own.begin());
    if (own.size() == 1 && own[0] == columns(result)) return constant(value, x.reshape({own[0], 1, 1}));
  }
  const bool moved = is_images(result) && !is_images(value) && own != Extents(own.size(), 1);
  if (moved || !broadcasts(own, extents(result)))
    fail(ErrorKind::usage, "an operand {} under {} does not broadcast as ONNX has it", fmt::join(own, "x"),
         fmt::join(extents(result), "x"));
  if (x.defined() && x.numel() == 1) return graph.constant(x.reshape(Shape{}));
  return name(value);
}

Graph translate(const Function& function, const Recording& recording, const TensorNames& names) {
  Graph graph(function.name, function.doc);
  Translator t(graph, recording, names);
  for (const Named& input : recording.inputs) {
    graph.add_input(input.name, input.doc, channels_first(t.extents(input.value)));
    t.define(input.value, input.name);
  }
  try {
    for (const Call& call : recording.calls)
      call.attributes.function ? translate_map(t, call) : translate_other(t, call);
  } catch (const Error& e) {
    fail(e.kind(), "{}: {}", function.name, e.what());
  }
  for (const Named& output : recording.outputs)
    graph.add_output(output.name, output.doc, channels_first(t.extents(output.value)), t.name(output.value));
  return graph;
}

}  // namespace vae::exporter
