// The communicator over NCCL, on devices of the model: what it computes, recorded and not, and that every
// rank ends with an error where one does not come, fails or stops.
#include "nn/parallel/nccl.h"

#include <cmath>

#include "kernels/kernels.h"
#include "nn/parallel/connect.h"
#include "tensor/graph.h"
#include "tests/expect_error.h"
#include "tests/model/functions.h"
#include "tests/model/ranks.h"

namespace vae::parallel {
namespace {

using std::chrono::milliseconds;
using test::expect_error;

constexpr milliseconds kLong{60'000}, kShort{1'000};

/// Ranks as threads, each with its communicator.
class NcclRanks : public test::Vendor {
 protected:
  using Body = std::function<void(Communicator& all, Device device)>;
  static void with_ranks(int n, milliseconds limit, const Body& body) {
    const std::string name = nccl_name();
    test::in_ranks(n, [&](int rank) {
      const auto all = connect_nccl({.rank = rank, .size = n}, rank, name, limit);
      body(*all, {DeviceType::cuda, rank});
    });
  }
};

/// The number of a rank in `n` elements.
Tensor numbers(int64_t n, DType dtype, Device device) {
  const Tensor x = Tensor::empty({n}, dtype, device);
  kernels::fill(x, device.index + 1);
  return x;
}

TEST_F(NcclRanks, SumGatherAndSpread) {
  for (const int n : {1, 2, 4})
    with_ranks(n, kLong, [n](Communicator& all, Device device) {
      EXPECT_EQ(all.rank(), device.index);
      EXPECT_EQ(all.size(), n);
      for (const DType dtype : {DType::f32, DType::f64, DType::i64}) {
        const Tensor x = numbers(5, dtype, device);
        all.all_reduce(x);
        EXPECT_EQ(to_doubles(x), std::vector<double>(5, n * (n + 1) / 2));
        const Tensor own = numbers(2, dtype, device), whole = Tensor::empty({2 * n}, dtype, device);
        all.all_gather(own, whole);
        for (int i = 0; i < 2 * n; ++i) EXPECT_EQ(to_doubles(whole)[static_cast<size_t>(i)], i / 2 + 1);
        const Tensor spread = numbers(3, dtype, device);
        all.broadcast(spread, n - 1);
        EXPECT_EQ(to_doubles(spread), std::vector<double>(3, n));
      }
      all.all_reduce(Tensor::empty({0}, DType::f32, device));
      all.barrier();
      EXPECT_FALSE(all.any(false));
      EXPECT_TRUE(all.any(all.rank() == n - 1));
    });
}

TEST_F(NcclRanks, GatherRowsOfDifferentNumber) {
  const std::vector<int64_t> rows{3, 0, 1, 2};
  with_ranks(4, kLong, [&](Communicator& all, Device device) {
    const int64_t own_rows = rows[static_cast<size_t>(all.rank())];
    const Tensor own = Tensor::empty({own_rows, 2}, DType::u8, device);
    if (own_rows > 0)
      own.copy_from(Tensor::from(std::vector<uint8_t>(static_cast<size_t>(own.numel()),
                                                      static_cast<uint8_t>(all.rank())),
                                 own.shape())
                        .to(device));
    const Tensor whole = Tensor::empty({6, 2}, DType::u8, device);
    all.all_gather(own, whole, rows);
    EXPECT_EQ(whole.to_vector<uint8_t>(), (std::vector<uint8_t>{0, 0, 0, 0, 0, 0, 2, 2, 3, 3, 3, 3}));
  });
}

TEST_F(NcclRanks, TakeTensorsOfTheHostToTheirDevice) {
  with_ranks(2, kLong, [](Communicator& all, Device) {
    const int64_t own = all.rank() + 1;
    const Tensor x = Tensor::scalar(own), pair = Tensor::empty({2}, DType::i64),
                 text = Tensor::from(std::vector<uint8_t>(3, static_cast<uint8_t>(own)), {3});
    all.all_gather(Tensor::from(std::vector<int64_t>{own}, {1}), pair);
    all.all_reduce(x);
    all.start(x);
    all.finish();
    all.broadcast(text, 1);
    EXPECT_EQ(x.item(), 6);
    EXPECT_EQ(pair.to_vector<int64_t>(), (std::vector<int64_t>{1, 2}));
    EXPECT_EQ(text.to_vector<uint8_t>(), (std::vector<uint8_t>{2, 2, 2}));
  });
}

/// Buckets of gradients leave beside the computation, in a step that is recorded or not.
TEST_F(NcclRanks, BucketsBesideTheStep) {
  for (const int n : {2, 4})
    for (const GraphMode mode : {GraphMode::off, GraphMode::on})
      with_ranks(n, kLong, [n, mode](Communicator& all, Device device) {
        const Tensor gradient = Tensor::empty({64}, DType::f64, device),
                     sums = Tensor::zeros({64}, DType::f64, device),
                     statistics = Tensor::empty({2}, DType::f64, device),
                     count = Tensor::zeros({}, DType::i64, device);
        StepGraph graph(device, mode);
        for (int i = 0; i < 6; ++i)
          graph.run([&] {
            kernels::increment(count);
            kernels::fill(statistics, 1);
            all.all_reduce(statistics);
            kernels::fill(gradient.slice(32, 64), device.index + 1);
            all.start(gradient.slice(32, 64));
            kernels::fill(gradient.slice(0, 32), 10 * (device.index + 1));
            all.start(gradient.slice(0, 32));
            all.finish();
            sums.copy_from(gradient);
          });
        const std::vector<double> values = to_doubles(sums);
        EXPECT_EQ(values[63], n * (n + 1) / 2);
        EXPECT_EQ(values[0], 10 * n * (n + 1) / 2);
        EXPECT_EQ(to_doubles(statistics)[1], n);
        EXPECT_EQ(count.to_vector<int64_t>()[0], 6);
      });
}

/// Rows of one batch on ranks that hold different numbers of them, none for instance.
TEST_F(NcclRanks, NormaliseTheirBatchAsOne) {
  constexpr int64_t kRows = 400, kColumns = 5;
  const std::vector<int64_t> begins{0, 4, 4, 307, kRows};
  struct Results {
    Tensor y, running_mean, running_var, dx, dgamma;
  };
  const auto normalise = [](int64_t begin, int64_t end, Device device, Communicator* ranks) {
    const auto rows = [&](uint64_t seed) {
      return test::sample_tensor({kRows, kColumns}, DType::f64, kCpu, -1, 1, seed)
          .slice(begin, end)
          .to(device);
    };
    const auto column = [&](uint64_t seed) {
      return test::sample_tensor({kColumns}, DType::f64, kCpu, 1, 2, seed).to(device);
    };
    kernels::BatchNormForward f{.x = rows(1),
                                .gamma = column(2),
                                .beta = column(3),
                                .y = rows(4),
                                .mean = column(5),
                                .rstd = column(6),
                                .running_mean = column(7),
                                .running_var = column(8),
                                .rule = {},
                                .ranks = ranks};
    kernels::batch_norm_fwd(f);
    const kernels::BatchNormBackward b{.dy = rows(9),
                                       .x = f.x,
                                       .gamma = f.gamma,
                                       .mean = f.mean,
                                       .rstd = f.rstd,
                                       .dx = rows(10),
                                       .dgamma = column(11),
                                       .dbeta = column(12),
                                       .ranks = ranks};
    kernels::batch_norm_bwd(b);
    return Results{f.y, f.running_mean, f.running_var, b.dx, b.dgamma};
  };
  const Results whole = normalise(0, kRows, kCpu, nullptr);
  with_ranks(4, kLong, [&](Communicator& all, Device device) {
    const int64_t begin = begins[static_cast<size_t>(all.rank())],
                  end = begins[static_cast<size_t>(all.rank()) + 1];
    const Results own = normalise(begin, end, device, &all);
    EXPECT_LT(test::distance(to_doubles(own.y), to_doubles(whole.y.slice(begin, end))), 1e-13);
    EXPECT_LT(test::distance(to_doubles(own.dx), to_doubles(whole.dx.slice(begin, end))), 1e-13);
    EXPECT_LT(test::distance(to_doubles(own.running_mean), to_doubles(whole.running_mean)), 1e-13);
    EXPECT_LT(test::distance(to_doubles(own.running_var), to_doubles(whole.running_var)), 1e-13);
    all.all_reduce(own.dgamma);
    EXPECT_LT(test::distance(to_doubles(own.dgamma), to_doubles(whole.dgamma)), 1e-12);
  });
}

TEST_F(NcclRanks, ARankThatDoesNotComeAtTheStart) {
  const std::string name = nccl_name();
  expect_error(ErrorKind::peer, "not all ranks have come within 1 s (start)",
               [&] { connect_nccl({.rank = 0, .size = 2}, 0, name, kShort); });
}

TEST_F(NcclRanks, TwoRanksOnOneCard) {
  const std::string name = nccl_name();
  test::in_ranks(2, [&](int rank) {
    expect_error(ErrorKind::usage, "Duplicate GPU detected",
                 [&] { connect_nccl({.rank = rank, .size = 2}, 0, name, kLong); });
  });
}

/// Whatever the host reads of a device whose sums never come is an error, not a number.
TEST_F(NcclRanks, ARankThatStops) {
  for (const GraphMode mode : {GraphMode::off, GraphMode::on})
    with_ranks(2, kShort, [mode](Communicator& all, Device device) {
      const Tensor x = numbers(4, DType::f32, device);
      StepGraph graph(device, mode);
      const auto step = [&] { graph.run([&] { all.all_reduce(x); }); };
      for (int i = 0; i < 4; ++i) step();
      EXPECT_FALSE(std::isnan(x.to_vector<float>()[0]));
      all.barrier();
      if (all.rank() == 1) return std::this_thread::sleep_for(2 * kShort);
      step();
      expect_error(ErrorKind::peer, "no answer from other ranks for 1 s", [&] { x.to_vector<float>(); });
      expect_error(ErrorKind::peer, "no answer from other ranks", [&] { synchronize(device); });
      expect_error(ErrorKind::peer, "no answer from other ranks", [&] { all.all_reduce(x); });
      expect_error(ErrorKind::peer, "no answer from other ranks", [&] { all.barrier(); });
    });
}

/// It ends with its own error, the others with that it does not answer.
TEST_F(NcclRanks, ARankThatFails) {
  const std::string name = nccl_name();
  test::in_ranks(4, [&](int rank) {
    const bool fails = rank == 2;
    expect_error(fails ? ErrorKind::data : ErrorKind::peer,
                 fails ? "no such image" : "no answer from other ranks", [&] {
                   const auto all = connect_nccl({.rank = rank, .size = 4}, rank, name, kShort);
                   const Tensor x = numbers(4, DType::f32, {DeviceType::cuda, rank});
                   for (int step = 0; step < 10; ++step) {
                     if (fails && step == 3) fail(ErrorKind::data, "no such image");
                     all->all_reduce(x);
                     synchronize(x.device());
                   }
                 });
  });
}

TEST_F(NcclRanks, ACallThatFails) {
  with_ranks(1, kLong, [](Communicator& all, Device device) {
    const Tensor x = numbers(4, DType::f32, device);
    const model::Fault fault("ncclAllReduce", 1, ncclSystemError);
    expect_error(ErrorKind::peer, "NCCL all_reduce: unhandled system error", [&] { all.all_reduce(x); });
    expect_error(ErrorKind::peer, "NCCL all_reduce: unhandled system error", [&] { x.to_vector<float>(); });
  });
}

TEST_F(NcclRanks, AConnectionThatBreaksEndsAllRanks) {
  with_ranks(4, kLong, [](Communicator& all, Device device) {
    const Tensor x = numbers(4, DType::f32, device);
    all.barrier();
    if (all.rank() == 3) {
      for (int rank = 0; rank < 3; ++rank) model::comm::break_connection(rank, ncclRemoteError);
      model::comm::break_connection(3, ncclRemoteError);
    }
    const auto use = [&] {
      for (int i = 0; i < 1000; ++i) all.all_reduce(x), synchronize(device);
    };
    expect_error(ErrorKind::peer,
                 "remote process exited or there was a network error: a connection was closed", use);
  });
}

TEST_F(NcclRanks, IdleRanksAreNotGivenUp) {
  with_ranks(2, kShort, [](Communicator& all, Device device) {
    const Tensor x = numbers(4, DType::f32, device);
    all.all_reduce(x);
    synchronize(device);
    std::this_thread::sleep_for(kShort * 3 / 2);
    EXPECT_EQ(x.to_vector<float>()[0], 3);
  });
}

TEST_F(NcclRanks, OthersWaitForTheFirstAsLongAsItIsAlive) {
  std::atomic<bool> written = false;
  with_ranks(2, milliseconds(2000), [&](Communicator& all, Device) {
    all.on_first([&] {
      EXPECT_TRUE(current().alone());
      std::this_thread::sleep_for(milliseconds(3000));
      written = true;
    });
    EXPECT_TRUE(written);
    all.barrier();
  });
}

TEST_F(NcclRanks, TheFailureOfTheFirstIsThatOfAll) {
  with_ranks(3, kLong, [](Communicator& all, Device device) {
    expect_error(ErrorKind::io, "disk full", [&] { all.on_first([] { fail(ErrorKind::io, "disk full"); }); });
    const Tensor x = numbers(1, DType::f32, device);
    all.all_reduce(x);
    EXPECT_EQ(to_doubles(x)[0], 6) << "they can go on";
  });
}

/// As if it were killed.
TEST_F(NcclRanks, OthersDoNotWaitForAFirstThatIsGone) {
  with_ranks(2, kShort, [](Communicator& all, Device) {
    if (all.first()) return std::this_thread::sleep_for(2 * kShort);
    expect_error(ErrorKind::peer, "no answer from other ranks", [&] { all.on_first([] {}); });
  });
}

TEST_F(NcclRanks, AnAbortEndsTheProcessWithItsCode) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(with_ranks(2, kLong,
                         [](Communicator& all, Device) {
                           all.barrier();
                           if (all.rank() == 1) all.abort(4);
                           all.barrier();
                         }),
              testing::ExitedWithCode(4), "");
}

TEST_F(NcclRanks, AnAbortThatHangsEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const model::comm::StuckAborts stuck;
        connect_nccl({.rank = 0, .size = 2}, 0, nccl_name(), kShort);
      },
      testing::ExitedWithCode(7),
      "error: rank 0 of 2: not all ranks have come within 1 s .start., and NCCL was not "
      "ended within 3 s");
}

