#pragma once
// Module: a tree of named parameters and buffers. A layer is a member of its module and registers itself
// there under its name, so none can be forgotten:
//
//   struct Net : nn::Module {
//     using Module::Module;
//     nn::Linear hidden{this, "hidden", 784, 500}, out{this, "out", 500, 10};
//   };
#include <string>
#include <vector>

#include "autograd/variable.h"
#include "nn/state.h"

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
  /// The root of a tree.
  explicit Module(Options options = {}) : options_(options) {}
  /// A child, with the options of its parent. The name is its part of the path of what it holds ("encoder" in
  /// "encoder.hidden.weight"); without one its parts stand in the parent under their own names.
  Module(Module* parent, const std::string& name);
  virtual ~Module() = default;
  Module(const Module&) = delete;  // the parent holds its address
  Module& operator=(const Module&) = delete;

  const Options& options() const { return options_; }
  /// The path from the root, "encoder.hidden"; empty for the root.
  const std::string& path() const { return path_; }
  /// Training or test behaviour of the whole tree (batch statistics, dropout), frozen parts excepted.
  void set_training(bool training);
  bool training() const { return training_; }
  /// Takes all parameters out of differentiation, and the tree out of training, for good.
  void freeze();

  struct Parameter {
    std::string name;  ///< path with dots: "encoder.layer_0.weight"
    Var var;
  };
  struct Buffer {
    std::string name;
    Tensor tensor;
  };
  /// All parameters of the tree: a module's own, then those of its children in the order they were made.
  std::vector<Parameter> parameters() const;
  std::vector<Buffer> buffers() const;
  int64_t parameter_count() const;
  /// Adds parameters and buffers to a state under "prefix.name" (or "name" without a prefix).
  void add_state(StateDict& state, const std::string& prefix = "") const;

 protected:
  /// A new parameter of this module, filled with a value.
  Var parameter(std::string name, Shape shape, double value = 0);
  /// A new buffer in the dtype of the module; or one of another dtype.
  Tensor buffer(std::string name, Shape shape, double value = 0);
  Tensor buffer(std::string name, Tensor tensor);
  /// The path of a name from the root.
  std::string path(const std::string& name) const { return path_.empty() ? name : path_ + "." + name; }

 private:
  Options options_;
  std::string name_, path_;
  std::vector<Parameter> parameters_;
  std::vector<Buffer> buffers_;
  std::vector<Module*> children_;
  bool training_ = true, frozen_ = false;
};

/// Puts a module into test mode for a scope.
class TestMode {
 public:
  explicit TestMode(Module& module) : module_(module), training_(module.training()) {
    module_.set_training(false);
  }
  ~TestMode() { module_.set_training(training_); }
  TestMode(const TestMode&) = delete;
  TestMode& operator=(const TestMode&) = delete;

 private:
  Module& module_;
  bool training_;
};

/// Puts the buffers of a module back at the end of a scope, whatever runs in between.
class KeepBuffers {
 public:
  explicit KeepBuffers(const Module& module) : buffers_(module.buffers()) {
    for (const Module::Buffer& b : buffers_) copies_.push_back(b.tensor.clone());
  }
  ~KeepBuffers() {
    for (size_t i = 0; i < buffers_.size(); ++i) buffers_[i].tensor.copy_from(copies_[i]);
  }
  KeepBuffers(const KeepBuffers&) = delete;
  KeepBuffers& operator=(const KeepBuffers&) = delete;

 private:
  std::vector<Module::Buffer> buffers_;
  std::vector<Tensor> copies_;
};

}  // namespace vae::nn
