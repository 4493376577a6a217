// The tools adgm and vae: presets and what is read off a trained run.
#include "tools/adgm/options.h"

namespace vae::adgm {
namespace {

using tool::Inspection, tool::OptionTable;

PictureSource pictures_of(tool::Run& run) { return run.recipe<FamilyRecipe>().pictures(run.last_step()); }

Inspection<Options> test() {
  auto test = tool::test_inspection<Options>("accuracy, likelihood and active units of a trained run");
  test.run = [inner = test.run](tool::Run& run, Options& o) {
    inner(run, o);
    for (const auto& [layer, units] : run.recipe<FamilyRecipe>().active_units(run.last_step()))
      fmt::print("active units of {}: {} of {}\n", layer, units.active(), units.all());
    return 0;
  };
  return test;
}

void describe_digit(const OptionTable& table, Options& o) {
  table.add("digit", o.digit, "the class to sample; default: all", tool::or_none(tool::at_least(0)));
}

int sample_digits(tool::Run& run, Options& o) {
  if (o.digit)
    run.write("conditional", samples(pictures_of(run), *o.digit));
  else
    run.write_pictures();
  return 0;
}

void describe_span(const OptionTable& table, Options& o) {
  table.add("span", o.span, "how far traversals go", tool::positive());
}

int sample_traversals(tool::Run& run, Options& o) {
  run.write_pictures();
  run.write("traversals", traversals(pictures_of(run), o.span));
  return 0;
}

int interpolate(tool::Run& run, Options&) {
  run.write("interpolation", interpolations(pictures_of(run)));
  return 0;
}

}  // namespace

tool::Tool<Options> adgm_tool() {
  return {"adgm",
          "Auxiliary deep generative models (Maaloe et al., 2016) and relatives with labels.",
          [](const tool::Find& find) { return preset_options(Tool::adgm, find); },
          {test(),
           {"sample", "pictures of a trained run", describe_digit, sample_digits},
           exporter::inspection<Options>(exported())}};
}

tool::Tool<Options> vae_tool() {
  return {"vae",
          "VAE, planar flows, beta-VAE, ladder and Gumbel-softmax VAE.",
          [](const tool::Find& find) { return preset_options(Tool::vae, find); },
          {test(),
           {"sample", "pictures of a trained run", describe_span, sample_traversals},
           {"interpolate", "between pairs of test images", {}, interpolate},
           exporter::inspection<Options>(exported())}};
}

}  // namespace vae::adgm
