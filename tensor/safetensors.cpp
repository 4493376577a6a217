#include "tensor/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "tensor/file.h"
#include "tensor/runtime.h"

namespace vae {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the container stores little-endian numbers");

constexpr size_t kPrefix = 8;
constexpr size_t kMaxHeader = 1 << 24;  // of more than 100 000 tensors
constexpr int kMaxDepth = 3;            // file object, tensor object, shape
constexpr std::string_view kMetadata = "__metadata__";
constexpr std::string_view kTypeNames[] = {"F32", "F64", "I32", "I64", "U8", "BF16"};  // indexed by DType

float from_bf16(uint16_t bits) { return static_cast<float>(std::bit_cast<bf16>(bits)); }

/// IEEE 754 binary16: exponents are scaled as f32, infinities and NaN are put in by hand.
float from_f16(uint16_t bits) {
  constexpr float kExponents = 0x1p112F;  // f32's bias of 127 less 15, as a factor
  const uint32_t sign = uint32_t{bits} >> 15 << 31, magnitude = uint32_t{bits & 0x7FFFU} << 13;
  const float value = magnitude < 0x7C00U << 13 ? std::bit_cast<float>(magnitude) * kExponents
                                                : std::bit_cast<float>(magnitude | 0xFFU << 23);
  return std::bit_cast<float>(std::bit_cast<uint32_t>(value) | sign);
}

/// How a tensor is stored, and what it becomes.
struct Stored {
  DType dtype;
  float (*widened)(uint16_t) = nullptr;  // of types of 16 bits, which are read as f32
  size_t bytes() const { return widened ? sizeof(uint16_t) : size_of(dtype); }
};

/// A tensor that the header describes, and where its bytes begin and end within the data.
struct Entry {
  std::string name;
  Stored stored;
  std::vector<int64_t> extents;
  int64_t begin = 0, end = 0;
};

/// Reads one file, its header first; knows its path for the messages.
class Reader {
 public:
  explicit Reader(const fs::path& path) : path_(path) {}

  SafeTensors read() {
    const json header = parse_header();
    SafeTensors result;
    result.file = path_;
    for (const auto& [name, entry] : header.items()) {
      if (name == kMetadata)
        read_metadata(entry, result);
      else
        entries_.push_back(read_entry(name, entry));
    }
    check_layout();
    const std::vector<std::byte> content = read_file(path_, data_begin_ + data_size_);
    if (content.size() != data_begin_ + data_size_) bad("it changes while it is read");
    for (const Entry& entry : entries_)
      result.tensors.emplace(entry.name, read_tensor(entry, content.data() + data_begin_));
    return result;
  }

 private:
  template <class... Args>
  [[noreturn]] void bad(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorKind::data, "{}: {}", path_.string(), fmt::format(format, std::forward<Args>(args)...));
  }

