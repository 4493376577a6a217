#include "nn/train/event_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstring>

#include "nn/train/run_files.h"
#include "tensor/error.h"

namespace vae::train {
namespace {

namespace fs = std::filesystem;

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

template <class T>
std::string little_endian(T value) {
  static_assert(std::endian::native == std::endian::little);
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// Protocol-buffer fields: a key (number << 3 | wire type) and the value.
std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string integer_field(int number, int64_t value) {
  return varint(static_cast<uint64_t>(number) << 3) + varint(static_cast<uint64_t>(value));
}
std::string double_field(int number, double value) { return varint(number << 3 | 1) + little_endian(value); }
std::string float_field(int number, float value) { return varint(number << 3 | 5) + little_endian(value); }
std::string bytes_field(int number, std::string_view value) {
  return varint(number << 3 | 2) + varint(value.size()) + std::string(value);
}

// Field numbers of tensorflow/core/util/event.proto and framework/summary.proto.
namespace event {
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
}
namespace session_log {
constexpr int kStatus = 1, kStart = 1;
}
namespace summary {
constexpr int kValue = 1, kTag = 1, kSimpleValue = 2, kImage = 4;
}
namespace image {
constexpr int kHeight = 1, kWidth = 2, kColorspace = 3, kEncoded = 4;
}

std::string event_of(int64_t step, const std::string& what) {
  return double_field(event::kWallTime, wall_time()) + integer_field(event::kStep, step) + what;
}

std::string summary_value(const std::string& tag, const std::string& what) {
  return bytes_field(summary::kValue, bytes_field(summary::kTag, tag) + what);
}

/// TensorBoard reads files in the order of their names: by time, then by how many there are.
fs::path new_file(const fs::path& directory) {
  const auto seconds = static_cast<int64_t>(wall_time());
  for (int count = 0;; ++count) {
    const std::string name = fmt::format("events.out.tfevents.{:010}.vaekit.{:04}", seconds, count);
    if (!fs::exists(fs::symlink_status(directory / name))) return claim(directory, name);
  }
}

uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u; }

uint32_t big_endian(std::span<const uint8_t> bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static const auto table = [] {
    std::array<uint32_t, 256> entries{};
    for (uint32_t i = 0; i < 256; ++i) {
      entries[i] = i;
      for (int bit = 0; bit < 8; ++bit) entries[i] = entries[i] >> 1 ^ (entries[i] & 1 ? 0x82F63B78u : 0u);
    }
    return entries;
  }();
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = crc >> 8 ^ table[(crc ^ static_cast<uint8_t>(c)) & 0xFF];
  return ~crc;
}

EventFile::EventFile(const fs::path& directory, std::optional<int64_t> resume_step)
    : file_(new_file(directory), 0) {
  write(event_of(0, bytes_field(event::kFileVersion, "brain.Event:2")));
  if (resume_step)  // TensorBoard drops the step of the session start itself too, hence one beyond
    write(event_of(*resume_step + 1, bytes_field(event::kSessionLog,
                                                 integer_field(session_log::kStatus, session_log::kStart))));
}

void EventFile::add_scalars(int64_t step, const Scalars& values) {
  std::string content;
  for (const auto& [name, value] : values)
    content += summary_value(name, float_field(summary::kSimpleValue, static_cast<float>(value)));
  write(event_of(step, bytes_field(event::kSummary, content)));
}

void EventFile::add_image(int64_t step, const std::string& tag, std::span<const uint8_t> png) {
  constexpr uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  VAE_CHECK(png.size() > 26 && std::equal(std::begin(signature), std::end(signature), png.begin()),
            "picture '{}' is no PNG", tag);
  constexpr int channels_of[] = {1, 0, 3, 3, 2, 0, 4};  // by the colour type of the PNG header
  const uint8_t colour = png[25];
  VAE_CHECK(colour < std::size(channels_of), "picture '{}' is no PNG", tag);
  const std::string content =
      integer_field(image::kHeight, big_endian(png.subspan(20))) +
      integer_field(image::kWidth, big_endian(png.subspan(16))) +
      integer_field(image::kColorspace, channels_of[colour]) +
      bytes_field(image::kEncoded, {reinterpret_cast<const char*>(png.data()), png.size()});
  write(event_of(step,
                 bytes_field(event::kSummary, summary_value(tag, bytes_field(summary::kImage, content)))));
}

void EventFile::write(const std::string& event) {
  const std::string length = little_endian(static_cast<uint64_t>(event.size()));
  file_.append(length + little_endian(masked_crc(length)) + event + little_endian(masked_crc(event)));
}

}  // namespace vae::train
