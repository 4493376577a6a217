#pragma once
// The numbers that a case starts from: parameters, moments, data and noise, out of the file or, for cases of
// true dimensions, by the formula of the family's specification.
#include "m1_m2_config.h"
#include "nn/train/update.h"

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
  /// Test mode starts from the file's parameters in single precision, where Adam makes full steps of
  /// gradients that are rounding noise, and those of biases before a batch norm cancel in training alone.
  void load_exact(nn::Module& model) {
    if (dtype_ == DType::f32) load(model, "after/");
  }
  /// Fills moments and step counts of optimisers.
  void load(train::Groups& nets, nn::Module& model);

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
Tensor slice_of(const train::Groups::Entry& group, const Tensor& flat, const Tensor& parameter);
/// Its optimiser.
nn::Adam& adam_of(train::Groups::Entry& group);
/// The sub-net of a parameter: "encoder" of "encoder.layer_0.weight".
train::Groups::Entry& group_of(train::Groups& nets, const std::string& parameter);

}  // namespace vae::golden