  json parse_header() {
    const FileHead prefix = read_head(path_, kPrefix);
    if (prefix.bytes.size() < kPrefix) bad("not a safetensors file: only {} bytes", prefix.size);
    uint64_t length = 0;
    std::memcpy(&length, prefix.bytes.data(), kPrefix);
    if (length < 2 || length > kMaxHeader || length > prefix.size - kPrefix)
      bad("not a safetensors file: header length {} in a file of {} bytes", length, prefix.size);
    data_begin_ = kPrefix + length;
    data_size_ = prefix.size - data_begin_;
    const FileHead head = read_head(path_, data_begin_);
    if (head.bytes.size() != data_begin_) bad("it changes while it is read");
    const char* begin = reinterpret_cast<const char*>(head.bytes.data()) + kPrefix;

    std::vector<std::set<std::string>> keys(kMaxDepth + 1);  // by depth, of the object being read
    const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
      const bool opens =
          event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
      if (opens && depth >= kMaxDepth) bad("header is nested too deeply");
      if (event == json::parse_event_t::object_start) keys[depth + 1].clear();
      if (event == json::parse_event_t::key && !keys[depth].insert(parsed.get<std::string>()).second)
        bad("duplicate key {} in the header", quoted(parsed.get<std::string>()));
      return true;
    };
    json header;
    try {
      header = json::parse(begin, begin + length, check);
    } catch (const json::exception&) {
      bad("header is not valid JSON");
    }
    if (!header.is_object()) bad("header is not a JSON object");
    return header;
  }

  void read_metadata(const json& entry, SafeTensors& result) const {
    if (!entry.is_object()) bad("{} is not a JSON object", kMetadata);
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) bad("metadata {} is not a string", quoted(key));
      result.metadata.emplace(key, value.get<std::string>());
    }
  }

  Entry read_entry(const std::string& name, const json& entry) const {
    if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape") ||
        !entry.contains("data_offsets"))
      bad("tensor {} needs exactly dtype, shape and data_offsets", quoted(name));
    const Stored stored = read_dtype(name, entry["dtype"]);
    std::vector<int64_t> extents = read_integers(name, "shape", entry["shape"]);
    const std::vector<int64_t> offsets = read_integers(name, "data_offsets", entry["data_offsets"]);
    if (extents.size() > Shape::kMaxRank)
      bad("tensor {} has rank {}, at most {} is supported", quoted(name), extents.size(), Shape::kMaxRank);
    if (offsets.size() != 2) bad("tensor {}: data_offsets are not a pair", quoted(name));
    const auto [begin, end] = std::pair(offsets[0], offsets[1]);
    if (begin > end || static_cast<uint64_t>(end) > data_size_)
      bad("tensor {}: data_offsets [{}, {}] outside the {} bytes of data (truncated file?)", quoted(name),
          begin, end, data_size_);
    if (byte_size(name, extents, stored) != end - begin)
      bad("tensor {}: {} [{}] does not fill its {} bytes", quoted(name), entry["dtype"].get<std::string>(),
          fmt::join(extents, ", "), end - begin);
    return {name, stored, std::move(extents), begin, end};
  }

  static Tensor read_tensor(const Entry& entry, const std::byte* data) {
    Tensor tensor = Tensor::empty(Shape(std::span<const int64_t>(entry.extents)), entry.stored.dtype);
    const std::byte* from = data + entry.begin;
    if (entry.stored.widened)
      widen(from, tensor, entry.stored.widened);
    else
      copy_bytes(tensor.raw(), kCpu, from, kCpu, tensor.bytes());
    return tensor;
  }

  static void widen(const std::byte* from, const Tensor& to, float (*widened)(uint16_t)) {
    float* values = to.data<float>();
    for (int64_t i = 0; i < to.numel(); ++i) {
      uint16_t bits = 0;
      std::memcpy(&bits, from + i * static_cast<int64_t>(sizeof bits), sizeof bits);
      values[i] = widened(bits);
    }
  }

  Stored read_dtype(const std::string& name, const json& value) const {
    if (!value.is_string()) bad("tensor {}: dtype is not a string", quoted(name));
    const std::string text = value.get<std::string>();
    if (text == "F16") return {DType::f32, from_f16};
    if (text == "BF16") return {DType::f32, from_bf16};
    for (size_t i = 0; i < std::size(kTypeNames); ++i)
      if (text == kTypeNames[i]) return {static_cast<DType>(i)};
    bad("tensor {}: unsupported dtype {}", quoted(name), quoted(text));
  }

  std::vector<int64_t> read_integers(const std::string& name, std::string_view what, const json& list) const {
    if (!list.is_array()) bad("tensor {}: {} is not a list", quoted(name), what);
    std::vector<int64_t> values;
    for (const json& item : list) {
      if (!item.is_number_unsigned() || item.get<uint64_t>() > INT64_MAX)
        bad("tensor {}: {} holds something else than non-negative integers", quoted(name), what);
      values.push_back(item.get<int64_t>());
    }
    return values;
  }

  int64_t byte_size(const std::string& name, std::span<const int64_t> extents, Stored stored) const {
    auto bytes = static_cast<int64_t>(stored.bytes());
    for (const int64_t extent : extents)
      if (__builtin_mul_overflow(bytes, extent, &bytes))
        bad("tensor {}: shape [{}] is too large", quoted(name), fmt::join(extents, ", "));
    return bytes;
  }

  /// Every data byte belongs to exactly one tensor.
  void check_layout() const {
    std::vector<std::pair<int64_t, int64_t>> ranges;
    for (const Entry& entry : entries_) ranges.emplace_back(entry.begin, entry.end);
    std::sort(ranges.begin(), ranges.end());
    int64_t expected = 0;
    for (const auto& [begin, end] : ranges) {
      if (begin != expected)
        bad("data_offsets {} at byte {}", begin < expected ? "overlap" : "leave a hole",
            std::min(begin, expected));
      expected = end;
    }
    if (static_cast<uint64_t>(expected) != data_size_)
      bad("{} bytes of data belong to no tensor", data_size_ - static_cast<uint64_t>(expected));
  }

  fs::path path_;
  uint64_t data_begin_ = 0, data_size_ = 0;
  std::vector<Entry> entries_;
};

/// The header, padded with spaces so that the data after it are 8-byte aligned.
std::string header_text(const SafeTensors& content) {
  json header = json::object();
  if (!content.metadata.empty()) header[kMetadata] = content.metadata;
  size_t offset = 0;
  for (const auto& [name, tensor] : content.tensors) {
    VAE_CHECK(tensor.defined() && name != kMetadata, "cannot save tensor {}: undefined or reserved name",
              quoted(name));
    header[name] = {{"dtype", kTypeNames[static_cast<int>(tensor.dtype())]},
                    {"shape", tensor.shape().extents()},
                    {"data_offsets", {offset, offset + tensor.bytes()}}};
    offset += tensor.bytes();
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

}  // namespace

std::string quoted(const std::string& name) {
  std::string text = json(name).dump(-1, ' ', true, json::error_handler_t::replace);
  return text.size() <= 100 ? text : text.substr(0, 96) + "...\"";
}

const Tensor& SafeTensors::at(const std::string& name) const {
  const auto it = tensors.find(name);
  if (it == tensors.end())
    fail(ErrorKind::data, "{}no tensor {}", file.empty() ? "" : file.string() + ": ", quoted(name));
  return it->second;
}

SafeTensors load_safetensors(const fs::path& path) { return Reader(path).read(); }

void save_safetensors(const fs::path& path, const SafeTensors& content) {
  std::string header;
  try {
    header = header_text(content);
  } catch (const json::exception& error) {
    fail(ErrorKind::internal, "cannot save {}: {}", path.string(), error.what());  // a name that is not UTF-8
  }
  size_t size = kPrefix + header.size();
  for (const auto& [name, tensor] : content.tensors) size += tensor.bytes();
  std::vector<std::byte> file(size);
  const uint64_t length = header.size();
  std::memcpy(file.data(), &length, kPrefix);
  std::memcpy(file.data() + kPrefix, header.data(), header.size());
  std::byte* to = file.data() + kPrefix + header.size();
  for (const auto& [name, tensor] : content.tensors) {
    copy_bytes(to, kCpu, tensor.raw(), tensor.device(), tensor.bytes());
    to += tensor.bytes();
  }
  write_file_atomically(path, file);
}

}  // namespace vae
