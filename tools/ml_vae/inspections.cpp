// What is read off a trained ML-VAE: swap grids, codes in the plane, probes.
#include "nn/report/scatter.h"
#include "nn/train/progress.h"
#include "tensor/file.h"
#include "tensor/print.h"
#include "tools/ml_vae/options.h"

namespace vae::ml_vae {
namespace {

using tool::at_least, tool::choice, tool::OptionTable, tool::positive;

constexpr int64_t kTrustworthinessNeighbours = 12;

PictureSource pictures_of(tool::Run& run) { return run.recipe<MlVaeRecipe>().pictures(run.last_step()); }

void describe_swap(const OptionTable& t, Options& o) {
  t.add("references", o.references, "digits: the published ten, or random; auto: published on MNIST",
        choice<References>(
            {{"auto", References::automatic}, {"fixed", References::fixed}, {"random", References::random}}));
  t.add("evidence-images", o.evidence_images, "random test images of the evidence", at_least(1));
}

void describe_tsne(const OptionTable& t, Options& o) {
  TsneInput& input = o.tsne_input;
  t.add("code", input.code, "what is embedded",
        choice<Embedded>(
            {{"style", Embedded::style}, {"class", Embedded::class_code}, {"pixels", Embedded::pixels}}));
  t.flag("evidence", input.evidence, "class code of all images of the label; else each image's own");
  t.flag("means", input.means, "means, not samples");
  t.add("images", input.images, "test images: the first; random ones where the first lack a class",
        at_least(1));
  t.add("perplexity", o.tsne.perplexity, "effective number of neighbours", positive());
  t.add("iterations", o.tsne.iterations, "of gradient descent", at_least(1));
  t.add("exaggeration", o.tsne.early_exaggeration, "of the attraction in the first 250 iterations",
        positive());
  t.add("learning-rate", o.tsne.learning_rate, "of gradient descent", positive());
}

void describe_probe(const OptionTable& t, Options& o) {
  t.add("fit", o.probes.fit, "training images that the probes are fitted on, random ones of more",
        at_least(2));
  t.add("ridge", o.probes.ridge, "added to the variances of a class", tool::non_negative());
}

/// t-SNE of the rows of x, with progress.
Tensor embed(const Tensor& x, const Options& o) {
  train::Progress progress({.total = o.tsne.iterations,
                            .iters_per_epoch = o.tsne.iterations,
                            .images_per_step = x.size(0),
                            .quiet = o.run.quiet});
  eval::TsneOptions tsne = o.tsne;
  const double most = (static_cast<double>(x.size(0)) - 1) / 3;
  if (x.size(0) < 4) fail(ErrorKind::data, "t-SNE takes four images or more, there are {}", x.size(0));
  if (tsne.perplexity > most) {
    tsne.perplexity = most;
    note("{} images are too few for perplexity {}: it is {:.3g}\n", x.size(0), o.tsne.perplexity, most);
  }
  tsne.seed = o.run.seed;
  tsne.progress = [&](int64_t done) { progress.update(done); };
  const Tensor y = eval::tsne(x, tsne);
  progress.clear();
  return y;
}

int run_tsne(tool::Run& run, Options& o) {
  const PictureSource source = pictures_of(run);
  const Tensor items = tsne_items(source, o.tsne_input.images);
  const Tensor x = tsne_input(source, o.tsne_input, items), y = embed(x, o);
  const int64_t images = x.size(0);
  constexpr std::array kNames{"style", "class", "pixels"};
  const std::string code = kNames[static_cast<size_t>(o.tsne_input.code)];
  const std::string name = "tsne_" + code + (o.tsne_input.evidence ? "_evidence" : "");
  report::Scatter scatter{.points = {},
                          .labels = source.test.gather_labels(items).to_vector<int64_t>(),
                          .class_names = source.class_names};
  for (int64_t i = 0; i < images; ++i)
    scatter.points.push_back({y.data<float>()[2 * i], y.data<float>()[2 * i + 1]});
  scatter.title = fmt::format("t-SNE of {} test images: {}{}", images, code,
                              o.tsne_input.evidence ? " with evidence" : "");
  scatter.x_label = scatter.y_label = "";
  run.write(name, report::scatter_figure(scatter));
  if (2 * kTrustworthinessNeighbours < images)
    say("{}: {} images, trustworthiness (k = {}) {:.4f}\n", name, images, kTrustworthinessNeighbours,
        eval::trustworthiness(x, y, kTrustworthinessNeighbours));
  return 0;
}

int run_swap(tool::Run& run, Options& o) {
  const PictureSource source = pictures_of(run);
  run.write("swap", swap_grid(source, o.references, 0));
  run.write("swap_evidence", swap_grid(source, o.references, o.evidence_images));
  return 0;
}

int run_probe(tool::Run& run, Options& o) {
  const auto [numbers, left_out] = run.recipe<MlVaeRecipe>().probe(run.last_step(), o.probes);
  for (const auto& [name, value] : numbers.items()) say("{:28} {:.5f}\n", name, value.get<double>());
  for (const std::string& line : left_out) note("{}\n", line);
  write_file_atomically(train::claim(run.folder(), "probe.json"), numbers.dump(2) + "\n");
  return 0;
}

}  // namespace

tool::Inspection<Options> swap() {
  return {"swap", "grids of styles under the class codes of other digits", describe_swap, run_swap};
}

tool::Inspection<Options> tsne() {
  return {"tsne", "codes of the test images in the plane", describe_tsne, run_tsne};
}

tool::Inspection<Options> probe() {
  return {"probe", "losses, reconstruction errors and closed-form probes of a trained run", describe_probe,
          run_probe};
}

}  // namespace vae::ml_vae
