// adgm: semi-supervised deep generative models with auxiliary variables, and their relatives
#include "tools/adgm/options.h"

int main(int argc, char** argv) {
  using namespace vae::adgm;
  const auto describe = [](const vae::tool::OptionTable& table, Options& o) {
    table.add("digit", o.digit, "the class to sample; default: all",
              vae::tool::or_none(vae::tool::at_least(0)));
  };
  const auto sample = [](vae::tool::Run& run, Options& o) {
    if (o.digit)
      run.write("conditional", samples(run.recipe<FamilyRecipe>().pictures(run.last_step()), *o.digit));
    else
      run.write_pictures();
    return 0;
  };
  return vae::tool::run<Options>(
      argc, argv,
      {"adgm",
       "Auxiliary deep generative models (Maaloe et al., 2016) and relatives with labels.",
       [](const vae::tool::Find& find) { return preset_options(Tool::adgm, find); },
       {test_inspection(), {"sample", "pictures of a trained run", describe, sample}}});
}
