// Golden files that our own double precision makes, of sizes and rates that the given ones do not have.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "folder.h"
#include "models/ml_vae/classifier.h"
#include "tests/temporary_directory.h"

namespace vae::golden {
namespace {

class Numbers64 {
 public:
  Tensor normal(Shape shape) {
    std::normal_distribution<double> draw;
    std::vector<double> values(static_cast<size_t>(shape.numel()));
    for (double& value : values) value = draw(engine_);
    return Tensor::from(values, shape);
  }
  Tensor binary(Shape shape) {
    std::vector<double> values = to_doubles(normal(shape));
    for (double& value : values) value = value > 0;
    return Tensor::from(values, shape);
  }
  Tensor labels(int64_t rows, int64_t classes) {
    std::uniform_int_distribution<int64_t> draw(0, classes - 1);
    std::vector<int64_t> values(static_cast<size_t>(rows));
    for (int64_t& value : values) value = draw(engine_);
    return Tensor::from(values, {rows});
  }

 private:
  std::mt19937_64 engine_{1};
};

/// What the family makes of a file in double precision, as far as the names start so, becomes part of it.
void complete(SafeTensors& content, const Family& family, const std::vector<std::string>& prefixes) {
  const File file{.name = "made",
                  .path = {},
                  .system = family.system,
                  .config = nlohmann::json::parse(content.metadata.at("config")),
                  .content = content};
  for (const auto& [name, value] : family.run(file, DType::f64).values)
    for (const std::string& prefix : prefixes)
      if (name.starts_with(prefix)) content.tensors[name] = value.to(kCpu);
}

Summary run_made(const SafeTensors& content) {
  const test::TemporaryDirectory folder;
  std::filesystem::create_directory(folder / "any");
  save_safetensors(folder / "any" / "made.safetensors", content);
  return run_folder(folder.path(), families(), {});
}

/// Both precisions must object to this tensor.
void expect_failures(const SafeTensors& content, const std::string& name) {
  const Summary summary = run_made(content);
  ASSERT_EQ(summary.reports.size(), 2U);
  for (const Report& report : summary.reports)
    EXPECT_NE(report.str().find(name + ": element"), std::string::npos) << report.str();
}

void set_element(SafeTensors& content, const std::string& name, size_t at, double value) {
  std::vector<double> values = to_doubles(content.at(name));
  values.at(at) = value;
  content.tensors[name] = Tensor::from(values, content.at(name).shape());
}

constexpr double kRate = 3e-4;
const std::string kBias = "encoder.1.linear.bias";  // it feeds a batch norm

/// A ladder with labels whose parameters go by formula, so that the file holds norms and first elements.
SafeTensors ladder_file() {
  const nlohmann::json config{
      {"model", "LadderDeepGenerativeModel"},
      {"formula", "value(i,k)=0.05*sin(0.37*i+k)"},
      {"logvar", "softplus"},
      {"eps_log", 1e-8},
      {"x_dim", 6},
      {"y_dim", 3},
      {"z_dim", {3, 2}},
      {"h_dim", {10, 9}},
      {"alpha", 47.0},
      {"beta_L", {0.2}},
      {"beta_U", {0.2}},
      {"optimizer", {{"name", "adam"}, {"lr", kRate}, {"beta1", 0.9}, {"beta2", 0.999}, {"eps", 1e-8}}}};
  SafeTensors content{.tensors = {}, .metadata = {{"system", "adgm"}, {"config", config.dump()}}};
  Numbers64 numbers;
  content.tensors["input/x"] = numbers.binary({4, 6}), content.tensors["input/u"] = numbers.binary({5, 6});
  content.tensors["input/label"] = Tensor::from(std::vector<int64_t>{0, 1, 2, 1}, {4});
  content.tensors["input/y"] = Tensor::from(std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0}, {4, 3});
  for (const auto& [call, rows] : {std::pair<std::string, int64_t>{"L", 4}, {"U", 15}}) {
    content.tensors["noise/" + call + "/enc1"] = numbers.normal({rows, 2});
    for (const char* draw : {"/dec0_q", "/dec0_p"})
      content.tensors["noise/" + call + draw] = numbers.normal({rows, 3});
  }
  complete(content, adgm_family(), {"gradhead/", "gradsum/", "gradnorm/", "afterhead/"});
  // Another implementation rounds to other noise.
  for (size_t i = 0; i < 8; ++i) set_element(content, "gradhead/" + kBias, i, i % 2 ? 2e-16 : -3e-16);
  content.tensors["gradnorm/" + kBias] = Tensor::scalar(8e-16);
  content.tensors["gradsum/" + kBias] = Tensor::scalar(-5e-16);
  return content;
}

TEST(MadeFiles, VanishingGradientsAtTrueSizes) {
  const SafeTensors good = ladder_file();
  const Summary summary = run_made(good);
  EXPECT_TRUE(summary.ok()) << summary.str();
  for (const Report& report : summary.reports) EXPECT_EQ(report.excluded, 0) << report.str();

  double largest = 0;
  for (const auto& [name, value] : good.tensors)
    if (name.starts_with("gradnorm/")) largest = std::max(largest, to_doubles(value).front());
  for (const std::string of : {"gradhead/", "gradnorm/", "gradsum/"}) {
    SafeTensors bad = good;
    set_element(bad, of + kBias, 0, 1e-3 * largest);
    expect_failures(bad, of + kBias);
  }
}

TEST(MadeFiles, BiasesBeforeANormMoveNoFurtherThanTheRate) {
  const SafeTensors good = ladder_file();
  const std::string name = "afterhead/" + kBias;
  const double after = to_doubles(good.at(name)).front();
  for (const double way : {-1.0, 1.0}) {
    SafeTensors bad = good;
    set_element(bad, name, 0, after + way * 2.1 * kRate);
    expect_failures(bad, name);
  }
}

TEST(MadeFiles, CountsOfBatches) {
  const SafeTensors good = ladder_file();
  const std::string name = "afterhead/encoder.1.batchnorm.num_batches_tracked";
  EXPECT_EQ(to_doubles(good.at(name)), std::vector<double>{2});
  SafeTensors other = good;
  other.tensors[name] = good.at(name).reshape({});
  EXPECT_TRUE(run_made(other).ok());
  other.tensors[name] = Tensor::from(std::vector<int64_t>{3}, {1});
  expect_failures(other, name);
}

/// A step of the latent classifier at a rate that leaves its mark on the moved biases.
SafeTensors classifier_file() {
  const nlohmann::json config{{"z_dim", 16}, {"hidden", 64},  {"num_classes", 7}, {"batch_size", 24},
                              {"lr", 1e-2},  {"beta_1", 0.9}, {"beta_2", 0.999},  {"adam_eps", 1e-8}};
  SafeTensors content{.tensors = {}, .metadata = {{"system", "ml-vae"}, {"config", config.dump()}}};
  nn::Module root({.dtype = DType::f64, .seed = 5});
  const ml_vae::LatentClassifier net(&root, "", 16, 64, 7, 5);
  for (const nn::Module::Parameter& p : net.parameters())
    content.tensors["param/" + p.name] = p.var.value().clone();
  for (const nn::Module::Buffer& b : net.buffers()) content.tensors["param/" + b.name] = b.tensor.clone();
  for (const std::string norm : {"fc_1_bn", "fc_2_bn"})
    content.tensors["param/fc_model." + norm + ".num_batches_tracked"] = Tensor::scalar(int64_t{0});
  Numbers64 numbers;
  content.tensors["input/z"] = numbers.normal({24, 16}),
  content.tensors["input/labels"] = numbers.labels(24, 7);
  complete(content, ml_vae_family(), {"output/", "grad/", "after/"});
  return content;
}

TEST(MadeFiles, ClassifierInTestModeAfterALargeStep) {
  const SafeTensors good = classifier_file();
  const Summary summary = run_made(good);
  EXPECT_TRUE(summary.ok()) << summary.str();
  for (const Report& report : summary.reports) EXPECT_EQ(report.excluded, 0) << report.str();

  SafeTensors bad = good;
  const std::string logits = "output/logits_eval_after", bias = "after/fc_model.fc_2.bias";
  const std::vector<double> values = to_doubles(good.at(logits));
  const double first = values.front(), largest = std::abs(*std::max_element(values.begin(), values.end()));
  set_element(bad, logits, 0, first + 1e-3 * largest);
  expect_failures(bad, logits);
  bad = good;
  set_element(bad, bias, 0, to_doubles(good.at(bias)).front() + 2.1e-2);
  expect_failures(bad, bias);
}

}  // namespace
}  // namespace vae::golden