TEST_F(NcclRanks, TakeTheCardOfTheirNumberOnTheirMachine) {
  const Device any{DeviceType::cuda, 0}, second{DeviceType::cuda, 1}, third{DeviceType::cuda, 2};
  const Environment e{.rank = 6, .size = 8, .local_rank = 2}, beyond{.rank = 4, .size = 8, .local_rank = 4};
  EXPECT_EQ(device_of_rank(any, e), third);
  EXPECT_EQ(device_of_rank(second, e), second);
  EXPECT_EQ(device_of_rank(kCpu, e), kCpu);
  EXPECT_EQ(device_of_rank(any, {}), any);
  expect_error(ErrorKind::usage, "this is process 5 of its machine, which has 4 cards",
               [&] { device_of_rank(any, beyond); });
}

TEST_F(NcclRanks, ATensorFromElsewhereIsRefused) {
  with_ranks(1, kLong, [](Communicator& all, Device) {
    expect_error(ErrorKind::internal, "is not for NCCL on cuda:0", [&] {
      all.all_reduce(Tensor::zeros({2}, DType::f32, {DeviceType::cuda, 1}));
    });
  });
}

TEST_F(NcclRanks, CallEveryFunctionThatTheirCodeNames) {
  const std::vector<int64_t> rows{1, 2};
  with_ranks(2, kLong, [&](Communicator& all, Device device) {
    all.all_gather(numbers(rows[static_cast<size_t>(all.rank())], DType::f32, device),
                   numbers(3, DType::f32, device), rows);
    all.all_gather(numbers(1, DType::f32, device), numbers(2, DType::f32, device));
    all.start(numbers(2, DType::f32, device));
    all.finish();
    EXPECT_TRUE(all.any(true));
  });
  EXPECT_EQ(nccl_version(), fmt::format("{}.{}.{}", NCCL_MAJOR, NCCL_MINOR, NCCL_PATCH));
  with_ranks(1, kLong, [](Communicator& all, Device device) {
    const model::Fault fault("ncclBroadcast", 1, ncclInternalError);
    EXPECT_THROW(all.broadcast(numbers(1, DType::f32, device), 0), Error);
  });
  std::string missing;
  const std::set<std::string> names = test::functions_named_in({"nn/parallel/nccl.cpp"});
  EXPECT_GE(names.size(), 15u);
  for (const std::string& name : names)
    if (test::calls_of(name) == 0) missing += " " + name;
  EXPECT_EQ(missing, "");
}

}  // namespace
}  // namespace vae::parallel
