#include "sym_vae_case.h"

#include <algorithm>

namespace vae::golden {

using sym_vae::kPixels;

sym_vae::Config sym_vae_config(const nlohmann::json& config) {
  const auto number = [&](const char* key) { return config.at(key).get<int64_t>(); };
  const auto variant = config.at("variant").get<std::string>();
  const bool ladder = variant.ends_with("ladder");
  sym_vae::Config c{
      .encoder = ladder ? sym_vae::EncoderKind::ladder : sym_vae::EncoderKind::reverse,
      .likelihood = config.at("likelihood") == "bernoulli" ? nn::LikelihoodKind::bernoulli
                                                           : nn::LikelihoodKind::gaussian,
      .nz0 = number("nz0"),
      .nz1 = number("nz1"),
      .width = number("nn"),
      .encoder_units = number(ladder ? "mlp_rnet" : "mlp_qnetx1"),
      .prior_units = number(ladder ? "mlp_fnet01" : "mlp_pnet01"),
      .decoder_activation = kernels::parse_activation(config.at("act_decoder_conv").get<std::string>())};
  if (!ladder) c.code_units = number("mlp_qnet10");
  return c;
}

void load_sym_vae(Numbers& numbers, nn::Module& model) {
  for (const nn::Module::Parameter& p : model.parameters())
    p.var.value().copy_from(to_ours(numbers.get("param/" + p.name, their_shape(p.var.shape()))));
  for (const nn::Module::Buffer& b : model.buffers())
    b.tensor.copy_from(numbers.get("param/" + b.name, b.tensor.shape()));
  if (numbers.has("param/dummy_param")) numbers.get("param/dummy_param", {});  // takes part in nothing
}

Tensor images_of(Numbers& numbers, const std::string& name, int64_t rows) {
  return numbers.get(name, {rows, 1, sym_vae::kSide, sym_vae::kSide}).reshape({rows, kPixels});
}

Tensor sym_vae_noise(Numbers& numbers, const std::string& iteration, const std::string& name, Shape shape,
                     train::Draw draw) {
  const size_t last = name.rfind('/') + 1;
  std::string scope = name.substr(0, last);
  std::replace(scope.begin(), scope.end(), '/', '.');
  const std::string file_name =
      "noise/" + iteration + scope + (draw == train::Draw::uniform ? "u_" : "eps_") + name.substr(last);
  return shape[1] == kPixels ? images_of(numbers, file_name, shape[0]) : numbers.get(file_name, shape);
}

}  // namespace vae::golden
