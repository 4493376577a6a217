// The latent classifiers of the published table, on a trained run.
#include "data/digest.h"
#include "tensor/file.h"
#include "tensor/print.h"
#include "tools/ml_vae/options.h"

namespace vae::ml_vae {
namespace {

using tool::at_least, tool::OptionTable;

/// A name for the values of a module's parameters.
std::string fingerprint(const nn::Module& module) {
  std::vector<std::byte> bytes;
  for (const nn::Module::Parameter& p : module.parameters()) {
    const Tensor values = p.var.value().to(kCpu);
    const auto* begin = static_cast<const std::byte*>(values.raw());
    bytes.insert(bytes.end(), begin, begin + values.bytes());
  }
  return data::sha256_hex(bytes);
}

void describe_classify(const OptionTable& t, Options& o) {
  t.add("iterations", o.iterations, "of each classifier; whole thousands from 1000 on", at_least(1));
  t.add("classifier-batch", o.classifier.batch, "images per iteration", at_least(1));
  t.add("classifier-lr", o.classifier.adam.learning_rate, "Adam's rate", tool::positive());
}

void write_table(ClassifierRecipe& recipe, MlVaeRecipe& trained, const train::RunDirectory& directory) {
  const auto score = [&](const ImageSet& set, const char* part) {
    return recipe.score(encode_set(trained.model(), set), part);
  };
  const auto of_train = score(trained.data().train, "train"), of_test = score(trained.data().test, "test");
  nlohmann::ordered_json results;
  say("accuracy in %      train   test    with running statistics: train   test\n");
  for (size_t kind = 0; kind < kCodeKinds.size(); ++kind) {
    const auto &train = of_train[kind], &test = of_test[kind];
    say("{:16} {:7.2f} {:7.2f} {:30.2f} {:7.2f}\n", kCodeKinds[kind], 100 * train.batch_statistics,
        100 * test.batch_statistics, 100 * train.running_statistics, 100 * test.running_statistics);
    results[kCodeKinds[kind]] = {{"train", train.batch_statistics},
                                 {"test", test.batch_statistics},
                                 {"train_running_statistics", train.running_statistics},
                                 {"test_running_statistics", test.running_statistics}};
  }
  say("class_evidence uses the labels of the test images to form the groups: no classification\n");
  write_file_atomically(directory.claim("results.json"), results.dump(2) + "\n");
}

int run_classify(tool::Run& run, Options& o) {
  const int64_t per_epoch = std::min<int64_t>(o.iterations, 1000);
  if (o.iterations % per_epoch != 0)
    fail(ErrorKind::usage, "--iterations: {} are not whole thousands", o.iterations);
  auto& trained = run.recipe<MlVaeRecipe>();
  tool::check_normalized("classifier-batch", o.classifier.batch, trained.data().train.size());
  tool::RunOptions of_run = o.run;
  of_run.run = train::claim_folder(o.run.run, "classifier");
  of_run.iters_per_epoch = per_epoch;
  of_run.epochs = o.iterations / per_epoch;
  ClassifierRecipe::Settings settings = o.classifier;
  settings.reshuffle = o.settings.reshuffle;
  settings.noise_std = o.settings.model.noise_std;
  settings.encoder_id = fingerprint(trained.model());
  ClassifierRecipe recipe(settings, encode_set(trained.model(), trained.data().train), trained.data().classes,
                          {DType::f32, trained.data().train.device(), o.run.seed});

  const OptionTable table = tool::described(o);
  table.of_tool(o.tool_name);
  describe_classify(table, o);
  const train::RunDirectory directory = of_run.directory();
  if (directory.resumed()) run.check_resumed(directory, table);
  run.write_config(directory, table);
  fit::train_recipe(recipe, directory, of_run.task(), of_run.loop());
  write_table(recipe, trained, directory);
  return 0;
}

}  // namespace

tool::Inspection<Options> classify() {
  return {"classify", "the latent classifiers of the published table", describe_classify, run_classify};
}

}  // namespace vae::ml_vae
