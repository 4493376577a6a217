// Where the program was built without ONNX.
#include "tools/export/graph.h"

namespace vae::exporter {

struct Graph::Model {};

Graph::Graph(const std::string&, const std::string&) {
  fail(ErrorKind::usage,
       "this build writes no ONNX files: it was configured without ONNX (Debian: libonnx-dev)");
}
Graph::~Graph() = default;
Graph::Graph(Graph&&) noexcept = default;
void Graph::add_input(const std::string&, const std::string&, const Extents&) {}
void Graph::add_output(const std::string&, const std::string&, const Extents&, const std::string&) {}
std::string Graph::constant(const Tensor&, const std::string&) { return {}; }
std::string Graph::constant(const std::vector<int64_t>&) { return {}; }
std::string Graph::node(const std::string&, const std::vector<std::string>&, const Settings&) { return {}; }
void Graph::describe(const std::string&, const std::string&) {}
void Graph::save(const std::filesystem::path&) const {}

}  // namespace vae::exporter
