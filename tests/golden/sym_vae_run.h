#pragma once
// Golden files of symmetric learning and of the Frechet distance.
#include "numbers.h"

namespace vae::golden {

/// The family "sym-vae".
Family sym_vae_family();

/// A kind of file of the family.
struct SymVaeCase {
  std::string name;                            ///< for the report
  bool (*fits)(const nlohmann::json& config);  ///< whether a file is of this kind
  std::vector<DType> precisions;               ///< that it is run in
  Values (*run)(Numbers& numbers);
  std::optional<Tolerance> (*tolerance)(const File& file, const std::string& name, DType precision);
  /// The updates that a tensor has been through; null: none.
  std::vector<Update> (*updates)(const File& file, const std::string& name) = nullptr;
};

/// Iterations of either learning: losses, gradients, parameters and statistics.
SymVaeCase sym_vae_training();
/// Images of random codes and of a Markov chain.
SymVaeCase sym_vae_chain();
/// Thresholds, bytes of pictures, grids, running averages.
SymVaeCase sym_vae_data();
/// FID-Inception-v3 with weights by formula: what it sees, its stages, its features.
SymVaeCase sym_vae_inception();
/// Moments and distances of pairs of sets of features.
SymVaeCase sym_vae_frechet();

}  // namespace vae::golden
