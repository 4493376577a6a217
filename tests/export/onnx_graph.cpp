#include "tests/export/onnx_graph.h"

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <cstring>
#include <fstream>

#include "tests/export/onnx_operators.h"

namespace vae::test {
namespace {

Array array_of(const ::onnx::TensorProto& tensor) {
  Array array{{tensor.dims().begin(), tensor.dims().end()}, {}};
  const auto read = [&](auto zero) {
    std::vector<decltype(zero)> numbers(static_cast<size_t>(count_of(array.extents)));
    if (tensor.raw_data().size() != numbers.size() * sizeof(zero))
      throw std::runtime_error("a constant of another size");
    std::memcpy(numbers.data(), tensor.raw_data().data(), tensor.raw_data().size());
    array.values.assign(numbers.begin(), numbers.end());
  };
  tensor.data_type() == ::onnx::TensorProto::FLOAT ? read(float{}) : read(int64_t{});
  return array;
}

NodeSettings settings_of(const ::onnx::NodeProto& node) {
  NodeSettings settings;
  for (const ::onnx::AttributeProto& a : node.attribute()) {
    if (a.type() == ::onnx::AttributeProto::INTS)
      settings.lists[a.name()] = {a.ints().begin(), a.ints().end()};
    else
      settings.numbers[a.name()] =
          a.type() == ::onnx::AttributeProto::FLOAT ? a.f() : static_cast<double>(a.i());
  }
  return settings;
}

/// Extents with the size of the batch in its place.
std::vector<int64_t> extents_of(const ::onnx::ValueInfoProto& value, int64_t batch) {
  std::vector<int64_t> extents;
  for (const auto& dim : value.type().tensor_type().shape().dim())
    extents.push_back(dim.has_dim_param() ? batch : dim.dim_value());
  return extents;
}

}  // namespace

EvaluatedModel evaluate(const std::filesystem::path& file, const Arrays& inputs) {
  ::onnx::ModelProto model;
  std::ifstream stream(file, std::ios::binary);
  if (!model.ParseFromIstream(&stream)) throw std::runtime_error("no model: " + file.string());
  ::onnx::checker::check_model(model);
  ::onnx::ModelProto inferred = model;
  ::onnx::shape_inference::InferShapes(inferred, ::onnx::OpSchemaRegistry::Instance(), {true, 1, true});

  Arrays values;
  EvaluatedModel result;
  int64_t batch = 0;
  for (const auto& entry : model.metadata_props()) result.metadata[entry.key()] = entry.value();
  for (const auto& tensor : model.graph().initializer()) values[tensor.name()] = array_of(tensor);
  for (const auto& input : model.graph().input()) {
    const Array& given = inputs.at(input.name());
    batch = given.extents.at(0);
    if (extents_of(input, batch) != given.extents)
      throw std::runtime_error("an input of another shape: " + input.name());
    result.inputs.push_back(input.name()), values[input.name()] = given;
  }
  for (const auto& node : model.graph().node()) {
    std::vector<Array> operands;
    for (const std::string& name : node.input()) operands.push_back(values.at(name));
    values[node.output(0)] = find_operator(node.op_type())(operands, settings_of(node));
  }
  for (const auto& output : model.graph().output()) {
    const Array& value = values.at(output.name());
    if (extents_of(output, batch) != value.extents)
      throw std::runtime_error("an output of another shape: " + output.name());
    result.outputs[output.name()] = value;
  }
  return result;
}

}  // namespace vae::test
