#include "data/idx.h"

#include <algorithm>
#include <array>
#include <functional>

#include "data/bytes.h"
#include "data/dataset.h"
#include "data/gzip.h"
#include "tensor/file.h"

namespace vae::data {
namespace {

constexpr size_t kMaxHeader = 4 + 4 * Shape::kMaxRank;
constexpr size_t kMaxPackedHead = 1 << 16;  // of a packed file: its header unpacks from less
constexpr uint64_t kMaxDeflateRatio =
    1032;  // no deflate stream unpacks to more than this many times its size
constexpr uint64_t kMaxClaim = uint64_t{1} << 58;  // whose bytes can be counted in every type

/// Looks at what a header claims, before its elements are read.
using CheckIdx = std::function<void(const Shape&, DType)>;

struct Header {
  Shape shape;
  size_t element = 1;  ///< bytes: 1 for unsigned bytes, 4 for signed integers
  size_t bytes() const { return 4 + 4 * static_cast<size_t>(shape.rank()); }
};

/// An IDX header, of which `head` holds the beginning.
Header parse_header(std::span<const std::byte> head, const std::string& name) {
  if (head.empty()) fail(ErrorKind::data, "{}: file is empty", name);
  if (head.size() < 4) fail(ErrorKind::data, "{}: {} bytes are too short for an IDX file", name, head.size());
  const uint32_t magic = big_endian32(head.data());
  const int rank = static_cast<int>(magic & 0xff);
  if (magic >> 16 != 0)
    fail(ErrorKind::data, "{}: wrong magic number {:#010x}, not an IDX file", name, magic);
  if (magic >> 8 != 0x08 && magic >> 8 != 0x0c)
    fail(ErrorKind::data, "{}: IDX element type {:#04x}, expected 0x08 (unsigned byte) or 0x0c (integer)",
         name, magic >> 8);
  if (rank < 1 || rank > Shape::kMaxRank)
    fail(ErrorKind::data, "{}: IDX rank {}, expected 1 to {}", name, rank, Shape::kMaxRank);
  if (head.size() < 4 + 4 * static_cast<size_t>(rank))
    fail(ErrorKind::data, "{}: file ends inside the IDX header", name);
  std::array<int64_t, Shape::kMaxRank> extents{};
  for (int i = 0; i < rank; ++i) extents[i] = big_endian32(&head[4 + 4 * i]);
  return {Shape(std::span<const int64_t>(extents.data(), rank)), size_t{magic >> 8 == 0x0c ? 4u : 1u}};
}

/// Bytes of the elements that the header claims; throws if they are more than a file of at most `limit` can
/// hold.
uint64_t claimed_bytes(const Header& header, uint64_t limit, const std::string& name) {
  uint64_t count = header.element;
  bool fits = true, empty = false;
  for (const int64_t extent : header.shape.extents()) {
    empty = empty || extent == 0;
    fits = fits &&
           !__builtin_mul_overflow(count, static_cast<uint64_t>(std::max<int64_t>(extent, 1)), &count) &&
           count <= kMaxClaim;
  }
  if (!fits || (!empty && count > limit))  // beside an extent of 0 the others count, too
    fail(ErrorKind::data, "{}: header claims shape {}, the file is too short for that", name,
         header.shape.str());
  return empty ? 0 : count;
}

void check_length(uint64_t claimed, uint64_t there, const Header& header, const std::string& name) {
  if (there != claimed)
    fail(ErrorKind::data, "{}: {} bytes follow the {} elements of shape {}", name, there - claimed,
         header.shape.numel(), header.shape.str());
}

/// The elements of a whole file.
Tensor tensor_of(std::span<const std::byte> content, const Header& header, const std::string& name) {
  const auto values = content.subspan(std::min(content.size(), header.bytes()));
  check_length(claimed_bytes(header, values.size(), name), values.size(), header, name);
  if (header.element == 1)
    return Tensor::from(std::span(reinterpret_cast<const uint8_t*>(values.data()), values.size()),
                        header.shape);
  Tensor integers = Tensor::empty(header.shape, DType::i64);
  for (int64_t i = 0; i < integers.numel(); ++i)
    integers.data<int64_t>()[i] = static_cast<int32_t>(big_endian32(&values[4 * i]));
  return integers;
}

/// A file, read once its header and its size are found right.
Tensor read_elements(const std::filesystem::path& path, const CheckIdx& check) {
  const std::string name = path.string();
  const FileHead head = read_head(path, kMaxPackedHead);
  const bool packed = is_gzip(head.bytes);
  const auto begin = packed ? gunzip_head(head.bytes, kMaxHeader, name) : head.bytes;
  const Header header = parse_header(std::span(begin).first(std::min(begin.size(), kMaxHeader)), name);
  const uint64_t follow = packed ? std::min(head.size, kMaxClaim / kMaxDeflateRatio) * kMaxDeflateRatio
                                 : head.size - header.bytes();
  const uint64_t bytes = header.bytes() + claimed_bytes(header, follow, name);
  if (!packed) check_length(bytes - header.bytes(), follow, header, name);
  if (check) check(header.shape, header.element == 1 ? DType::u8 : DType::i64);
  if (!packed) return tensor_of(read_file(path, bytes), header, name);
  return tensor_of(gunzip(read_file(path, 2 * bytes + kMaxPackedHead), bytes, name), header, name);
}

}  // namespace

Tensor read_idx(const std::filesystem::path& path) { return read_elements(path, {}); }

Tensor read_idx_images(const std::filesystem::path& path, const CheckImages& check) {
  Shape images;
  const Tensor stored = read_elements(path, [&](const Shape& shape, DType dtype) {
    if (dtype != DType::u8)
      fail(ErrorKind::data, "{}: images need unsigned bytes, the file has integers", path.string());
    if (shape.rank() != 3 && shape.rank() != 4)
      fail(ErrorKind::data, "{}: images need IDX rank 3 or 4, the file has shape {}", path.string(),
           shape.str());
    images = {shape[0], shape[1], shape[2], shape.rank() == 4 ? shape[3] : 1};
    if (check) check(images);
  });
  return stored.reshape(images);
}

Tensor read_idx_labels(const std::filesystem::path& path, int num_classes, int label_offset,
                       std::optional<int64_t> count) {
  bool is_table = false;
  const Tensor stored = read_elements(path, [&](const Shape& shape, DType dtype) {
    is_table = shape.rank() == 2 && dtype == DType::i64 && shape[1] > 0;
    if (shape.rank() != 1 && !is_table)
      fail(ErrorKind::data, "{}: labels need IDX rank 1, or 2 of integers, the file has shape {}",
           path.string(), shape.str());
    if (count && shape[0] != *count)
      fail(ErrorKind::data, "{}: {} images, but {} labels", path.string(), *count, shape[0]);
  });
  Tensor labels = Tensor::empty({stored.size(0)}, DType::i64);
  const int64_t columns = is_table ? stored.size(1) : 1;
  for (int64_t i = 0; i < labels.numel(); ++i) {
    const int64_t at = i * columns;
    const int64_t label =
        stored.dtype() == DType::u8 ? stored.data<uint8_t>()[at] : stored.data<int64_t>()[at];
    if (label < label_offset || label - label_offset >= num_classes)
      fail_label(fmt::format("{}, item {}", path.string(), i), label, num_classes, label_offset);
    labels.data<int64_t>()[i] = label - label_offset;
  }
  return labels;
}

void write_idx(const std::filesystem::path& path, const Tensor& values) {
  VAE_CHECK(values.dtype() == DType::u8 && values.rank() >= 1, "IDX holds u8 of rank 1 to 6, not {}",
            values.str());
  std::vector<std::byte> content{std::byte{0}, std::byte{0}, std::byte{0x08},
                                 static_cast<std::byte>(values.rank())};
  for (const int64_t extent : values.shape().extents()) {
    VAE_CHECK(extent <= INT64_C(0xffffffff), "IDX cannot hold shape {}", values.shape().str());
    for (int shift = 24; shift >= 0; shift -= 8) content.push_back(static_cast<std::byte>(extent >> shift));
  }
  const auto elements = values.to_vector<uint8_t>();
  const auto bytes = std::as_bytes(std::span(elements));
  content.insert(content.end(), bytes.begin(), bytes.end());
  write_file_atomically(path, path.extension() == ".gz" ? gzip(content) : content);
}

void write_idx_images(const std::filesystem::path& path, const Tensor& images) {
  VAE_CHECK(images.rank() == 4, "images must be [N, H, W, C], not {}", images.str());
  write_idx(path,
            images.size(3) == 1 ? images.reshape({images.size(0), images.size(1), images.size(2)}) : images);
}

void write_idx_labels(const std::filesystem::path& path, const Tensor& labels) {
  Tensor bytes = Tensor::empty(labels.shape(), DType::u8);
  for (int64_t i = 0; i < labels.numel(); ++i) {
    const int64_t label = labels.data<int64_t>()[i];
    VAE_CHECK(label >= 0 && label <= 255, "IDX cannot hold label {}", label);
    bytes.data<uint8_t>()[i] = static_cast<uint8_t>(label);
  }
  write_idx(path, bytes);
}

}  // namespace vae::data
