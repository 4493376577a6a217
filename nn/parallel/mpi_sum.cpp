#include "nn/parallel/mpi_sum.h"

#include <algorithm>

namespace vae::parallel {
namespace {

constexpr int64_t kLeastPiece = 16 << 10;  // bytes
constexpr int64_t kAligned = 16;           // elements
constexpr int64_t kNumbers = 1 << 14;      // of sums at a time; tags go to 32767 at least

MPI_Datatype type_of(const Tensor& x) {
  switch (x.dtype()) {
    case DType::f32:
      return MPI_FLOAT;
    case DType::f64:
      return MPI_DOUBLE;
    case DType::i64:
      return MPI_INT64_T;
    default:
      fail(ErrorKind::internal, "all_reduce: {}", x.str());
  }
}

bool all_done(std::vector<MPI_Request>& requests) {
  int done = 0;
  check_mpi(MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE),
            "all_reduce");
  return done != 0;
}

}  // namespace

void check_mpi(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  fail(ErrorKind::peer, "{}: {}", what, std::string(text, static_cast<size_t>(length)));
}

MpiSum::MpiSum(const Tensor& sums, MPI_Comm ranks, int64_t number)
    : sums_(sums), ranks_(ranks), type_(type_of(sums)), tag_(static_cast<int>(number % kNumbers * 2)) {
  MPI_Comm_rank(ranks, &rank_), MPI_Comm_size(ranks, &size_);
  if (static_cast<int64_t>(sums.bytes()) >= size_ * kLeastPiece)
    send_pieces();
  else
    sum_at_once();
}

void MpiSum::sum_at_once() {
  phase_ = Phase::spreading;
  check_mpi(MPI_Iallreduce(MPI_IN_PLACE, sums_.raw(), static_cast<int>(sums_.numel()), type_, MPI_SUM, ranks_,
                           &receives_.emplace_back()),
            "all_reduce");
}

int64_t MpiSum::begin_of(int piece) const {
  return piece == size_ ? sums_.numel() : sums_.numel() * piece / size_ / kAligned * kAligned;
}

std::byte* MpiSum::piece(int rank) const {
  return static_cast<std::byte*>(sums_.raw()) + begin_of(rank) * static_cast<int64_t>(size_of(sums_.dtype()));
}

void MpiSum::send_pieces() {
  received_ = Tensor::empty({size_ - 1, elements(rank_)}, sums_.dtype());
  for (int i = 1; i < size_; ++i)
    check_mpi(MPI_Irecv(received_.slice(i - 1, i).raw(), elements(rank_), type_, of(i), tag_, ranks_,
                        &receives_.emplace_back()),
              "all_reduce");
  for (int i = size_ - 1; i > 0; --i)
    check_mpi(MPI_Isend(piece(of(i)), elements(of(i)), type_, of(i), tag_, ranks_, &sends_.emplace_back()),
              "all_reduce");
}

/// In the same order whichever comes first.
bool MpiSum::add_pieces() {
  for (; added_ < size_ - 1; ++added_) {
    int done = 0;
    check_mpi(MPI_Test(&receives_[static_cast<size_t>(added_)], &done, MPI_STATUS_IGNORE), "all_reduce");
    if (!done) return false;
    check_mpi(MPI_Reduce_local(received_.slice(added_, added_ + 1).raw(), piece(rank_), elements(rank_),
                               type_, MPI_SUM),
              "all_reduce");
  }
  return true;
}

void MpiSum::send_sum() {
  receives_.clear(), sends_.clear();
  for (int i = 1; i < size_; ++i)
    check_mpi(
        MPI_Irecv(piece(of(i)), elements(of(i)), type_, of(i), tag_ + 1, ranks_, &receives_.emplace_back()),
        "all_reduce");
  for (int i = size_ - 1; i > 0; --i)
    check_mpi(
        MPI_Isend(piece(rank_), elements(rank_), type_, of(i), tag_ + 1, ranks_, &sends_.emplace_back()),
        "all_reduce");
}

bool MpiSum::advance() {
  // What others still fetch of the tensor is not written to: the own piece is nobody else's.
  if (phase_ == Phase::adding && add_pieces() && all_done(sends_)) {
    send_sum();
    phase_ = Phase::spreading;
  }
  if (phase_ == Phase::spreading && all_done(receives_) && all_done(sends_)) phase_ = Phase::done;
  return phase_ == Phase::done;
}

}  // namespace vae::parallel
