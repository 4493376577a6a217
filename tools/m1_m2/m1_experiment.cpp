#include "nn/train/benchmark.h"
#include "nn/train/checkpoint.h"
#include "nn/train/replayed.h"
#include "tools/common/config_file.h"
#include "tools/common/pictures.h"
#include "tools/common/run_report.h"
#include "tools/m1_m2/experiment.h"

namespace vae {

using models::ImageSet;

M1Experiment::M1Experiment(const Options& options)
    : options_(options),
      device_(prepare_device(options.run)),
      images_(load_images(options.images, options.m1.decoder, device_)),
      model_(options.m1.m1(images_.train_set.image_size()), {DType::f32, device_, options.run.seed}),
      task_(model_, images_.train_set, images_.test_set,
            {.batch = options.m1_batch,
             .seed = options.run.seed,
             .adam = options.m1.adam(),
             .schedule = options.m1.schedule(options.run)}) {}

int M1Experiment::train(const nlohmann::ordered_json& config) {
  const train::RunDirectory directory(options_.run.run, options_.run.mode());
  if (directory.resumed()) check_resumed_config(directory.read_config(), config);
  directory.write_config(config);
  train::Replayed task(task_, device_, parse_graph_mode(options_.run.graph));
  const train::LoopResult result = train::run_loop(task, directory, options_.run.loop());
  if (result.interrupted) return 130;
  visualize();
  const double loss = test_result();
  fmt::print("test loss {:.3f} nats per image\n", loss);
  RunSummary summary{.title = "M1",
                     .results = {{"test_loss", loss}},
                     .headline = {{"test loss, nats", fmt::format("{:.2f}", loss)}},
                     .charts = {{"Loss", "nats per image", task_.metric_names()}},
                     .pictures = kPictures,
                     .confusion = {}};
  write_report(directory.path(), summary, config, images_, result, options_.run);
  fmt::print("report: {}\n", (directory / "report.html").string());
  return 0;
}

void M1Experiment::benchmark() {
  train::Replayed task(task_, device_, parse_graph_mode(options_.run.graph));
  fmt::print("{}\n", train::benchmark(task, device_, options_.run.benchmark).dump());
}

void M1Experiment::load() {
  train::StateDict weights;
  weights.meta = model_.meta();
  model_.add_state(weights);
  train::load_weights(options_.run.run / train::kCheckpointFile, weights);
}

void M1Experiment::test() {
  fmt::print("test loss {:.3f} nats per image\n", test_result());
  if (options_.nll == 0) return;
  const models::TestMode test(model_);
  const double nll =
      models::importance_nll(model_, images_.test_set, models::item_range(0, images_.test.size(), device_),
                             options_.nll, RandomKey::named(options_.run.seed, "nll"));
  fmt::print("-log p(x) {:.3f} nats per image ({} importance samples)\n", nll, options_.nll);
}

void M1Experiment::visualize() {
  const models::TestMode test(model_);
  const Tensor items =
      models::random_items(images_.test_set, 5000, RandomKey::named(options_.run.seed, "pictures"));
  const auto reconstruction = models::reconstruct(model_, images_.test_set.gather(items),
                                                  RandomKey::named(options_.run.seed, "pictures/z"));
  report::write_png(options_.run.run / "reconstructed_x.png",
                    reconstruction_picture(reconstruction.images, images_.test.images.shape()));
  write_latent_pictures(options_.run.run, reconstruction.z,
                        images_.test_set.gather_labels(items).to_vector<int64_t>());
}

}  // namespace vae
