#pragma once
// Options that the tools on deep backbones share.
#include "models/backbones/backbone.h"
#include "models/shot_vae/deep_recipe.h"
#include "tools/export/inspection.h"

namespace vae::shot_vae {

struct TrainingOptions : tool::CommonOptions {
  tool::SplitOptions split;
  Training training;
  double dropout = 0;
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
/// With epochs of other lengths, where these are asked for.
Training training_of(const TrainingOptions& options);

/// Throws Error(usage) naming the option where a batch would have one image, of which batch norm has no
/// variance.
void check_batches(const TrainingOptions& options, const train::Data& data, bool with_unlabeled);

}  // namespace vae::shot_vae
