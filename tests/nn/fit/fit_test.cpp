// What Fit refuses before there is a run, a run that is stopped and goes on, weights in a file of their own,
// the accuracy as a metric. The examples are tried on the installed package (tests/install).
#include "nn/fit/fit.h"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/ops.h"
#include "data/image_file.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::fit {
namespace {

struct Net : nn::Module {
  using Module::Module;
  nn::Linear out{this, "out", 784, 3};
};

Losses loss_of(const Net& net, const Var& x) {
  const Var y = net.out(autograd::flatten(x));
  return {autograd::mean(autograd::square(y)), {{"y", autograd::mean(y)}}};
}

TEST(Fit, RefusesBeforeThereIsARun) {
  const test::TemporaryDirectory folder;
  Net net;
  const auto refused = [&](const std::string& words, FitOptions options, const Fit::ImageLoss& loss) {
    options.run = folder.path() / "run";
    test::expect_error(ErrorKind::usage, words, [&] { Fit(net, loss, options); });
    EXPECT_FALSE(std::filesystem::exists(options.run));
  };
  const auto loss = [&](const Var& x, const Step&) { return loss_of(net, x); };
  refused("with batches of 0", {.run = {}, .batch = 0}, loss);
  refused("at rate 0", {.run = {}, .learning_rate = 0}, loss);
  refused("two metrics 'y'", {.run = {}}, [&](const Var& x, const Step&) {
    const Var y = loss_of(net, x).total;
    return Losses{y, {{"y", y}, {"y", y}}};
  });
  refused("metric 'rows' is f32 [1, 3] on cpu, not one number", {.run = {}}, [&](const Var& x, const Step&) {
    return Losses{loss_of(net, x).total, {{"rows", net.out(autograd::flatten(x))}}};
  });
  refused("Linear out: x is f32 [1, 28, 28, 1], expected [n, 784]: flatten(x)", {.run = {}},
          [&](const Var& x, const Step&) { return Losses{autograd::mean(net.out(x))}; });
  test::expect_error(ErrorKind::usage, "name a directory", [&] { Fit(net, Fit::ImageLoss(loss), {}); });
  Net exact({.dtype = DType::f64});
  test::expect_error(ErrorKind::usage, "the module is f64",
                     [&] { Fit(exact, Fit::ImageLoss(loss), {.run = folder.path() / "run"}); });
}

/// Small sets of three classes under MNIST's file names.
void write_idx(const std::filesystem::path& folder) {
  const auto write = [&](const char* name, std::vector<unsigned char> head, int64_t n, int64_t bytes) {
    std::ofstream file(folder / name, std::ios::binary);
    head[7] = static_cast<unsigned char>(n);
    file.write(reinterpret_cast<const char*>(head.data()), static_cast<std::streamsize>(head.size()));
    for (int64_t i = 0; i < n * bytes; ++i)
      file.put(static_cast<char>(bytes == 1 ? i % 10 : i * 7 + i / 784));
  };
  for (const auto& [part, n] : {std::pair{"train", 60}, {"t10k", 20}}) {
    write((part + std::string("-images-idx3-ubyte")).c_str(),
          {0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28}, n, 784);
    write((part + std::string("-labels-idx1-ubyte")).c_str(), {0, 0, 8, 1, 0, 0, 0, 0}, n, 1);
  }
}

TEST(Fit, StoppedByASignalAndCalledAgainIsTheRunThatWasNot) {
  const test::TemporaryDirectory folder;
  write_idx(folder.path());
  const auto run = [&](const std::string& name, int signal_number) {
    Net net;
    int calls = 0;
    Fit fit(net,
            [&](const Var& x, const Step& step) {
              if (++calls == 12 && signal_number) std::raise(signal_number);
              const Var noise = step.normal("noise", x.shape());
              return loss_of(net, x + noise);
            },
            {.run = folder / name,
             .data = "idx",
             .data_dir = folder.path(),
             .epochs = 2,
             .iters_per_epoch = 20,
             .batch = 10,
             .log_every = 3,
             .threads = 1,
             .quiet = true});
    fit.run({{"shown", [&](const Step& step) {
                return autograd::sigmoid(step.normal("z", {4, 28, 28, 1}));
              }}});
  };
  run("whole", 0);
  for (const int signal_number : {SIGINT, SIGTERM}) {
    std::signal(signal_number, SIG_DFL);  // a shell may have started us without
    const std::string name = "stopped by " + std::to_string(signal_number);
    try {
      run(name, signal_number);
      ADD_FAILURE() << "not stopped";
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), 130) << error.what();
    }
    EXPECT_FALSE(std::filesystem::exists(folder / name / "results.json"));
    run(name, 0);
    for (const char* file :
         {"checkpoint.safetensors", "metrics.csv", "metrics.jsonl", "results.json", "shown.png"})
      EXPECT_EQ(test::read_text(folder / name / file), test::read_text(folder / "whole" / file)) << file;
  }
}

