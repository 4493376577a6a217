// fid A B: distances between two sets of images by their features (docs/fid.md).
#include <CLI/CLI.hpp>

#include "tensor/file.h"
#include "tensor/print.h"
#include "tools/common/cli.h"
#include "tools/common/dataset_options.h"
#include "tools/common/run_options.h"
#include "tools/fid/comparison.h"
#include "tools/fid/extractors.h"
#include "tools/fid/features.h"
#include "tools/fid/set.h"

namespace {

using namespace vae;
namespace fs = std::filesystem;

struct Options {
  std::string a, b;
  fid::FeatureOptions features;
  fid::ComparisonOptions comparison;
  data::DatasetOptions dataset;
  tool::DeviceOptions device;
  std::optional<int64_t> images;  ///< none: all
  fs::path json, save_stats;
  bool quiet = false;
};

/// Throws Error(data) where stored statistics are of other features than asked for.
void check_stored(const fid::Set& set, const std::string& features, const std::string& weights) {
  if (!set.stored) return;
  if (set.stored->features != features)
    fail(ErrorKind::data, "{}: statistics of the features '{}', not of '{}'", set.name, set.stored->features,
         features);
  if (set.stored->weights != weights)
    fail(ErrorKind::data, "{}: statistics of '{}' with other weights", set.name, features);
}

void describe_set(const char* role, const fid::Set& set) {
  if (set.stored)
    say("{}: {}, statistics of {} images\n", role, set.name, set.count());
  else
    say("{}: {}, {} images {}x{}x{}\n", role, set.name, set.count(), set.images.size(1), set.images.size(2),
        set.images.size(3));
}

/// The extractor for a pair of sets; of two that are stored, only its names.
fid::Features extractor_for(const fid::Set& a, const fid::Set* b, const fid::FeatureOptions& options) {
  if (!a.stored) return fid::make_extractor(options, a.images);
  if (b && !b->stored) return fid::make_extractor(options, b->images);
  return {.extractor = nullptr, .weights = a.stored->weights, .about = ""};
}

eval::Sample sample_of(const fid::Set& set, const fid::Features& features, const fid::Progress& progress) {
  if (set.stored) return {set.stored->statistics};
  const Tensor rows = fid::features_of(set.name, set.images, *features.extractor, progress);
  return {eval::statistics(rows), rows};
}

int compare(const Options& o) {
  const auto load = [&](const std::string& name) {
    return fid::load_set(name, o.dataset, o.images, o.comparison.seed);
  };
  const fid::Set a = load(o.a);
  std::optional<fid::Set> b;
  if (!o.b.empty()) b = load(o.b);
  const fid::Features features = extractor_for(a, b ? &*b : nullptr, o.features);
  const std::string name = features.extractor ? features.extractor->name() : a.stored->features;
  check_stored(a, name.starts_with(o.features.name) ? name : o.features.name, features.weights);
  if (b) check_stored(*b, name, features.weights);
  if (!features.about.empty()) say("{}\n", features.about);

  describe_set("A", a);
  if (b) describe_set("B", *b);
  const fid::Progress progress = fid::progress_of(o.quiet);
  const eval::Sample of_a = sample_of(a, features, progress);
  if (!o.save_stats.empty()) fid::save_stored(o.save_stats, {of_a.statistics, name, features.weights});
  if (!b) return 0;
  nlohmann::ordered_json result{{"features", name}, {"weights", features.weights}, {"a", o.a}, {"b", o.b}};
  result.update(fid::compare(of_a, sample_of(*b, features, progress), name, o.comparison, progress));
  if (!o.json.empty()) write_file_atomically(o.json, result.dump(2) + "\n");
  return 0;
}

int run(int argc, char** argv) {
  using namespace tool;
  CLI::App app{"Distances between two sets of images: FID, KID, precision, recall, density, coverage.",
               "fid"};
  app.footer(kExitCodes);
  Options o;
  app.add_option("A", o.a,
                 "folder of pictures, IDX file, name of a data set (both parts), or statistics "
                 "(.safetensors); of real images")
      ->required();
  app.add_option("B", o.b, "the same; of generated images");
  OptionTable table;
  const OptionTable features = table.group("Features"), numbers = table.group("Numbers"),
                    sets = table.group("Sets");
  fid::describe(features, o.features).required();
  sets.add("images", o.images, "at most so many images of each set, picked by the seed",
           or_none(at_least(2)));
  numbers.add("seed", o.comparison.seed, "of half samples, subsets and picked images");
  numbers.add("bootstrap", o.comparison.resamples, "half samples for the intervals; 0: no intervals",
              at_least(0));
  numbers.add("kid-subsets", o.comparison.kid_subsets, "subsets of KID", at_least(2));
  numbers.add("kid-size", o.comparison.kid_size, "images of a subset, at most half of the smaller set",
              at_least(2));
  numbers.add("neighbour-images", o.comparison.neighbour_images,
              "images of each set, at most, for precision, recall, density and coverage", at_least(6));
  table.add("json", o.json, "write the numbers to this file");
  table.add("save-stats", o.save_stats,
            "write the statistics of A to this .safetensors file; B may be left out");
  table.flag("quiet", o.quiet, "no progress");
  table.add("device", o.device.device, "cpu or cuda:N", devices());
  table.add("threads", o.device.threads, "CPU threads; 0: all cores within the quota of the control group",
            between(0, 1024));
  describe(sets, o.dataset);
  table.add_to(app);
  if (!parse_command_line(app, argc, argv)) return 0;
  if (o.b.empty() && o.save_stats.empty()) fail(ErrorKind::usage, "B is missing (or --save-stats)");
  if (!o.save_stats.empty() && o.save_stats.extension() != ".safetensors")
    fail(ErrorKind::usage, "--save-stats: {} does not end in .safetensors", o.save_stats.string());
  o.features.device = prepare_device(o.device);
  o.features.data_dir = o.dataset.data_dir;
  return compare(o);
}

}  // namespace

int main(int argc, char** argv) {
  return vae::tool::main(argv, [&] { return run(argc, argv); });
}
