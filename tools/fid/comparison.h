#pragma once
// What is said of two sets of features.
#include <nlohmann/json.hpp>

#include "nn/eval/frechet.h"

namespace vae::fid {

struct ComparisonOptions {
  uint64_t seed = 1;
  int64_t resamples = 20;                      ///< half samples for standard errors; 0: none
  int64_t kid_subsets = 100, kid_size = 1000;  ///< subsets, and images of each
  int64_t neighbour_images = 10000;            ///< of each set, at most, whose neighbours are looked for
};

/// For a job, told by a few words: who is told how far it is.
using Progress = std::function<eval::OnProgress(const std::string& job)>;

/// Prints a line for each distance as it is known, named after the features, and gives all of them as JSON:
/// fid; kid, precision, recall, density, coverage where both sets have features, of enough images. The images
/// of `a` are the real ones.
nlohmann::ordered_json compare(const eval::Sample& a, const eval::Sample& b, const std::string& features,
                               const ComparisonOptions& options, const Progress& progress);

}  // namespace vae::fid
