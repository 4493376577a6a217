// Sets of images that a trained model makes.
#include "data/idx.h"
#include "models/sym_vae/generate.h"
#include "nn/train/progress.h"
#include "nn/train/run_files.h"
#include "tensor/file.h"
#include "tensor/print.h"
#include "tensor/safetensors.h"
#include "tools/fid/features.h"
#include "tools/sym_vae/options.h"

namespace vae::sym_vae {
namespace {

namespace fs = std::filesystem;
using tool::at_least, tool::choice, tool::OptionTable;

constexpr const char* kFolder = "generated_data";

void describe_sets(const OptionTable& t, Options& o) {
  t.add("images", o.images_made, "images of each set", at_least(2));
  t.add("steps", o.chain_steps, "of the Markov chain x -> z -> x that ends at the limiting images",
        at_least(0));
}

MadeSet make_set(const std::string& what, int64_t passes, bool quiet,
                 const std::function<MadeSet(const OnPass&)>& make) {
  train::Progress progress({.total = passes,
                            .iters_per_epoch = passes,
                            .images_per_step = kSetBatch,
                            .quiet = quiet,
                            .label = what});
  return make([&](int64_t done) { progress.update(done); });
}

MadeSet make_random(tool::Run& run, const Options& o) {
  const SymVae& model = run.recipe<SymVaeRecipe>().model();
  return make_set("random codes", passes_of(o.images_made, 0), o.run.quiet, [&](const OnPass& on_pass) {
    return random_set(model, o.images_made, run.last_step("sh"), on_pass);
  });
}

MadeSet make_posterior(tool::Run& run, const Options& o) {
  SymVaeRecipe& recipe = run.recipe<SymVaeRecipe>();
  return make_set("originals", passes_of(recipe.images().size(), 0), o.run.quiet, [&](const OnPass& on_pass) {
    return posterior_set(recipe.model(), recipe.images(), run.last_step("post"), on_pass);
  });
}

MadeSet make_limiting(tool::Run& run, const Options& o) {
  const SymVae& model = run.recipe<SymVaeRecipe>().model();
  return make_set("limiting", passes_of(o.images_made, o.chain_steps), o.run.quiet,
                  [&](const OnPass& on_pass) {
                    return limiting_set(model, o.images_made, o.chain_steps, run.last_step("lim"), on_pass);
                  });
}

/// img_00000.png and so on, of bytes [n, 28, 28, 1].
void write_pictures(const fs::path& folder, const Tensor& images) {
  fs::create_directories(folder);
  const auto* pixels = images.data<uint8_t>();
  for (int64_t i = 0; i < images.size(0); ++i, pixels += kPixels)
    report::write_png(folder / fmt::format("img_{:05}.png", i),
                      {.width = kSide, .height = kSide, .pixels = {pixels, pixels + kPixels}});
}

int run_generate_data(tool::Run& run, Options& o) {
  const fs::path folder = train::claim_folder(run.folder(), kFolder);
  fs::create_directories(folder);
  const auto write = [&](const std::string& name, const Tensor& images) {
    if (o.format == "idx") return data::write_idx_images(folder / (name + "-idx3-ubyte.gz"), images);
    write_pictures(folder / name, images);
  };
  SafeTensors codes;
  const auto put = [&](const char* images, const char* kind, const MadeSet& set) {
    write(images, set.images);
    codes.tensors[fmt::format("z0_{}", kind)] = set.z0;
    codes.tensors[fmt::format("z1_{}", kind)] = set.z1;
  };
  const MadeSet originals = make_posterior(run, o);
  put("images", "post", originals);
  put("sh_images", "prior", make_random(run, o)), put("lim_images", "lim", make_limiting(run, o));
  save_safetensors(folder / "codes.safetensors", codes);
  say("{}: {} originals, {} images of random codes, {} limiting ones\n", folder.string(),
      originals.images.size(0), o.images_made, o.images_made);
  return 0;
}

/// Distances of both sets from the images that were learned from.
int run_fid(tool::Run& run, Options& o) {
  const fid::Progress progress = fid::progress_of(o.run.quiet);
  const Tensor originals = run.recipe<SymVaeRecipe>().images().pixels.to(kCpu);
  o.features.device = run.recipe<SymVaeRecipe>().images().device();
  o.features.data_dir = o.images.data.data_dir;
  const fid::Features features = fid::make_extractor(o.features, originals);
  if (!features.about.empty()) say("{}\n", features.about);
  const auto sample = [&](const std::string& name, const Tensor& images) -> eval::Sample {
    const Tensor rows = fid::features_of(name, images, *features.extractor, progress);
    return {eval::statistics(rows), rows};
  };
  fid::ComparisonOptions comparison{.seed = o.run.seed};
  const eval::Sample real = sample("originals", originals);
  nlohmann::ordered_json results{{"features", features.extractor->name()}, {"weights", features.weights}};
  const auto compare = [&](const char* name, const MadeSet& set) {
    say("{}:\n", name);
    results[name] =
        fid::compare(real, sample(name, set.images), features.extractor->name(), comparison, progress);
  };
  compare("random code", make_random(run, o));
  compare("limiting", make_limiting(run, o));
  write_file_atomically(train::claim(run.folder(), "fid.json"), results.dump(2) + "\n");
  return 0;
}

}  // namespace

tool::Inspection<Options> fid() {
  const auto describe = [](const OptionTable& t, Options& o) {
    describe_sets(t, o);
    fid::describe(t, o.features);
  };
  return {"fid", "distances of images of random codes, and of limiting ones, from the originals", describe,
          run_fid};
}

tool::Inspection<Options> generate_data() {
  const auto describe = [](const OptionTable& t, Options& o) {
    describe_sets(t, o);
    t.add("format", o.format, "pictures, or one file a set",
          choice<std::string>({{"png", "png"}, {"idx", "idx"}}));
  };
  return {"generate-data", "sets of originals, images of random codes and limiting images", describe,
          run_generate_data};
}

}  // namespace vae::sym_vae