TEST(Fit, PicturesAreNamedBeforeTheFirstStep) {
  const test::TemporaryDirectory folder;
  Net net;
  const auto loss = [&](const Var& x, const Step&) { return loss_of(net, x); };
  Fit fit(net, Fit::ImageLoss(loss),
          {.run = folder.path() / "run", .epochs = 1, .iters_per_epoch = 1, .quiet = true});
  const auto image = [](const Step&) { return Var(Tensor::zeros({1, 784})); };
  for (const auto& [name, words] : {std::pair{"", "named ''"}, {"../x", "'../x'"}, {".x", "'.x'"}})
    test::expect_error(ErrorKind::usage, words, [&] { fit.run({{name, image}}); });
  test::expect_error(ErrorKind::usage, "two pictures 'x'", [&] { fit.run({{"x", image}, {"x", image}}); });
  test::expect_error(ErrorKind::usage, "no function", [&] { fit.run({{"x", {}}}); });
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "run"));
  fit.run({{"good", image}, {"bad", [](const Step&) -> Var { throw std::runtime_error("never"); }}});
  for (const char* name : {"good.png", "results.json", "report.html"})
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "run" / name)) << name;
}

TEST(Fit, ColourPicturesOfNamedClasses) {
  const test::TemporaryDirectory folder;
  const std::vector<uint8_t> red{255, 0, 0, 0, 0, 0}, blue{0, 0, 255, 0, 0, 9};
  for (const char* part : {"train_images", "test_images"})
    for (const auto& [name, pixels] : {std::pair{"red", red}, {"\u84dd <blue>", blue}}) {
      std::filesystem::create_directories(folder / part / name);
      data::write_image(folder / part / name / "1.png", pixels, {1, 2}, 3);
    }
  struct Small : nn::Module {
    nn::Linear out{this, "out", 6, 1};
  } net;
  const auto loss = [&](const Batch& batch, const Step&) {
    return Losses{autograd::mean(autograd::square(net.out(autograd::flatten(batch.x))))};
  };
  Fit fit(net, Fit::Loss(loss),
          {.run = folder / "run",
           .data = "subfolders",
           .data_dir = folder.path(),
           .channels = 3,
           .epochs = 1,
           .quiet = true});
  fit.run({{"tiles", [](const Step&) { return Var(Tensor::zeros({3, 6})); }}});
  const auto results = nlohmann::json::parse(test::read_text(folder / "run/results.json"));
  EXPECT_EQ(results["class_names"], (std::vector<std::string>{"red", "\u84dd <blue>"}));
  const std::string html = test::read_text(folder / "run/report.html");
  EXPECT_NE(html.find("<dd>\u84dd &lt;blue&gt;</dd>"), std::string::npos);
  EXPECT_NE(html.find("<img"), std::string::npos);
}

TEST(Fit, WeightsGoToAFileAndBack) {
  const test::TemporaryDirectory folder;
  const auto file = folder.path() / "net.safetensors";
  Net net({.seed = 3}), other;
  nn::init_where_zero(net);
  const Tensor first = net.out.weight.value().clone();
  nn::init_where_zero(net);  // not zero any more: left as it is
  EXPECT_TRUE(same_bits(first, net.out.weight.value()));
  save_weights(net, file);
  load_weights(other, file);
  for (size_t i = 0; i < 2; ++i)
    EXPECT_TRUE(same_bits(net.parameters()[i].var.value(), other.parameters()[i].var.value()));
  struct Larger : nn::Module {
    nn::Linear out{this, "out", 784, 4};
  } larger;
  test::expect_error(ErrorKind::data, "out.weight", [&] { load_weights(larger, file); });
  test::expect_error(ErrorKind::io, "none", [&] { load_weights(other, folder.path() / "none"); });
}

TEST(Fit, AccuracyIsTheShareOfRightRows) {
  const Var logits(Tensor::from(std::vector<float>{2, 1, 0, 0, 3, 1, 1, 0, 5, 4, 0, 0}, {4, 3}));
  const Tensor labels = Tensor::from(std::vector<int64_t>{0, 1, 0, 0}, {4});
  EXPECT_FLOAT_EQ(static_cast<float>(accuracy(logits, labels).value().item()), 0.75F);
}

}  // namespace
}  // namespace vae::fit
