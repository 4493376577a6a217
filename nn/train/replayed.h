#pragma once
// A trainable whose steps are replayed from a recording (tensor/graph.h) where the mode says so.
#include "nn/train/trainable.h"
#include "tensor/graph.h"

namespace vae::train {

class Replayed : public Trainable {
 public:
  /// `inner` lives on `device` and must outlive this object; its step() must be one that can be recorded.
  Replayed(Trainable& inner, Device device, GraphMode mode) : inner_(inner), graph_(device, mode) {}
  void step() override {
    graph_.run([this] { inner_.step(); });
  }
  std::vector<std::string> metric_names() const override { return inner_.metric_names(); }
  Scalars drain() override { return inner_.drain(); }
  Scalars evaluate() override { return inner_.evaluate(); }
  StateDict state() override { return inner_.state(); }
  int64_t images_per_step() const override { return inner_.images_per_step(); }
  bool recorded() const { return graph_.enabled(); }

 private:
  Trainable& inner_;
  StepGraph graph_;
};

}  // namespace vae::train
