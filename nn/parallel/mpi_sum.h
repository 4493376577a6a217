#pragma once
// MpiSum: an all_reduce over MPI that goes on beside other work and can be given up.
#include <mpi.h>

#include <vector>

#include "tensor/communicator.h"

namespace vae::parallel {

/// Throws Error(peer), with what MPI says of it, for a code that is not MPI_SUCCESS.
void check_mpi(int code, const char* what);

/// What an MpiSum is to do: both halves of an all_reduce, or one of them.
enum class Half { both, add, spread };

/// The sum of a tensor (f32, f64 or i64) over n ranks, in its place, the same bits on all of them. Each rank
/// adds up a piece, one n-th, which the others send it (Half::add), and sends them the sum (Half::spread):
/// 2 (n - 1) / n of the tensor from and to every rank. Small tensors are left to MPI_Iallreduce.
class MpiSum {
 public:
  /// Begins it. `number`: that of this sum among all of the ranks, the same on each.
  MpiSum(const Tensor& sums, MPI_Comm ranks, int64_t number, Half half = Half::both);
  /// Goes on with what can be done without waiting; whether it is done. Throws Error(peer).
  bool advance();
  /// What a rank adds up of n elements; all, where they are few.
  static Piece piece(int64_t n, int rank, int ranks);

 private:
  int of(int distance) const { return (rank_ + distance) % size_; }
  Tensor piece(int rank) const { return piece(sums_.numel(), rank, size_).of(sums_); }
  void receive(const Tensor& piece, int from, int tag);
  void send(const Tensor& piece, int to, int tag);
  void sum_at_once();
  void send_pieces();
  bool add_pieces();
  void send_sum();

  enum class Phase { adding, spreading, done };
  Tensor sums_, received_{};
  MPI_Comm ranks_;
  MPI_Datatype type_;
  int rank_ = 0, size_ = 1, tag_;
  Half half_;
  Phase phase_ = Phase::done;
  int added_ = 0;  // pieces of other ranks
  std::vector<MPI_Request> receives_, sends_;
};

}  // namespace vae::parallel
