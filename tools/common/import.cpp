#include "tools/common/import.h"

#include "nn/train/torch_weights.h"

namespace vae::tool {

int64_t TorchFile::extent(const std::string& name, int axis) const {
  if (!state.contains(name)) fail(ErrorKind::data, "{}: no tensor {}", path, quoted(name));
  const Tensor& tensor = state.at(name);
  if (axis >= tensor.rank()) fail(ErrorKind::data, "{}: {} is {}", path, quoted(name), tensor.str());
  return tensor.size(axis);
}

void import_weights(Run& run, const Published& published, const std::filesystem::path& path) {
  TorchFile file{path.string(), train::load_torch_state(path)};
  const Setup& setup = run.setup();
  setup.table.read(published.options(file), file.path, setup.options.tool_name);
  if (published.reorder) published.reorder(file);
  run.import(file.state, path);
}

}  // namespace vae::tool
