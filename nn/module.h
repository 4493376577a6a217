#pragma once
// Module: a tree of named parameters and buffers. Layers own their Vars and Tensors; the tree only knows
// where they are.
#include <string>
#include <vector>

#include "autograd/variable.h"
#include "nn/train/state.h"

namespace vae::nn {

using autograd::Var;

/// Where a module is made, in which precision, and the seed of its initialisation and noise.
struct Options {
  DType dtype = DType::f32;
  Device device = kCpu;
  uint64_t seed = 0;
};

class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;  // the tree holds addresses
  Module& operator=(const Module&) = delete;

  /// Training or test behaviour of the whole tree (batch statistics, dropout).
  void set_training(bool training);
  bool training() const { return training_; }
  /// Takes all parameters out of differentiation, and the tree out of training.
  void freeze();

  struct Parameter {
    std::string name;  ///< path with dots: "encoder.layer_0.weight"
    Var* var;
  };
  struct Buffer {
    std::string name;
    Tensor* tensor;
  };
  /// All parameters of the tree in order of registration.
  std::vector<Parameter> parameters();
  std::vector<Buffer> buffers();
  int64_t parameter_count();
  /// Adds parameters and buffers to a checkpoint under "prefix.name" (or "name" without a prefix).
  void add_state(train::StateDict& state, const std::string& prefix = "");

 protected:
  void add_parameter(std::string name, Var& var) { parameters_.push_back({std::move(name), &var}); }
  void add_buffer(std::string name, Tensor& tensor) { buffers_.push_back({std::move(name), &tensor}); }
  void add_child(std::string name, Module& child) { children_.push_back({std::move(name), &child}); }

 private:
  struct Child {
    std::string name;
    Module* module;
  };
  std::vector<Parameter> parameters_;
  std::vector<Buffer> buffers_;
  std::vector<Child> children_;
  bool training_ = true;
};

}  // namespace vae::nn
