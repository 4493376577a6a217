#pragma once
// TensorBoard event files: records framed as TFRecord (length, masked CRC-32C, payload, masked CRC-32C), each
// holding one `Event` protocol-buffer message, encoded here by hand.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "nn/train/metrics.h"

namespace vae::train {

class EventFile {
 public:
  /// Starts a new events.* file in `directory`. With `resume_step`, it begins with a session start, which
  /// makes TensorBoard drop what older files say about later steps. Throws Error(io).
  EventFile(const std::filesystem::path& directory, std::optional<int64_t> resume_step);

  /// Scalars of one step.
  void add_scalars(int64_t step, const Scalars& values);
  /// A picture, given as the bytes of a PNG file; Error(internal) if they are not.
  void add_image(int64_t step, const std::string& tag, std::span<const uint8_t> png);

 private:
  void write(const std::string& event);

  AppendFile file_;
};

/// CRC-32C (Castagnoli polynomial 0x1EDC6F41, reflected) of a byte string.
uint32_t crc32c(std::string_view bytes);

}  // namespace vae::train
