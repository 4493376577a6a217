// Semi-supervised classes (M2, arXiv:1406.5298) of one's own pictures, 28 x 28 and grey, in ten classes:
// DATA_DIR/train_images/CLASS_name.png and DATA_DIR/test_images/CLASS_name.png. LABELS of them are seen with their class.
// my_m2 DATA_DIR RUN LABELS EPOCHS [ITERATIONS_PER_EPOCH]
#include <vaekit/vaekit.h>
using namespace vaekit;

struct Net : Module {
  using Module::Module;
  static constexpr int64_t x_size = 28 * 28, classes = 10, z = 20, hidden = 200;
  Linear c1{this, "c1", x_size, hidden}, c2{this, "c2", hidden, classes};
  Linear e1{this, "e1", x_size + classes, hidden}, mu{this, "mu", hidden, z}, log_var{this, "log_var", hidden, z};
  Linear d1{this, "d1", z + classes, hidden}, d2{this, "d2", hidden, x_size};

  Var classify(const Var& x) const { return c2(relu(c1(x))); }  // logits
  /// Minus the bound of log p(x | y) per row, nats.
  Var bound(const Var& x, const Var& y, const Var& noise) const {
    const Var h = relu(e1(concat({x, y}))), m = mu(h), s = log_var(h);
    const Var logits = d2(relu(d1(concat({reparameterize(m, s, noise), y}))));
    return bernoulli_nll(logits, x) + kl_standard_normal(m, s);
  }
  Losses loss(const Batch& batch, const Step& step) const {
    const Var x = flatten(batch.x), labeled = flatten(batch.labeled);
    const int64_t n = x.shape()[0], n_labeled = labeled.shape()[0];
    // Every class under every image: row k n + i is image i as class k.
    const Var y(enumerate_labels(classes, n, DType::f32, options().device));
    const Var bounds = bound(repeat_rows(x, classes), y, step.normal("noise", {classes * n, z}));
    const Var q = softmax(classify(x)), table = transpose(reshape(bounds, {classes, n}));
    const Var unlabeled_bound = -mean(weighted_bound(q, -table, 1e-10));
    const Var labels(one_hot(batch.labels, classes, DType::f32));
    const Var labeled_bound = mean(bound(labeled, labels, step.normal("noise/labeled", {n_labeled, z})));
    const Var logits = classify(labeled), entropy = cross_entropy(logits, batch.labels);
    return {unlabeled_bound + labeled_bound + 50.0 * entropy,
            {{"bound", unlabeled_bound}, {"cross_entropy", entropy}, {"accuracy", accuracy(logits, batch.labels)}}};
  }
};

int main(int argc, char** argv) try {
  if (argc < 5) return std::fprintf(stderr, "my_m2 DATA_DIR RUN LABELS EPOCHS [ITERATIONS_PER_EPOCH]\n"), 2;
  Net net({.seed = 1});
  Fit fit(net, [&](const Batch& batch, const Step& step) { return net.loss(batch, step); },
          {.run = argv[2], .data = "folder", .data_dir = argv[1], .epochs = std::atoi(argv[4]),
           .iters_per_epoch = argc > 5 ? std::atoi(argv[5]) : 0, .labels = std::atoi(argv[3])});
  fit.run();
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return error.exit_code();
}
