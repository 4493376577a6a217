#include "tools/shot_vae/classifier_options.h"

namespace vae::shot_vae {

using tool::at_least, tool::choice, tool::non_negative, tool::OptionTable;

namespace {

const tool::Spelling<ClassifierMethod> kMethods = choice<ClassifierMethod>(
    {{"supervised", ClassifierMethod::supervised}, {"fixmatch", ClassifierMethod::fixmatch}});

}  // namespace

ClassifierOptions classifier_preset(const tool::Find& find) {
  ClassifierOptions o;
  set_preset(o, find, "shot_classifier");
  const bool fixmatch = find("method", "supervised") == "fixmatch";
  constexpr int64_t kEpochs = 500;
  const double by = shrinking(o, find, kEpochs);
  o.run.epochs = shrunk(kEpochs, by);
  o.training.rate = {.factor = 0.2, .drops = {300, 350, 400}};
  if (o.preset == "fast")
    for (int64_t& drop : o.training.rate.drops) drop = shrunk(drop, by);
  if (fixmatch) {
    o.training.average = 1 - 0.001 / by;  // over the same share of the training
    o.training.source.batch_labeled = 64, o.training.source.batch = 448;
    o.training.source.labeled_stream = LabeledStream::fresh;
  } else {
    o.training.source.batch_labeled = 128;
  }
  return o;
}

void describe(const OptionTable& table, ClassifierOptions& o) {
  describe_run(table, o);
  describe_training(table.group("Training"), o);
  const OptionTable t = table.group("Classifier");
  ClassifierRecipe::Settings& s = o.settings;
  t.add("method", s.method, "labelled images alone, or FixMatch, Sohn et al. (2020)", kMethods);
  t.add("threshold", s.threshold, "of FixMatch: probability from which a prediction is a label",
        tool::between(0.0, 1.0));
  t.add("unlabeled-weight", s.unlabeled_weight, "of FixMatch: of the loss of unlabelled images",
        non_negative());
  t.add("operations", s.operations, "of FixMatch: of the strong augmentation", at_least(1));
}

train::Inputs inputs_of(const ClassifierOptions&) { return train::Inputs::unit; }

ClassifierRecipe::Settings settings_of(const ClassifierOptions& o, const train::Data& data) {
  ClassifierRecipe::Settings s = o.settings;
  s.training = training_of(o);
  s.backbone = backbone_of(o, data);
  s.classes = data.classes;
  return s;
}

std::unique_ptr<train::Recipe> make_recipe(const ClassifierOptions& o, const train::Data& data,
                                           nn::Options of_model) {
  return std::make_unique<ClassifierRecipe>(settings_of(o, data), data, of_model);
}

void check_training(const ClassifierOptions& o, const train::Data& data) {
  check_batches(o, data, o.settings.method == ClassifierMethod::fixmatch);
}

tool::Tool<ClassifierOptions> classifier_tool() {
  return {"shot_classifier",
          "A classifier on a deep backbone, from labelled images alone or by FixMatch.",
          classifier_preset,
          {tool::report_inspection<ClassifierOptions>("accuracy and calibration of a trained run"),
           import_classifier(), exporter::inspection<ClassifierOptions>(exported_classifier())}};
}

}  // namespace vae::shot_vae
