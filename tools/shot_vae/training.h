#pragma once
// Options that the tools on deep backbones share.
#include "models/backbones/backbone.h"
#include "models/shot_vae/source.h"
#include "tools/common/tool.h"

namespace vae::shot_vae {

struct TrainingOptions : tool::CommonOptions {
  tool::SplitOptions split;
  std::string net = "wideresnet-28-2";
  double dropout = 0, average = 0;
  SourceSettings source;
  LearningRate rate;
  nn::Sgd::Settings sgd{.learning_rate = 0.1, .rule = {.momentum = 0.9, .weight_decay = 5e-4}};
  bool augment_validation = false;
};

/// Presets: of the published code, of the runs that its numbers come from, and a short one for a CPU, whose
/// schedules shrink with its epochs.
inline const std::vector<std::string> kPresets{"reference", "published", "fast"};

/// The preset's name, and what presets of all these tools say alike: directory and images. Throws
/// Error(usage) for an unknown name.
void set_preset(TrainingOptions& options, const tool::Find& find, const std::string& run);
/// The number that is asked for by an option which the preset depends on.
int64_t asked_for(const tool::Find& find, const std::string& option, int64_t fallback);
/// Of `fast`, the asked for epochs over the published ones; else 1.
double shrinking(const TrainingOptions& options, const tool::Find& find, int64_t published_epochs);
/// Epochs that shrink.
int64_t shrunk(int64_t epochs, double by);

/// Preset, run, images and split; then the net and its training, in the group of `table`.
void describe_run(const tool::OptionTable& table, TrainingOptions& options);
void describe_training(const tool::OptionTable& table, TrainingOptions& options);

/// The backbone of a run on such images.
backbones::Config backbone_of(const TrainingOptions& options, const train::Data& data);
/// Settings that options and images make together: epochs of other lengths.
SourceSettings source_of(const TrainingOptions& options);

/// Data that a recipe can be made on: images that are looked at without the split of their run have no parts,
/// so two of them stand for each, of which nobody asks a batch.
train::Data with_parts(train::Data data);

/// Throws Error(usage) naming the option where a batch would have one image, of which batch norm has no
/// variance.
void check_batches(const TrainingOptions& options, const train::Data& data, bool with_unlabeled);

}  // namespace vae::shot_vae
