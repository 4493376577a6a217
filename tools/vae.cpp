// vae: variational autoencoders without labels
#include "tools/adgm/options.h"

int main(int argc, char** argv) {
  using namespace vae::adgm;
  const auto describe = [](const vae::tool::OptionTable& table, Options& o) {
    table.add("span", o.span, "how far traversals go", vae::tool::positive());
  };
  const auto pictures = [](vae::tool::Run& run) {
    return run.recipe<FamilyRecipe>().pictures(run.last_step());
  };
  const auto sample = [=](vae::tool::Run& run, Options& o) {
    run.write_pictures();
    run.write("traversals", traversals(pictures(run), o.span));
    return 0;
  };
  const auto interpolate = [=](vae::tool::Run& run, Options&) {
    run.write("interpolation", interpolations(pictures(run)));
    return 0;
  };
  return vae::tool::run<Options>(argc, argv,
                                 {"vae",
                                  "VAE, planar flows, beta-VAE, ladder and Gumbel-softmax VAE.",
                                  [](const vae::tool::Find& find) { return preset_options(Tool::vae, find); },
                                  {test_inspection(),
                                   {"sample", "pictures of a trained run", describe, sample},
                                   {"interpolate", "between pairs of test images", {}, interpolate}}});
}
