#pragma once
// MpiSum: an all_reduce over MPI that goes on beside other work and can be given up.
#include <mpi.h>

#include <vector>

#include "tensor/tensor.h"

namespace vae::parallel {

/// Throws Error(peer), with what MPI says of it, for a code that is not MPI_SUCCESS.
void check_mpi(int code, const char* what);

/// The sum of a tensor (f32, f64 or i64, of at most 2^30 elements) over n ranks, in its place, the same bits
/// on all of them. Each rank adds up a piece, one n-th, which the others send it, and sends them the sum:
/// 2 (n - 1) / n of the tensor from and to every rank. Small tensors are left to MPI_Iallreduce.
class MpiSum {
 public:
  /// Begins it. `number`: that of this sum among all of the ranks, the same on each.
  MpiSum(const Tensor& sums, MPI_Comm ranks, int64_t number);
  /// Goes on with what can be done without waiting; whether the sum is in place. Throws Error(peer).
  bool advance();

 private:
  int of(int distance) const { return (rank_ + distance) % size_; }
  int64_t begin_of(int piece) const;
  std::byte* piece(int rank) const;
  int elements(int rank) const { return static_cast<int>(begin_of(rank + 1) - begin_of(rank)); }
  void sum_at_once();
  void send_pieces();
  bool add_pieces();
  void send_sum();

  enum class Phase { adding, spreading, done };
  Tensor sums_, received_{};
  MPI_Comm ranks_;
  MPI_Datatype type_;
  int rank_ = 0, size_ = 1, tag_;
  Phase phase_ = Phase::adding;
  int added_ = 0;  // pieces of other ranks
  std::vector<MPI_Request> receives_, sends_;
};

}  // namespace vae::parallel
