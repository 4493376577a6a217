// The tools m1, m2 and m1_m2: presets and what is read off a trained run.
#include "tools/m1_m2/options.h"

namespace vae::m1_m2 {
namespace {

using tool::Inspection, tool::OptionTable;

template <class Options>
Inspection<Options> test() {
  return tool::test_inspection<Options>("accuracy and likelihood of a trained run");
}

/// On the features of an M1 there is no estimate of -log p(x).
Inspection<M2Options> test_without_likelihood() {
  return {"test", "accuracy of a trained run", {}, [](tool::Run& run, M2Options&) { return run.test(0), 0; }};
}

Inspection<M2Options> analogy(const std::function<void(const OptionTable&, M2Options&)>& describe) {
  return {"analogy", "analogies of a trained run", describe, [](tool::Run& run, M2Options& o) {
            run.write("analogy", run.recipe<M2Recipe>().analogy_picture(run.last_step(), o.means));
            return 0;
          }};
}

void describe_means(const OptionTable& table, M2Options& o) {
  table.flag("means", o.means, "decode the means of the features, not samples");
}

}  // namespace

tool::Tool<M1Options> m1_tool() {
  return {"m1",
          "M1: the unsupervised VAE of Kingma et al. (2014).",
          m1_preset,
          {test<M1Options>(), tool::pictures_inspection<M1Options>("visualize"),
           exporter::inspection<M1Options>(exported_m1())}};
}

tool::Tool<M2Options> m2_tool() {
  return {"m2",
          "M2: the semi-supervised VAE of Kingma et al. (2014).",
          m2_preset,
          {test<M2Options>(), tool::pictures_inspection<M2Options>("visualize"), analogy({}),
           exporter::inspection<M2Options>(exported_m2())}};
}

tool::Tool<M2Options> m1_m2_tool() {
  return {"m1_m2",
          "M1+M2: M2 on features of a pre-trained M1, Kingma et al. (2014).",
          m1_m2_preset,
          {test_without_likelihood(), tool::pictures_inspection<M2Options>("visualize"),
           analogy(describe_means), exporter::inspection<M2Options>(exported_m2())}};
}

}  // namespace vae::m1_m2
