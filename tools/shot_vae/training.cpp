#include "tools/shot_vae/training.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace vae::shot_vae {

using tool::at_least, tool::between, tool::choice, tool::non_negative, tool::OptionTable, tool::positive;

namespace {

constexpr int64_t kFastEpochs = 20;

/// Epochs in order, as many as a schedule has pieces for beside the first two.
tool::Spelling<std::vector<int64_t>> drops() {
  const std::string words = "of up to six epochs, in order, like 400,500,550";
  auto spelling = tool::list_of<int64_t>(0, tool::kMost, words, true);
  const auto parse = [=, any = spelling.parse](const std::string& text) {
    const std::vector<int64_t> epochs = any(text);
    if (epochs.size() > 6 || !std::ranges::is_sorted(epochs))
      fail(ErrorKind::usage, "'{}' is no list {}", text, words);
    return epochs;
  };
  spelling.parse = parse;
  return spelling;
}

/// A batch of so many images, and the smaller one that ends a pass.
void check_batch(const std::string& option, int64_t batch, int64_t images) {
  tool::check_some(option, images);
  tool::check_normalized(option, batch, images);
  if (images > batch && images % batch == 1)
    fail(ErrorKind::usage,
         "--{} {}, of {} images: the last batch of a pass has one, and batch norm needs two", option, batch,
         images);
}

}  // namespace

void set_preset(TrainingOptions& o, const tool::Find& find, const std::string& run) {
  o.preset = find("preset", "reference");
  tool::check_name("preset", o.preset, kPresets);
  o.run.run = "runs/" + run;
  o.run.iters_per_epoch = 0;
  o.run.counts_passes = true;
  const std::string data = find("data", "auto");
  o.images.of_auto = {"cifar10", "synth-color"};
  o.split.rule = data::SplitRule::shot;
  o.split.labels = data == "svhn" ? 1000 : 4000;
  o.split.validation = data == "svhn" ? 1000 : 5000;
  if (o.preset != "fast") return;
  o.training.net = "wideresnet-10-1";
  o.training.source.batch = 128, o.training.source.batch_labeled = 32;
}

int64_t asked_for(const tool::Find& find, const std::string& option, int64_t fallback) {
  const std::string text = find(option, "");
  int64_t number = fallback;  // what is no number is refused where options are parsed
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

double shrinking(const TrainingOptions& o, const tool::Find& find, int64_t published_epochs) {
  if (o.preset != "fast") return 1;
  const int64_t epochs = asked_for(find, "epochs", kFastEpochs);
  return static_cast<double>(epochs) / static_cast<double>(published_epochs);
}

int64_t shrunk(int64_t epochs, double by) {
  return std::max<int64_t>(1, std::lrint(static_cast<double>(epochs) * by));
}

void describe_run(const OptionTable& table, TrainingOptions& o) {
  table.add("preset", o.preset, "defaults: " + tool::listed(kPresets));
  describe(table, o.run);
  describe(table, o.images);
  describe(table, o.split);
}

void describe_training(const OptionTable& t, TrainingOptions& o) {
  const auto moment =
      tool::number_that<double>([](double v) { return v >= 0 && v < 1; }, "number from 0 to below 1");
  auto& [net, source, rate, sgd, augment_validation, average] = o.training;
  t.add("net-name", net, "backbone: wideresnet-DEPTH-WIDTH, preactresnet18, densenetbc100, ...");
  t.add("dropout", o.dropout, "share of values that the backbone drops", moment).alias("drop-rate");
  t.add("batch", source.batch, "unlabelled images per update", at_least(1)).alias("batch-size");
  t.add("batch-labeled", source.batch_labeled, "labelled images per update", at_least(1));
  t.add("labeled-stream", source.labeled_stream,
        "labelled images that have been used up in an epoch: the same batches again, or new ones",
        choice<LabeledStream>({{"cached", LabeledStream::cached}, {"fresh", LabeledStream::fresh}}));
  t.add("pad", source.pad, "training images are moved by up to so many pixels", at_least(0));
  t.add("flip", source.flip, "and exchanged left and right, or not, at random");
  t.add("augment-validation", augment_validation, "validation images, too, as the published code does");
  t.add("lr", rate.start, "rate of SGD; a fifth of it in the first epoch", positive());
  t.add("lr-drops", rate.drops, "epochs, counted from 0, behind which it drops", drops()).alias("adjust-lr");
  t.add("lr-factor", rate.factor, "that it is multiplied by then", positive()).alias("lr-decay-ratio");
  t.add("momentum", sgd.rule.momentum, "of SGD", moment);
  t.add("weight-decay", sgd.rule.weight_decay, "L2, of all parameters", non_negative()).alias("wd");
  t.add("ema", average, "decay of averaged weights that are evaluated; 0: the last ones", moment);
}

backbones::Config backbone_of(const TrainingOptions& o, const train::Data& data) {
  backbones::Config config = backbones::parse(o.training.net);
  config.dropout = o.dropout;
  config.channels = data.train.pixels.size(3);
  return config;
}

Training training_of(const TrainingOptions& o) {
  Training training = o.training;
  training.source.epoch_length = o.run.iters_per_epoch;
  return training;
}

void check_batches(const TrainingOptions& o, const train::Data& data, bool with_unlabeled) {
  check_batch("batch-labeled", o.training.source.batch_labeled, data.split.labeled.numel());
  if (with_unlabeled) check_batch("batch", o.training.source.batch, data.split.unlabeled.numel());
}

}  // namespace vae::shot_vae
