// What bench_kernels makes of a case that is wrong, and of convolutions.
#include "tools/bench/measure.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/kernels.h"

namespace vae::bench {
namespace {

/// A case whose result is `value` in f32, 1 in f64.
Case constant(const std::string& shape, double value) {
  return {"fill", shape, {0, 4}, [=](Maker& make) {
            const Tensor y = make(output({1}));
            return [=] { kernels::fill(y, y.dtype() == DType::f32 ? value : 1); };
          }};
}

TEST(Measure, AWrongCaseIsNamedAndHidesNoOther) {
  Cases cases;
  for (const auto& [shape, value] :
       {std::pair{"right", 1.0}, {"wrong", 2.0}, {"nan", std::nan("")}, {"last", 1.0}})
    cases.list.push_back(constant(shape, value));
  add_conv(cases, "", {1, 5, 5, 1, 2, 3, 2});
  Results results{};
  results.setting.threads = {1};
  results.seconds = 1e-6;
  for (const Case& c : cases.list) results.cases.push_back({c.kernel, c.shape, 1, c.work});
  const std::vector<std::string> wrong = measure(cases.list, kCpu, 3, results);
  EXPECT_EQ(wrong,
            (std::vector<std::string>{"fill wrong on cpu: error 1.0e+00", "fill nan on cpu: error nan"}));
  ASSERT_EQ(results.cases.size(), 7u);
  for (const Row& row : results.cases) {
    EXPECT_EQ(row.rounds.size(), 3u) << row.name();
    EXPECT_EQ(row.engine.empty(), row.kernel == "fill") << row.name() << ": " << row.engine;
  }
}

}  // namespace
}  // namespace vae::bench
