#pragma once
// What a case reads of its file, and what it computes.
#include "golden.h"
#include "nn/module.h"

namespace vae::golden {

using Values = std::map<std::string, Tensor>;  ///< computed tensors under the file's names

/// The numbers of a file in one precision; remembers which were read.
class Numbers {
 public:
  Numbers(const File& file, DType dtype) : file_(file), dtype_(dtype) {}
  const File& file() const { return file_; }
  DType dtype() const { return dtype_; }
  /// Of models that the case makes.
  nn::Options options() const { return {.dtype = dtype_, .device = golden_device()}; }
  bool has(const std::string& name) const { return file_.content.contains(name); }
  /// In the precision of the run. Throws Error(data) for another shape.
  Tensor get(const std::string& name, Shape shape);
  /// i64, of any shape, on golden_device().
  Tensor integers(const std::string& name);
  /// Fills the parameters and buffers of a module from prefix + their names.
  void load(nn::Module& module, const std::string& prefix);
  const std::set<std::string>& read() const { return read_; }

 private:
  const File& file_;
  DType dtype_;
  std::set<std::string> read_;
};

}  // namespace vae::golden
