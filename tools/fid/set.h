#pragma once
// Sets of images as a user names them, and statistics of their features in files.
#include <filesystem>
#include <optional>

#include "data/load.h"
#include "nn/eval/moments.h"

namespace vae::fid {

/// Statistics of features, stored in place of a set.
struct Stored {
  eval::Statistics statistics;
  std::string features, weights;  ///< names of the extractor and of its weights
};

struct Set {
  std::string name;                ///< as the user says
  Tensor images{};                 ///< u8 [n, h, w, c], two or more
  std::optional<Stored> stored{};  ///< instead of images
  int64_t count() const { return stored ? stored->statistics.count : images.size(0); }
};

/// Statistics (NAME.safetensors), a data set by its name (both parts), pictures in a folder (./NAME where
/// that is the name of a data set) in the order of their names, or an IDX file; of images no more than
/// `most`, picked by `seed`. Says on standard error what lies beside the pictures of a folder. Throws
/// Error(io) for what cannot be read, Error(data) that names the file for what is damaged, pictures of
/// several sizes, and fewer than two images.
Set load_set(const std::string& name, const data::DatasetOptions& options, std::optional<int64_t> most,
             uint64_t seed);

/// Tensors "count" i64 [], "mean" f64 [d] and "covariance" f64 [d, d] and in the metadata who made the
/// features. Reading throws Error(data), naming the file, for anything else.
void save_stored(const std::filesystem::path& file, const Stored& stored);
Stored load_stored(const std::filesystem::path& file);

/// At most so many of n items: all in order, or distinct ones picked by the seed.
std::vector<int64_t> pick(int64_t n, int64_t most, uint64_t seed);

}  // namespace vae::fid
