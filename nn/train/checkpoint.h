#pragma once
// Checkpoints: a StateDict as a safetensors file, with what identifies the model (its meta) as one JSON text
// under the metadata key "meta". The bytes depend on nothing but the two.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "nn/state.h"

namespace vae::train {

using nn::StateDict;

/// Of a run: all that resuming needs, and the weights of the best epoch.
inline constexpr const char* kCheckpointFile = "checkpoint.safetensors";
inline constexpr const char* kBestFile = "best.safetensors";

/// Writes atomically. Throws Error(numeric) naming the tensor, and writes nothing, if a value is NaN or
/// infinite; Error(io) if the file cannot be written.
void save_checkpoint(const std::filesystem::path& path, const StateDict& state, const nlohmann::json& meta);

/// Copies a checkpoint into the tensors of `into` and returns its meta. Strict: the same names in both, the
/// same types and shapes, finite values, and every key of `meta` with an equal value. All of it is checked
/// before anything is written. Throws Error(io) if the file cannot be read, else Error(data) naming file and
/// tensor.
nlohmann::json load_checkpoint(const std::filesystem::path& path, const StateDict& into,
                               const nlohmann::json& meta);

/// Like load_checkpoint, but takes only what `into` names: the file may hold more (optimiser state,
/// counters).
nlohmann::json load_weights(const std::filesystem::path& path, const StateDict& into,
                            const nlohmann::json& meta);

}  // namespace vae::train
