#include "tools/export/graph.h"

#include <onnx/onnx_pb.h>

#include <map>
#include <set>

#include "tensor/file.h"

namespace vae::exporter {
namespace {

constexpr int kOperatorSet = 13, kVersion = 7;

void describe(::onnx::ValueInfoProto& value, const std::string& name, const std::string& doc,
              const Extents& extents) {
  value.set_name(name), value.set_doc_string(doc);
  auto* const type = value.mutable_type()->mutable_tensor_type();
  type->set_elem_type(::onnx::TensorProto::FLOAT);
  auto* const shape = type->mutable_shape();
  for (const int64_t extent : extents)
    extent == kBatch ? shape->add_dim()->set_dim_param("batch") : shape->add_dim()->set_dim_value(extent);
}

void set(::onnx::AttributeProto& attribute, int64_t value) {
  attribute.set_type(::onnx::AttributeProto::INT), attribute.set_i(value);
}
void set(::onnx::AttributeProto& attribute, float value) {
  attribute.set_type(::onnx::AttributeProto::FLOAT), attribute.set_f(value);
}
void set(::onnx::AttributeProto& attribute, const std::vector<int64_t>& values) {
  attribute.set_type(::onnx::AttributeProto::INTS);
  for (const int64_t value : values) attribute.add_ints(value);
}

}  // namespace

struct Graph::Model {
  ::onnx::ModelProto proto;
  std::set<std::string> names;
  std::map<std::string, ::onnx::NodeProto*> producers;
  std::map<std::string, std::string> known;  // constants by type, extents and bytes

  ::onnx::GraphProto& graph() { return *proto.mutable_graph(); }

  /// The name, with a number behind it where it is taken.
  std::string unused(const std::string& wanted) {
    std::string name = wanted;
    for (int i = 1; !names.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
    return name;
  }

  std::string constant(const std::string& wanted, int type, std::span<const int64_t> extents,
                       const void* bytes, size_t count) {
    const std::string content(static_cast<const char*>(bytes), count);
    std::string& name = known[fmt::format("{} {} ", type, fmt::join(extents, ",")) + content];
    if (!name.empty()) return name;
    ::onnx::TensorProto& tensor = *graph().add_initializer();
    tensor.set_name(name = unused(wanted)), tensor.set_data_type(type), tensor.set_raw_data(content);
    for (const int64_t extent : extents) tensor.add_dims(extent);
    return name;
  }
};

Graph::Graph(const std::string& name, const std::string& doc) : model_(std::make_unique<Model>()) {
  ::onnx::ModelProto& proto = model_->proto;
  proto.set_ir_version(kVersion), proto.set_producer_name("vaekit"), proto.set_doc_string(doc);
  proto.add_opset_import()->set_version(kOperatorSet);
  model_->graph().set_name(name);
}
Graph::~Graph() = default;
Graph::Graph(Graph&&) noexcept = default;

void Graph::add_input(const std::string& name, const std::string& doc, const Extents& extents) {
  exporter::describe(*model_->graph().add_input(), model_->unused(name), doc, extents);
}

void Graph::add_output(const std::string& name, const std::string& doc, const Extents& extents,
                       const std::string& value) {
  const auto producer = model_->producers.find(value);
  ::onnx::NodeProto* node = producer == model_->producers.end() ? nullptr : producer->second;
  if (node) {
    model_->producers.erase(producer);  // a second output of that value is a copy
    for (::onnx::NodeProto& other : *model_->graph().mutable_node())
      for (std::string& input : *other.mutable_input())
        if (input == value) input = name;
  } else {
    node = model_->graph().add_node();
    node->set_op_type("Identity"), node->add_input(value), node->add_output();
  }
  node->set_output(0, name);
  exporter::describe(*model_->graph().add_output(), name, doc, extents);
}

std::string Graph::constant(const Tensor& values, const std::string& wanted) {
  VAE_CHECK(values.dtype() == DType::f32, "a constant of ONNX is {}", name_of(values.dtype()));
  const Tensor here = values.to(kCpu);
  return model_->constant(wanted, ::onnx::TensorProto::FLOAT, here.shape().extents(), here.raw(),
                          here.bytes());
}

std::string Graph::constant(const std::vector<int64_t>& values) {
  const int64_t count[] = {static_cast<int64_t>(values.size())};
  return model_->constant("sizes", ::onnx::TensorProto::INT64, count, values.data(),
                          values.size() * sizeof(int64_t));
}

std::string Graph::node(const std::string& type, const std::vector<std::string>& inputs,
                        const Settings& settings) {
  ::onnx::NodeProto& node = *model_->graph().add_node();
  node.set_op_type(type);
  for (const std::string& input : inputs) node.add_input(input);
  for (const auto& [name, value] : settings) {
    ::onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    std::visit([&](const auto& v) { set(attribute, v); }, value);
  }
  const std::string output = model_->unused(type);
  node.add_output(output);
  model_->producers[output] = &node;
  return output;
}

void Graph::describe(const std::string& key, const std::string& value) {
  ::onnx::StringStringEntryProto& entry = *model_->proto.add_metadata_props();
  entry.set_key(key), entry.set_value(value);
}

void Graph::save(const std::filesystem::path& file) const {
  std::string bytes;
  if (!model_->proto.SerializeToString(&bytes)) fail(ErrorKind::io, "{}: cannot be written", file.string());
  write_file_atomically(file, bytes);
}

}  // namespace vae::exporter
