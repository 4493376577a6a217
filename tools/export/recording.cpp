#include "tools/export/recording.h"

#include <algorithm>
#include <map>
#include <set>

#include "tensor/compare.h"

namespace vae::exporter {
namespace {

using autograd::Trace;

constexpr int64_t kFirst = 2, kSecond = 3;  // sizes of the batches

Extents extents_of(const Shape& shape) { return {shape.extents().begin(), shape.extents().end()}; }

/// One run of a function.
class Recorder {
 public:
  Recorder(const Function& function, const train::Step& step, int64_t batch)
      : function_(function), step_(step), batch_(batch) {}

  Recording run() {
    std::vector<Var> inputs;
    for (const Input& input : function_.inputs) {
      Extents extents = extents_of(input.shape);
      extents.insert(extents.begin(), batch_);
      inputs.emplace_back(add_input(input.name, input.doc, Shape(std::span<const int64_t>(extents))));
    }
    const auto noise = [this](const std::string& name, Shape shape, train::Draw draw) {
      const bool normal = draw == train::Draw::normal;
      return add_input((normal ? "eps_" : "u_") + name, normal ? "normal noise" : "uniform noise", shape);
    };
    Trace trace;
    const std::vector<Output> outputs = function_.outputs(inputs, step_.with_noise(noise));
    for (const Trace::Call& call : trace.calls()) add_call(call);
    for (const Output& output : outputs) {
      kept_.push_back(output.value);
      result_.outputs.push_back({output.name, output.doc, id_of(output.value)});
    }
    drop_unused();
    return std::move(result_);
  }

 private:
  using Place = std::pair<const void*, std::vector<int64_t>>;
  static Place place_of(const Tensor& x) { return {x.raw(), extents_of(x.shape())}; }

  int add(const Tensor& value, bool constant) {
    result_.values.push_back({extents_of(value.shape()), constant ? value : Tensor{}});
    return static_cast<int>(result_.values.size()) - 1;
  }

  Tensor add_input(const std::string& name, const std::string& doc, const Shape& shape) {
    const Tensor value = Tensor::empty(shape, step_.dtype(), step_.device());
    const Tensor zero = Tensor::scalar(int64_t{0}, step_.device());
    kernels::random_uniform(value, RandomKey::named(static_cast<uint64_t>(batch_), name), zero, {});
    kept_.emplace_back(value);
    result_.inputs.push_back({name, doc, places_[place_of(value)] = add(value, false)});
    return value;
  }

  /// A leaf that has the memory of a value is that value, cut off from differentiation.
  int id_of(const Var& x) {
    if (!x.defined()) return -1;
    if (const auto known = ids_.find(x.node().get()); known != ids_.end()) return known->second;
    const auto same = places_.find(place_of(x.value()));
    return ids_[x.node().get()] = same != places_.end() ? same->second : add(x.value(), true);
  }

  void add_call(const Trace::Call& traced) {
    kept_.push_back(traced.output);
    Call call{traced.op, {}, -1, traced.attributes};
    bool constant = true;
    for (const Var& input : traced.inputs) {
      call.inputs.push_back(id_of(input));
      constant = constant && (call.inputs.back() < 0 || value(call.inputs.back()).constant.defined());
    }
    const Tensor& y = traced.output.value();
    call.output = ids_[traced.output.node().get()] = add(y, constant);
    if (constant) return;
    places_[place_of(y)] = call.output;
    result_.calls.push_back(std::move(call));
  }

  void drop_unused() {
    std::set<int> used;
    for (const Named& output : result_.outputs) used.insert(output.value);
    for (size_t i = result_.calls.size(); i-- > 0;) {
      const Call& call = result_.calls[i];
      if (used.contains(call.output))
        used.insert(call.inputs.begin(), call.inputs.end());
      else
        result_.calls.erase(result_.calls.begin() + static_cast<std::ptrdiff_t>(i));
    }
    std::erase_if(result_.inputs, [&](const Named& input) { return !used.contains(input.value); });
    for (size_t i = 0; i < result_.values.size(); ++i)
      if (!used.contains(static_cast<int>(i))) result_.values[i] = {};
  }

  Value& value(int id) { return result_.values[static_cast<size_t>(id)]; }

  const Function& function_;
  const train::Step& step_;
  int64_t batch_;
  Recording result_;
  std::vector<Var> kept_;  // so that no two values have one address
  std::map<const void*, int> ids_;
  std::map<Place, int> places_;
};

/// The extents of a value for any size of the batch; none where something else differs.
std::optional<Extents> merged(const Extents& first, const Extents& second) {
  if (first == second) return first;
  Extents result = first;
  if (first.empty() || first.size() != second.size()) return {};
  if (first[0] != kFirst || second[0] != kSecond ||
      !std::equal(first.begin() + 1, first.end(), second.begin() + 1))
    return {};
  result[0] = kBatch;
  return result;
}

bool same_names(const std::vector<Named>& a, const std::vector<Named>& b) {
  return std::ranges::equal(a, b, {}, &Named::value, &Named::value) &&
         std::ranges::equal(a, b, {}, &Named::name, &Named::name);
}

bool same_calls(const Recording& a, const Recording& b) {
  const auto same = [](const Call& x, const Call& y) {
    return x.op == y.op && x.inputs == y.inputs && x.output == y.output && x.attributes == y.attributes;
  };
  return std::ranges::equal(a.calls, b.calls, same) && a.values.size() == b.values.size() &&
         same_names(a.inputs, b.inputs) && same_names(a.outputs, b.outputs);
}

}  // namespace

Recording record(const Function& function, const train::Step& step) {
  Recording first = Recorder(function, step, kFirst).run();
  const Recording second = Recorder(function, step, kSecond).run();
  if (!same_calls(first, second))
    fail(ErrorKind::usage, "{}: what is computed depends on the size of the batch", function.name);
  for (size_t i = 0; i < first.values.size(); ++i) {
    Value& value = first.values[i];
    const Value& other = second.values[i];
    const auto extents = merged(value.extents, other.extents);
    if (!extents)
      fail(ErrorKind::usage, "{}: a value is {} for a batch of {}, {} for one of {}", function.name,
           fmt::join(value.extents, "x"), kFirst, fmt::join(other.extents, "x"), kSecond);
    if (value.constant.defined() && *extents == value.extents && !same_bits(value.constant, other.constant))
      fail(ErrorKind::usage,
           "{}: a value depends on the inputs, but was not computed by differentiable functions",
           function.name);
    if (*extents != value.extents) value = {*extents, {}};
  }
  return first;
}

}  // namespace vae::exporter
