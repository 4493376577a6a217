// Weights in the names and layouts of PyTorch.
#include "nn/train/torch_weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/image_layers.h"
#include "nn/layers.h"
#include "tensor/compare.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"
#include "tests/temporary_directory.h"

namespace vae::train::torch_weights_test {

nn::Window one_of(int64_t height, int64_t width) {
  return {kernels::WindowAxis{height}, kernels::WindowAxis{width}};
}

struct Net : nn::Module {
  using Module::Module;
  nn::Module encoder{this, "encoder"};
  nn::Conv2d conv{&encoder, "conv", 2, 3, one_of(2, 1)};
  nn::BatchNorm norm{&encoder, "norm", 3};
  nn::Dropout dropout{&encoder, "dropout", 0.5, "dropout"};
  nn::ConvTranspose2d up{this, "up", 3, 2, one_of(1, 2), false};
  nn::Linear out{this, "out", 4, 2};
};

/// 1, 2, 3, ... in every tensor.
Tensor counting(const Shape& shape, DType dtype = DType::f32) {
  std::vector<double> values;
  for (int64_t i = 1; i <= shape.numel(); ++i) values.push_back(static_cast<double>(i));
  return test::tensor_of(values, shape, dtype);
}

/// As PyTorch has it: convolutions [out, in, kh, kw], transposed ones [in, out, kh, kw].
SafeTensors torch_state(DType dtype = DType::f32) {
  SafeTensors state;
  const auto add = [&](const std::string& name, const Shape& shape) {
    state.tensors.emplace(name, counting(shape, dtype));
  };
  add("encoder.conv.weight", {3, 2, 2, 1});
  add("encoder.conv.bias", {3});
  for (const char* name : {"weight", "bias", "running_mean", "running_var"})
    add("encoder.norm." + std::string(name), {3});
  state.tensors.emplace("encoder.norm.num_batches_tracked", Tensor::scalar(int64_t{7}));
  add("up.weight", {3, 2, 1, 2});
  add("out.weight", {2, 4});
  add("out.bias", {2});
  return state;
}

class TorchWeights : public ::testing::Test {
 protected:
  std::filesystem::path write(const SafeTensors& state) const {
    save_safetensors(directory_ / "weights", state);
    return directory_ / "weights";
  }
  /// A state whose names are changed.
  static SafeTensors renamed(const std::function<std::string(const std::string&)>& name) {
    SafeTensors state;
    for (const auto& [old, tensor] : torch_state().tensors) state.tensors.emplace(name(old), tensor);
    return state;
  }
  void import(nn::Module& net, const SafeTensors& state) const {
    const std::filesystem::path file = write(state);
    import_weights(net, load_torch_state(file));
  }
  void expect_refused(const SafeTensors& state, const std::string& words) const {
    Net net, untouched;
    test::expect_error(ErrorKind::data, words, [&] { import(net, state); });
    for (size_t i = 0; i < net.parameters().size(); ++i)
      EXPECT_TRUE(same_bits(net.parameters()[i].var.value(), untouched.parameters()[i].var.value())) << i;
  }
  static void expect_imported(const Net& net) {
    // [out, in, kh, kw] counts (o, i, h); ours is [out, kh, kw, in].
    EXPECT_EQ(to_doubles(net.conv.weight.value()),
              (std::vector<double>{1, 3, 2, 4, 5, 7, 6, 8, 9, 11, 10, 12}));
    // [in, out, kh, kw] counts (i, o, w); ours is [in, kh, kw, out].
    EXPECT_EQ(to_doubles(net.up.weight.value()),
              (std::vector<double>{1, 3, 2, 4, 5, 7, 6, 8, 9, 11, 10, 12}));
    EXPECT_EQ(to_doubles(net.out.weight.value()), (std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8}));
    for (const Tensor& t : {net.conv.bias.value(), net.norm.weight.value(), net.norm.bias.value(),
                            net.norm.running_mean, net.norm.running_var})
      EXPECT_EQ(to_doubles(t), (std::vector<double>{1, 2, 3}));
  }

  test::TemporaryDirectory directory_;
};

TEST_F(TorchWeights, TurnsConvolutionsAndKeepsTheRest) {
  Net net, wide({.dtype = DType::f64});
  import(net, torch_state());
  expect_imported(net);
  import(wide, torch_state());
  expect_imported(wide);
  Net narrow;
  import(narrow, torch_state(DType::f64));
  expect_imported(narrow);
}

TEST_F(TorchWeights, LeavesOutTheSegmentsOfDataParallel) {
  for (const auto& name : std::vector<std::function<std::string(const std::string&)>>{
           [](const std::string& n) { return "module." + n; },
           [](const std::string& n) {
             return n.starts_with("encoder.") ? "encoder.module." + n.substr(8) : n;
           },
           [](const std::string& n) {
             return n.substr(0, n.rfind('.')) + ".module.module" + n.substr(n.rfind('.'));
           },
           [](const std::string& n) { return "param/" + n; }}) {
    Net net;
    SafeTensors state = renamed(name);
    import(net, state);
    expect_imported(net);
  }
  SafeTensors state = torch_state();
  state.tensors.emplace("out.module.bias", counting({2}));
  expect_refused(state, "two tensors are \"out.bias\" without the segments of DataParallel");
}

TEST_F(TorchWeights, OfSeveralKindsOfTensorsTakesTheParameters) {
  SafeTensors state = renamed([](const std::string& n) { return "param/" + n; });
  state.tensors.emplace("out.bias", counting({5}));
  state.tensors.emplace("grad/out.bias", counting({2}));
  Net net;
  import(net, state);
  expect_imported(net);
}

TEST_F(TorchWeights, IgnoresWhatIsOfNoPartOfTheModule) {
  SafeTensors state = torch_state();
  state.tensors.emplace("optimizer.out.bias", counting({2}));
  state.tensors.emplace("epoch", Tensor::scalar(int64_t{3}));
  Net net;
  import(net, state);
  expect_imported(net);
}

TEST_F(TorchWeights, RefusesOtherModels) {
  const auto with = [](const std::string& name, const Tensor& tensor) {
    SafeTensors state = torch_state();
    state.tensors.insert_or_assign(name, tensor);
    return state;
  };
  SafeTensors state = torch_state();
  state.tensors.erase("encoder.norm.running_mean");
  expect_refused(state, "no tensor \"encoder.norm.running_mean\"");
  expect_refused(with("encoder.conv2.bias", counting({3})),
                 "tensor \"encoder.conv2.bias\" is none of this model's");
  expect_refused(with("up.weight", counting({3, 1, 2, 2})),
                 "tensor \"up.weight\" is f32 [3, 1, 2, 2], expected [3, 2, 1, 2]");
  expect_refused(with("out.bias", Tensor::zeros({2}, DType::i64)),
                 "tensor \"out.bias\" is i64 [2], expected [2]");
  expect_refused(with("out.bias", test::tensor_of({1, NAN}, {2}, DType::f32)),
                 "tensor \"out.bias\" holds nan");
  expect_refused(with("encoder.norm.running_var", test::tensor_of({1, 1, -1}, {3}, DType::f32)),
                 "tensor \"encoder.norm.running_var\" holds -1");
  test::expect_error(ErrorKind::io, "absent", [&] { load_torch_state(directory_ / "absent"); });
}

}  // namespace vae::train::torch_weights_test
