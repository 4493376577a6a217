#pragma once
// The gradients of a group added up over the ranks of a run, in buckets: each as soon as a backward walk has
// finished its gradients, beside the rest of the walk.
#include <vector>

#include "nn/flat_parameters.h"
#include "tensor/communicator.h"

namespace vae::train {

class Reduction {
 public:
  /// Over the ranks that are current now. `sums`: in which f32 gradients are added up. `shared`: the ranks
  /// share the step of the optimiser, so each needs the sums of its pieces alone (ZeRO, Rajbhandari et al.
  /// 2020, arXiv:1910.02054).
  Reduction(nn::FlatParameters& group, DType sums, bool shared = false);
  ~Reduction();
  Reduction(const Reduction&) = delete;
  Reduction& operator=(const Reduction&) = delete;

  /// The next backward walk is the last one to write gradients.
  void begin();
  /// Finishes the gradients, and leaves those of all ranks in the place of the group's stepped() elements.
  void finish();
  /// Brings together what the ranks have stepped: a tensor that is flat like the group's values.
  void spread(const Tensor& flat);

  static constexpr int64_t kBucketBytes = int64_t{1} << 20;  // at least, but for the last of a group

 private:
  struct Bucket {
    parallel::Piece elements;  // of the group's flat buffers
    parallel::Piece own;       // of those, whose sums are needed
    Tensor wide{};             // where they are added up in f64
    int64_t parameters = 0, unfinished = 0;
    bool started = false;
  };
  void start(Bucket& bucket);
  nn::FlatParameters& group_;
  parallel::Communicator& ranks_;
  std::vector<Bucket> buckets_;
  bool last_walk_ = false, shared_ = false;
};

}  // namespace vae::train
