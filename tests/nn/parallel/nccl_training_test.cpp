// N CUDA devices compute what one computes: every recipe, trained over NCCL by ranks that are threads, each
// with a device of the model.
#include "nn/init.h"
#include "nn/parallel/nccl.h"
#include "tests/model/ranks.h"
#include "tests/parallel/training.h"
#include "tests/report.h"

namespace vae {
namespace {

using parallel::Statistics;
using test::Difference;
using test::Mistake;
using test::NamedRecipe;

constexpr std::chrono::minutes kLimit{5};
constexpr double kAllowed = 1e-9;  // relative difference

/// The largest difference of any rank to one device.
Difference difference_of(const NamedRecipe& named, int ranks, int steps, Mistake mistake = Mistake::none,
                         Statistics statistics = Statistics::global) {
  const test::Result alone = test::train(named, {DeviceType::cuda, 0}, GraphMode::off, steps);
  std::vector<Difference> found(static_cast<size_t>(ranks));
  const std::string name = parallel::nccl_name();
  test::in_ranks(ranks, [&](int rank) {
    const auto all = parallel::connect_nccl({.rank = rank, .size = ranks}, rank, name, kLimit);
    const parallel::Scope scope(*all, statistics);
    found[static_cast<size_t>(rank)] =
        compare(test::train(named, {DeviceType::cuda, rank}, GraphMode::on, steps, mistake), alone);
  });
  Difference largest;
  for (const Difference& d : found)
    if (!(d.largest <= largest.largest)) largest = d;
  return largest;
}

bool is_variant(const NamedRecipe& named) { return named.name.find(',') != std::string::npos; }

/// The first recipe of every kind, or all of them, that so many ranks can share.
std::vector<NamedRecipe> recipes_for(int ranks, bool all) {
  std::vector<NamedRecipe> chosen;
  for (const NamedRecipe& named : test::recipes())
    if ((all || !is_variant(named)) && (named.name != "fit" || 10 % ranks == 0)) chosen.push_back(named);
  return chosen;
}

NamedRecipe recipe_of(const std::string& name) {
  for (const NamedRecipe& named : test::recipes())
    if (named.name == name) return named;
  fail(ErrorKind::internal, "no recipe '{}'", name);
}

class NcclTraining : public test::Vendor {
 protected:
  /// So many steps of every kind of recipe, six of their variants: two as they are, one recorded, three
  /// replayed.
  static void train(int ranks, int steps, bool all) {
    const test::DoublePrecision f64;
    double worst = 0;
    for (const NamedRecipe& named : recipes_for(ranks, all)) {
      const Difference d = difference_of(named, ranks, is_variant(named) ? 6 : steps);
      EXPECT_LT(d.largest, is_single(named) ? 1e-2 : kAllowed) << named.name << ": " << d.where;
      if (!is_single(named)) worst = std::max(worst, d.largest);
    }
    test::report(
        fmt::format("nccl-{}", ranks),
        fmt::format("{} CUDA devices beside one, {} steps, replayed: parameters, statistics, moments "
                    "and metrics within {:.2g} in f64 (model of NCCL)\n",
                    ranks, steps, worst));
  }
};

TEST_F(NcclTraining, TwoDevicesTrainAsOneDoes) { train(2, 12, true); }
TEST_F(NcclTraining, FourDevicesTrainAsOneDoes) { train(4, 6, false); }

TEST_F(NcclTraining, TwoDevicesTrainAsOneDoesInSinglePrecision) {
  for (const NamedRecipe& named : recipes_for(2, false)) {
    const Difference d = difference_of(named, 2, 6);
    EXPECT_LT(d.largest, 1e-3) << named.name << ": " << d.where;
  }
}

/// Four buckets and more, in f64.
struct WideNet : nn::Module {
  static constexpr int64_t kWidth = 400;
  explicit WideNet(const nn::Options& options) : Module(options) {}
  nn::Linear first{this, "first", kWidth, kWidth}, second{this, "second", kWidth, kWidth},
      third{this, "third", kWidth, kWidth}, last{this, "last", kWidth, 1};
  autograd::Var operator()(const autograd::Var& x) const {
    return last(autograd::tanh(third(autograd::tanh(second(autograd::tanh(first(x)))))));
  }
};

/// The weights after three steps on this rank's rows of a batch.
std::vector<double> train_wide(Device device, GraphMode mode) {
  const parallel::Communicator& ranks = parallel::current();
  WideNet net({DType::f64, device, 1});
  nn::init_glorot_uniform(net, 7);
  train::Groups groups(
      {{.name = "all", .module = &net, .rule = nn::Sgd::Settings{}, .rate = {}, .average = 0}});
  const int64_t begin = ranks.rank() * 4 / ranks.size(), end = (ranks.rank() + 1) * 4 / ranks.size();
  const autograd::Var x(
      test::sample_tensor({4, WideNet::kWidth}, DType::f64, kCpu, -1, 1, 5).slice(begin, end).to(device));
  const Tensor iteration = Tensor::zeros({}, DType::i64, device);
  const train::Update update{.groups = {},
                             .losses = {[&] { return autograd::sum(autograd::square(net(x))); }}};
  StepGraph graph(device, mode);
  for (int i = 0; i < 4; ++i) graph.run([&] { groups.run(update, iteration); });
  return to_doubles(groups.at("all").parameters.values());
}

TEST_F(NcclTraining, BucketsOfAWideNetLeaveBesideTheBackwardWalk) {
  const std::vector<double> alone = train_wide({DeviceType::cuda, 0}, GraphMode::off);
  for (const GraphMode mode : {GraphMode::off, GraphMode::on}) {
    const int64_t before = test::called("ncclAllReduce");
    const std::string name = parallel::nccl_name();
    test::in_ranks(2, [&](int rank) {
      const auto all = parallel::connect_nccl({.rank = rank, .size = 2}, rank, name, kLimit);
      const parallel::Scope scope(*all);
      EXPECT_LT(test::distance(train_wide({DeviceType::cuda, rank}, mode), alone), 1e-12);
    });
    // Three steps of a graph are called: two as they are, one to record it.
    EXPECT_GE(test::called("ncclAllReduce") - before, 2 * (mode == GraphMode::on ? 3 : 4) * 4) << "buckets";
  }
}

// What the comparison is for.
TEST_F(NcclTraining, MistakesAreNoticed) {
  const test::DoublePrecision f64;
  for (const char* name : {"m2", "sdgm"})
    EXPECT_GT(difference_of(recipe_of(name), 2, 20, Mistake::noise_by_local_row).largest, kAllowed) << name;
  for (const char* name : {"m2", "ladder"})
    EXPECT_GT(difference_of(recipe_of(name), 2, 20, Mistake::none, Statistics::local).largest, kAllowed)
        << name;
}

}  // namespace
}  // namespace vae
