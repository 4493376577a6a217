#pragma once
// Parameters and statistics of SHOT-VAE's nets by the files' names: out of a file or by its formula, and what
// an update makes of them.
#include "layouts.h"
#include "numbers.h"

namespace vae::golden {

/// A batch of images, [n, h, w, c].
Tensor image_batch(Numbers& numbers, const std::string& name, int64_t rows);
/// Its labels, i64. Throws Error(data) for one that is no class.
Tensor label_batch(Numbers& numbers, const std::string& name, int64_t rows, int64_t classes);

class ShotVaeState {
 public:
  /// Fills a model. `maps`: channels of the maps that a linear layer takes or makes, whose units are in
  /// another order here. Throws Error(data) where the file lists other names or shapes.
  ShotVaeState(Numbers& numbers, nn::Module& model, int64_t maps = 0);

  /// "grad/NAME"; of files without parameters also "gradnorm/" and "gradproj/", the norm and the product with
  /// numbers by formula.
  void put_gradients(Values& values) const;
  /// "after/NAME" and, as the norm of the move since the last call, "stepnorm/NAME", both with a suffix; and
  /// counters of batch norms, which have counted so many passes.
  void put_after(Values& values, const std::string& suffix, int64_t passes);

 private:
  struct Entry {
    std::string name;
    uint64_t key = 0;  ///< of the formula
    Shape theirs;
    Tensor tensor;      ///< ours
    autograd::Var var;  ///< undefined: statistics
    Axes axes{};
    std::vector<double> before{};
  };
  static Tensor to_file(const Entry& entry, const Tensor& ours);

  Numbers& numbers_;
  std::vector<Entry> entries_;
};

}  // namespace vae::golden
