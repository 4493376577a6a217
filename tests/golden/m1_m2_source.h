#pragma once
// The numbers that a case starts from: parameters, moments, data and noise, out of the file or, for cases of
// true dimensions, by the formula of the family's specification.
#include "m1_m2_config.h"

namespace vae::golden {

class Source {
 public:
  Source(const File& file, const M1M2Case& c, DType dtype) : file_(file), case_(c), dtype_(dtype) {}

  /// Tensor `name` in the precision of the run; in a trajectory, with `step`, that of one step. Throws
  /// Error(data) where the file has none, or of another shape.
  Tensor get(const std::string& name, Shape shape, std::optional<int64_t> step = {});
  /// The labels of the labelled rows, i64.
  Tensor labels(std::optional<int64_t> step);
  bool has(const std::string& name) const { return file_.content.contains(name); }

  /// Fills parameters and buffers of a model from "prefix/...".
  void load(nn::Module& model, const std::string& prefix);
  /// Fills moments and step counts of optimisers.
  void load(models::SubNets& nets, nn::Module& model);

  /// Names of the tensors that were read from the file.
  const std::set<std::string>& read() const { return read_; }

 private:
  Tensor from_file(const std::string& name, const Shape& shape, std::optional<int64_t> step);
  std::vector<double> by_formula(const std::string& name, const Shape& shape) const;

  const File& file_;
  const M1M2Case& case_;
  DType dtype_;
  std::set<std::string> read_;
};

/// The part of a sub-net's flat buffer that belongs to one of its parameters.
Tensor slice_of(const models::SubNets::Group& group, const Tensor& flat, const Tensor& parameter);
/// The sub-net of a parameter: "encoder" of "encoder.layer_0.weight".
models::SubNets::Group& group_of(models::SubNets& nets, const std::string& parameter);

}  // namespace vae::golden
