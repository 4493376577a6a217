#pragma once
// Which golden files the tests run, and with which families.
#include <algorithm>
#include <cstdlib>

#include "adgm_run.h"
#include "m1_m2_run.h"
#include "ml_vae_run.h"
#include "shot_vae_run.h"
#include "sym_vae_run.h"

namespace vae::golden {

/// VAE_GOLDEN_DIR of the environment, else the default of the build; none where neither is set.
inline std::optional<std::filesystem::path> golden_folder() {
  const char* variable = std::getenv("VAE_GOLDEN_DIR");
  const std::string folder = variable ? variable : VAE_GOLDEN_DEFAULT;
  if (folder.empty()) return {};
  return folder;
}

inline std::vector<Family> families() {
  return {m1_m2_family(), adgm_family(), ml_vae_family(), sym_vae_family(), shot_vae_family()};
}

/// A family, by its place among them, as the name of a test.
inline std::string test_name_of(size_t family) {
  std::string name = families()[family].system;
  std::ranges::replace(name, '-', '_');
  return name;
}

/// Whether a file has weights by formula, to be spared the weights of a large net.
inline bool of_large_net(const File& file) {
  const auto param = file.content.tensors.lower_bound("param/");
  const bool has_weights = param != file.content.tensors.end() && param->first.starts_with("param/");
  return file.config.contains("formula_seed") || (file.config.contains("param_formula") && !has_weights);
}

/// Systems whose golden files exist before their models.
inline const std::set<std::string> kNotCoveredYet{};

}  // namespace vae::golden
