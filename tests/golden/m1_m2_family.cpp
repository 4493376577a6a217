#include "data/split.h"
#include "m1_m2_run.h"

namespace vae::golden {
namespace {

bool is_split(const File& file) { return file.config.contains("num_labeled_data"); }

Outcome run_split(const File& file) {
  const auto number = [&](const char* key) { return file.config.at(key).get<int64_t>(); };
  const data::Split split =
      data::make_split(file.content.at("input/labels"),
                       file.content.at("input/permutation").to_vector<int64_t>(), number("num_labeled_data"),
                       number("num_validation_data"), static_cast<int>(number("num_types_of_label")));
  const auto indices = [](const std::vector<int64_t>& values) {
    return Tensor::from(values, {static_cast<int64_t>(values.size())});
  };
  return {.kind = "split",
          .values = {{"output/labeled_index", indices(split.labeled)},
                     {"output/unlabeled_index", indices(split.unlabeled)},
                     {"output/validation_index", indices(split.validation)}},
          .inputs = {"input/labels", "input/permutation"},
          .tolerance = [](const std::string&) { return Tolerance{}; }};
}

Outcome run_m1_m2(const File& file, DType dtype) {
  if (is_split(file)) return run_split(file);
  const M1M2Case c = read_case(file.config);
  Source source(file, c, dtype);
  Values values = c.m2 ? run_m2(file, c, source, dtype) : run_m1(file, c, source, dtype);
  Outcome outcome{c.kind(), std::move(values), source.read()};
  set_m1_m2_tolerances(outcome, file, c, dtype);
  return outcome;
}

}  // namespace

bool has_evaluation(const File& file) {
  return file.content.tensors.lower_bound("eval/") != file.content.tensors.lower_bound("eval0");
}

Family m1_m2_family() {
  return {.system = "m1-m2",
          .precisions =
              [](const File& file) {
                return is_split(file) ? std::vector{DType::i64} : std::vector{DType::f64, DType::f32};
              },
          .run = run_m1_m2};
}

}  // namespace vae::golden
