// A run of parameters that the public PyTorch implementation trained.
#include "nn/train/checkpoint.h"
#include "nn/train/task.h"
#include "tensor/safetensors.h"
#include "tools/ml_vae/options.h"

namespace vae::ml_vae {
namespace {

/// A parameter in a file of the reference's, whose names may stand behind "param/".
const Tensor& reference_parameter(const SafeTensors& file, const std::string& name) {
  return file.contains("param/" + name) ? file.at("param/" + name) : file.at(name);
}

/// The sizes of the model in the file, as options.
nlohmann::json sizes_of(const SafeTensors& file, const std::string& path) {
  nlohmann::json sizes;
  for (const auto& [option, name] : {std::pair{"hidden", "encoder.linear_model.linear_1.bias"},
                                     {"style-dim", "encoder.style_mu.bias"},
                                     {"class-dim", "encoder.class_mu.bias"}}) {
    const Tensor bias = reference_parameter(file, name);
    if (bias.rank() != 1) fail(ErrorKind::data, "{}: {} is {}", path, name, bias.str());
    sizes[option] = bias.size(0);
  }
  return sizes;
}

void set_parameters(nn::Module& model, const SafeTensors& file, const std::string& path) {
  for (const nn::Module::Parameter& p : model.parameters()) {
    const Tensor& given = reference_parameter(file, p.name);
    if (given.dtype() != DType::f32 || !(given.shape() == p.var.shape()))
      fail(ErrorKind::data, "{}: {} is {}, not f32 {}", path, p.name, given.str(), p.var.shape().str());
    p.var.value().copy_from(given);
  }
}

int run_import(tool::Run& run, Options& o) {
  const std::string path = o.weights.string();
  const SafeTensors file = load_safetensors(o.weights);
  run.setup().table.read(sizes_of(file, path), path, "ml_vae");
  train::Recipe& recipe = run.make_recipe();
  set_parameters(recipe.model(), file, path);

  const train::RunDirectory directory = o.run.directory();
  run.write_config(directory, run.setup().table);
  train::Task task(recipe, {.seed = o.run.seed});
  nlohmann::json meta = task.meta();
  const int64_t per_epoch = o.run.iters_per_epoch > 0 ? o.run.iters_per_epoch : recipe.steps_per_pass();
  meta["loop"] = {{"iteration", 0}, {"iters_per_epoch", per_epoch}};
  train::save_checkpoint(directory.claim(train::kCheckpointFile), task.state(), meta);
  recipe.model().set_training(false);
  run.write_pictures();
  return probe().run(run, o);
}

}  // namespace

tool::Inspection<Options> import_weights() {
  return {.name = "import",
          .help = "make a run of the reference's parameters",
          .describe =
              [](const tool::OptionTable& t, Options& o) {
                t.add("weights", o.weights, "safetensors file of the reference's parameters")
                    .required()
                    .unstored();
              },
          .run = run_import,
          .of_trained = false};
}

}  // namespace vae::ml_vae
