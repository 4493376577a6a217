#include "nn/train/checkpoint.h"

#include <gtest/gtest.h>

#include <limits>

#include "tensor/safetensors.h"
#include "tests/expect_error.h"
#include "tests/file_size_limit.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::train {
namespace {

using test::expect_error;

struct Model {
  Tensor weight = Tensor::from(std::vector<float>{1, 2, 3, 4}, {2, 2});
  Tensor moments = Tensor::from(std::vector<double>{5, 6}, {2});
  Tensor counter = Tensor::scalar(int64_t{7});

  StateDict state() const {
    StateDict state;
    state.add("weight", weight);
    state.add("moments", moments);
    state.add("counter", counter);
    return state;
  }
  static nlohmann::json meta() { return {{"family", "m2"}, {"hidden", 500}}; }
  void clear() const {
    for (const Tensor& tensor : {weight, moments, counter}) tensor.zero();
  }
  bool cleared() const {
    return weight.to_vector<float>() == std::vector<float>(4) &&
           moments.to_vector<double>() == std::vector<double>(2) && counter.item() == 0;
  }
};

class Checkpoint : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return directory_ / "checkpoint.safetensors"; }
  /// Loading `file` into a cleared model must fail and leave it cleared.
  void refuse(const SafeTensors& file, const std::string& words) {
    save_safetensors(path(), file);
    model_.clear();
    expect_error(ErrorKind::data, words, [&] { load_checkpoint(path(), model_.state(), Model::meta()); });
    expect_error(ErrorKind::data, path().string() + ": ",
                 [&] { load_checkpoint(path(), model_.state(), Model::meta()); });
    EXPECT_TRUE(model_.cleared()) << words;
  }
  SafeTensors good() {
    save_checkpoint(path(), Model().state(), Model::meta());
    return load_safetensors(path());
  }
  test::TemporaryDirectory directory_;
  Model model_;
};

TEST(StateDict, RefusesDuplicatesAndUndefinedTensors) {
  StateDict state;
  state.add("a", Tensor::zeros({1}));
  expect_error(ErrorKind::internal, "state 'a' is there already",
               [&] { state.add("a", Tensor::zeros({1})); });
  expect_error(ErrorKind::internal, "state 'b' is undefined", [&] { state.add("b", Tensor()); });
}

TEST_F(Checkpoint, RestoresTheLiveTensorsAndReturnsMeta) {
  nlohmann::json stored = Model::meta();
  stored["loop"] = {{"iteration", 12}};
  save_checkpoint(path(), model_.state(), stored);
  model_.clear();
  const nlohmann::json meta = load_checkpoint(path(), model_.state(), Model::meta());
  EXPECT_EQ(meta, stored);
  EXPECT_EQ(model_.weight.to_vector<float>(), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(model_.moments.to_vector<double>(), (std::vector<double>{5, 6}));
  EXPECT_EQ(model_.counter.item(), 7);
}

TEST_F(Checkpoint, BytesDependOnTheStateAlone) {
  save_checkpoint(path(), model_.state(), Model::meta());
  const std::string first = test::read_text(path());
  StateDict reversed;
  reversed.add("counter", model_.counter);
  reversed.add("moments", model_.moments);
  reversed.add("weight", model_.weight);
  save_checkpoint(path(), reversed, {{"hidden", 500}, {"family", "m2"}});
  EXPECT_EQ(test::read_text(path()), first);
}

TEST_F(Checkpoint, RefusesAnotherModel) {
  SafeTensors file = good();
  file.tensors.erase("moments");
  refuse(file, "checkpoint of another model: it lacks tensor \"moments\"");
  file = good();
  file.tensors["extra\n"] = Tensor::zeros({1});
  refuse(file, "checkpoint of another model: tensor \"extra\\n\" is unknown here");
  file = good();
  file.tensors["weight"] = Tensor::zeros({4});
  refuse(file, "tensor \"weight\" is f32 [4], here f32 [2, 2]");
  file = good();
  file.tensors["weight"] = Tensor::zeros({2, 2}, DType::f64);
  refuse(file, "tensor \"weight\" is f64 [2, 2], here f32 [2, 2]");
}

TEST_F(Checkpoint, RefusesOtherMeta) {
  SafeTensors file = good();
  file.metadata["meta"] = R"({"family":"m2","hidden":600})";
  refuse(file, "checkpoint of another model: \"hidden\" is 600, here 500");
  file.metadata["meta"] = R"({"family":"m2"})";
  refuse(file, "checkpoint of another model: it does not tell \"hidden\"");
  file.metadata.erase("meta");
  refuse(file, "checkpoint of another model: it does not tell \"family\"");
  for (const char* damaged : {"", "{", "[]", "17"}) {
    file.metadata["meta"] = damaged;
    refuse(file, "the metadata of the checkpoint are damaged");
  }
  file.metadata["meta"] = std::string(100'000, '[');
  refuse(file, "the metadata of the checkpoint are damaged");
  file.metadata["meta"] = "{\"family\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  refuse(file, "checkpoint of another model: ");
}

TEST_F(Checkpoint, RefusesNumbersThatAreNotFinite) {
  SafeTensors file = good();
  file.at("weight").data<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  refuse(file, "NaN in tensor \"weight\"");
  file = good();
  file.at("moments").data<double>()[0] = -std::numeric_limits<double>::infinity();
  refuse(file, "infinity in tensor \"moments\"");
}

TEST_F(Checkpoint, NeverWritesNumbersThatAreNotFinite) {
  save_checkpoint(path(), model_.state(), Model::meta());
  const std::string before = test::read_text(path());
  model_.weight.data<float>()[1] = std::numeric_limits<float>::infinity();
  expect_error(ErrorKind::numeric, "infinity in tensor \"weight\"",
               [&] { save_checkpoint(path(), model_.state(), Model::meta()); });
  EXPECT_EQ(test::read_text(path()), before);
}

TEST_F(Checkpoint, RefusesFilesThatAreNone) {
  expect_error(ErrorKind::io, "No such file",
               [&] { load_checkpoint(path(), model_.state(), Model::meta()); });
  write_file_atomically(path(), "garbage that is no checkpoint");
  expect_error(ErrorKind::data, "not a safetensors file",
               [&] { load_checkpoint(path(), model_.state(), Model::meta()); });
}

TEST_F(Checkpoint, ADiskThatIsFullKeepsTheOldOne) {
  save_checkpoint(path(), model_.state(), Model::meta());
  const std::string before = test::read_text(path());
  {
    const test::FileSizeLimit limit(100);
    expect_error(ErrorKind::io, "cannot write",
                 [&] { save_checkpoint(path(), model_.state(), Model::meta()); });
  }
  EXPECT_EQ(test::read_text(path()), before);
  EXPECT_EQ(directory_.entries(), 1u);
}

TEST_F(Checkpoint, LoadWeightsTakesOnlyWhatIsAskedFor) {
  save_checkpoint(path(), model_.state(), Model::meta());
  model_.clear();
  StateDict weights;
  weights.add("weight", model_.weight);
  load_weights(path(), weights, {});
  EXPECT_EQ(model_.weight.to_vector<float>(), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(model_.counter.item(), 0);
  weights.add("bias", Tensor::zeros({2}));
  expect_error(ErrorKind::data, "it lacks tensor \"bias\"", [&] { load_weights(path(), weights, {}); });
}

}  // namespace
}  // namespace vae::train
