#pragma once
// A run of a training tool, whatever its family: options, data, recipe and run directory put together.
#include "nn/fit/outcome.h"
#include "tensor/safetensors.h"
#include "tools/common/images.h"
#include "tools/common/run_options.h"

namespace vae::tool {

/// What the options of every training tool begin with. Those of semi-supervised ones have a member `split`,
/// too, and a function semi() where only some of their models are.
struct CommonOptions {
  std::string tool_name;  ///< of the tool that makes such runs
  std::string preset;
  RunOptions run;
  ImageOptions images;
  int64_t nll = 0;                          ///< importance samples that `test` estimates -log p(x) by
  std::filesystem::path weights;            ///< of a published program, which `import` makes a run of
  std::filesystem::path onnx, torch_names;  ///< what `export` writes
};

/// The options of a run, and what a family makes of them. A family writes, beside its options,
///   void describe(const OptionTable&, Options&);
///   train::Inputs inputs_of(const Options&);                                  how its models see pixels
///   std::unique_ptr<train::Recipe> make_recipe(const Options&, const train::Data&, nn::Options);
///   std::optional<Stage> stage_of(const Options&);                            of a model trained before
///   void check_training(const Options&, const train::Data&);                  refuses what has no training
/// The last two where there is something to say.
struct Setup;

/// A model below that of the recipe: from a finished run, or trained first, as a run of its own in a
/// sub-directory.
struct Stage {
  std::string title, tool, folder;
  std::filesystem::path given;                    ///< a finished run; none: train one
  std::function<Setup(const RunOptions&)> setup;  ///< of its own run there
  struct Part {
    nn::Module* module;
    nlohmann::json meta;
  };
  std::function<Part(train::Recipe&)> part;  ///< the model of the stage within the recipe above it
};

/// Throws Error(usage) naming the option where batches of a net with batch norm would have one image: `batch`
/// images as the option says, out of a set of `images` (none: there is no such batch).
void check_normalized(const std::string& option, int64_t batch, int64_t images);
/// Throws Error(usage) naming the option of a batch where there are no images for it.
void check_some(const std::string& option, int64_t images);

struct Setup {
  CommonOptions options;
  OptionTable table;
  std::optional<SplitOptions> split{};
  train::Inputs inputs = train::Inputs::unit;
  std::function<std::unique_ptr<train::Recipe>(const train::Data&, nn::Options)> make{};
  std::optional<Stage> stage{};
  std::function<void(const train::Data&)> check_training = [](const train::Data&) {};
};

template <class Options>
Setup setup_of(const Options& given) {
  const auto options = std::make_shared<Options>(given);  // the table refers to it
  Setup setup{*options, described(*options)};
  setup.table.of_tool(options->tool_name);
  if constexpr (requires { options->split; }) setup.split = options->split;
  if constexpr (requires { options->semi(); })
    if (!options->semi()) setup.split.reset();
  setup.inputs = inputs_of(*options);
  setup.make = [options](const train::Data& data, nn::Options of_model) {
    return make_recipe(*options, data, of_model);
  };
  if constexpr (requires { stage_of(*options); }) setup.stage = stage_of(*options);
  if constexpr (requires(const train::Data& data) { check_training(*options, data); })
    setup.check_training = [options](const train::Data& data) { check_training(*options, data); };
  return setup;
}

class Run {
 public:
  /// Prepares the device and loads the images.
  explicit Run(Setup setup);

  /// Options and images of a resumed run must be those that it began with; throws Error(usage) naming an
  /// option, Error(data) for images.
  void check_resumed(const train::RunDirectory& directory, const OptionTable& table) const;
  /// Writes config.json: the options, hashes of the images and names of their classes.
  void write_config(const train::RunDirectory& directory, const OptionTable& table) const;
  /// Trains, then writes pictures, results and report.
  void train();
  /// A new run as a task, its split drawn, of which nothing is written. The task refers to this object.
  std::unique_ptr<train::Task> new_task();
  /// Times steps, of a resumed run those behind its checkpoint, and prints one JSON line. The run stays as it
  /// is.
  void benchmark();
  /// The result by which runs are compared, after train().
  const train::Scalar& score() const { return score_; }

  /// Begins a new run with the weights of a state dict (nn/train/torch_weights.h), which `file` names in
  /// errors: writes split, configuration and checkpoint. The recipe is left in test mode.
  void import(const SafeTensors& state);

  /// Makes the recipe with the weights of the run, in test mode.
  void load();
  /// Prints what a report would say, as evaluated now, and the estimate of -log p(x) that was asked for.
  void test(int64_t nll_samples);
  /// Writes all pictures of the report; or one.
  void write_pictures();
  void write(const std::string& name, const report::Picture& picture) const {
    fit::write_picture(folder(), name, picture);
  }

  template <class Recipe>
  Recipe& recipe() {
    return dynamic_cast<Recipe&>(*recipe_);
  }
  /// The last iteration of the training, for inspections.
  train::Step last_step(const std::string& scope = "") const;
  const Setup& setup() const { return setup_; }
  const std::filesystem::path& folder() const { return setup_.options.run.run; }
  const fit::Images& images() const { return images_; }
  /// Makes the recipe, as yet untrained.
  train::Recipe& make_recipe(const data::Split& split = {});

 private:
  const RunOptions& options() const { return setup_.options.run; }
  /// What config.json says of the images, by kImageKeys.
  nlohmann::json identity_of_images() const;
  train::Data data_of(const data::Split& split) const;
  data::Split prepare_split(const train::RunDirectory& directory,
                            const std::optional<data::StoredSplit>& drawn) const;
  /// The recipe of a split, checked, as a task.
  std::unique_ptr<train::Task> task_of(const data::Split& split);
  void train_stage(const train::RunDirectory& directory);
  void load_stage(const std::filesystem::path& run);
  void start_stage();
  report::Summary summarize(const train::Scalars& metrics) const;
  /// What the report says of how the run came about: what the tool is made of, and the command that repeats
  /// it.
  std::vector<report::Fact> origin() const;
  Setup setup_;
  Device device_;
  kernels::PrecisionScope precision_;
  fit::Images images_;
  std::unique_ptr<train::Recipe> recipe_;
  int64_t iterations_ = 0;
  train::Scalar score_{};
};

}  // namespace vae::tool
