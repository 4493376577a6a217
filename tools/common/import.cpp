#include "tools/common/import.h"

#include "nn/train/torch_weights.h"

namespace vae::tool {

int64_t extent(const SafeTensors& state, const std::string& name, int axis) {
  const Tensor& tensor = state.at(name);
  if (axis >= tensor.rank())
    fail(ErrorKind::data, "{}: {} is {}", state.file.string(), quoted(name), tensor.str());
  return tensor.size(axis);
}

void import_weights(Run& run, const Published& published, const std::filesystem::path& path) {
  SafeTensors state = train::load_torch_state(path);
  const Setup& setup = run.setup();
  setup.table.read(published.options(state), path.string(), setup.options.tool_name);
  if (published.reorder) published.reorder(state);
  run.import(state);
}

}  // namespace vae::tool
