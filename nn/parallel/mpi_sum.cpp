#include "nn/parallel/mpi_sum.h"

#include <climits>

namespace vae::parallel {
namespace {

constexpr int64_t kLeastPiece = 4096;  // elements
constexpr int64_t kAligned = 16;
constexpr int64_t kCalls = INT_MAX;    // elements of a call
constexpr int64_t kNumbers = 1 << 14;  // of sums at a time; tags go to 32767 at least

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

MpiSum::MpiSum(const Tensor& sums, MPI_Comm ranks, int64_t number, Half half)
    : sums_(sums.reshape({sums.numel()})),
      ranks_(ranks),
      type_(type_of(sums)),
      tag_(static_cast<int>(number % kNumbers * 2)),
      half_(half) {
  MPI_Comm_rank(ranks, &rank_), MPI_Comm_size(ranks, &size_);
  const bool in_pieces = piece(rank_).numel() < sums_.numel();
  if (in_pieces && half == Half::spread)
    send_sum();
  else if (in_pieces)
    send_pieces();
  else if (half != Half::spread)
    sum_at_once();
}

Piece MpiSum::piece(int64_t n, int rank, int ranks) {
  if (n < ranks * kLeastPiece) return {0, n};
  const auto begin = [&](int64_t i) { return i == ranks ? n : n / ranks * i / kAligned * kAligned; };
  VAE_CHECK(begin(ranks) - begin(ranks - 1) <= kCalls, "all_reduce: {} elements on {} ranks", n, ranks);
  return {begin(rank), begin(rank + 1)};
}

void MpiSum::receive(const Tensor& piece, int from, int tag) {
  check_mpi(MPI_Irecv(piece.raw(), static_cast<int>(piece.numel()), type_, from, tag, ranks_,
                      &receives_.emplace_back()),
            "all_reduce");
}

void MpiSum::send(const Tensor& piece, int to, int tag) {
  check_mpi(
      MPI_Isend(piece.raw(), static_cast<int>(piece.numel()), type_, to, tag, ranks_, &sends_.emplace_back()),
      "all_reduce");
}

void MpiSum::sum_at_once() {
  phase_ = Phase::spreading;
  check_mpi(MPI_Iallreduce(MPI_IN_PLACE, sums_.raw(), static_cast<int>(sums_.numel()), type_, MPI_SUM, ranks_,
                           &receives_.emplace_back()),
            "all_reduce");
}

void MpiSum::send_pieces() {
  phase_ = Phase::adding;
  received_ = Tensor::empty({size_ - 1, piece(rank_).numel()}, sums_.dtype());
  for (int i = 1; i < size_; ++i) receive(received_.slice(i - 1, i), of(i), tag_);
  for (int i = size_ - 1; i > 0; --i) send(piece(of(i)), of(i), tag_);
}

/// In the same order whichever comes first.
bool MpiSum::add_pieces() {
  for (; added_ < size_ - 1; ++added_) {
    int done = 0;
    check_mpi(MPI_Test(&receives_[static_cast<size_t>(added_)], &done, MPI_STATUS_IGNORE), "all_reduce");
    if (!done) return false;
    const Tensor own = piece(rank_);
    check_mpi(MPI_Reduce_local(received_.slice(added_, added_ + 1).raw(), own.raw(),
                               static_cast<int>(own.numel()), type_, MPI_SUM),
              "all_reduce");
  }
  return true;
}

void MpiSum::send_sum() {
  phase_ = Phase::spreading;
  receives_.clear(), sends_.clear();
  for (int i = 1; i < size_; ++i) receive(piece(of(i)), of(i), tag_ + 1);
  for (int i = size_ - 1; i > 0; --i) send(piece(rank_), of(i), tag_ + 1);
}

bool MpiSum::advance() {
  // Others may still fetch their pieces of the tensor; the own one is nobody else's.
  if (phase_ == Phase::adding && add_pieces() && all_done(sends_)) {
    if (half_ == Half::add)
      phase_ = Phase::done;
    else
      send_sum();
  }
  if (phase_ == Phase::spreading && all_done(receives_) && all_done(sends_)) phase_ = Phase::done;
  return phase_ == Phase::done;
}

}  // namespace vae::parallel
