// m1_m2: M2 on features of a pre-trained M1, Kingma et al. (2014)
#include "tools/m1_m2/options.h"

int main(int argc, char** argv) {
  using namespace vae::m1_m2;
  const auto test = [](vae::tool::Run& run, M2Options&) { return run.test(0), 0; };
  const auto means = [](const vae::tool::OptionTable& table, M2Options& o) {
    table.flag("means", o.means, "decode the means of the features, not samples");
  };
  return vae::tool::run<M2Options>(argc, argv,
                                   {"m1_m2",
                                    "M1+M2: M2 on features of a pre-trained M1, Kingma et al. (2014).",
                                    m1_m2_preset,
                                    {{"test", "accuracy of a trained run", {}, test},
                                     vae::tool::pictures_inspection<M2Options>("visualize"),
                                     analogy(means)}});
}
