#include "data/mat_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "data/gzip.h"
#include "tensor/error.h"

namespace vae::data {
namespace {

using Bytes = std::span<const std::byte>;

// Numbers of the format: types of elements, classes of arrays.
enum : uint32_t { kInt8 = 1, kInt32 = 5, kUint32 = 6, kUint8 = 2, kMatrix = 14, kCompressed = 15 };
enum : uint32_t { kClassDouble = 6, kClassUint8 = 9, kClassUint64 = 15 };
constexpr uint32_t kComplex = 0x800;
constexpr size_t kHeader = 128;  // of the file
constexpr size_t kMatrixHead =
    1024;  // of a variable: more than flags, 32 dimensions and a name of 63 letters
constexpr size_t kMaxRank = 32, kMaxRatio = 1032;  // of deflate
constexpr size_t kShown = 8;                       // names of variables in an error

/// Bytes of an element of a type of numbers, 0 of another.
size_t size_of(uint32_t type) {
  constexpr size_t kSizes[] = {0, 1, 1, 2, 2, 4, 4, 4, 0, 8, 0, 0, 8, 8};
  return type < std::size(kSizes) ? kSizes[type] : 0;
}

template <class T>
T number(const std::byte* p, bool big_endian) {
  std::byte bytes[sizeof(T)];
  std::copy_n(p, sizeof(T), bytes);
  if (big_endian) std::reverse(bytes, bytes + sizeof(T));
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

struct Element {
  uint32_t type;
  Bytes content;
};

/// A sequence of elements, each a tag of type and size before its content.
class Elements {
 public:
  Elements(Bytes bytes, bool big_endian, const std::string& where)
      : rest_(bytes), big_endian_(big_endian), where_(where) {}

  bool done() const { return rest_.empty(); }

  /// Sizes are rounded up to eight bytes where elements are padded.
  Element next(bool padded = true) {
    if (rest_.size() < 8) fail(ErrorKind::data, "{}: ends inside the tag of an element", where_);
    const uint32_t first = word(0);
    if (first >> 16 != 0) {  // up to four bytes within the tag
      const size_t size = first >> 16;
      if (size > 4) fail(ErrorKind::data, "{}: damaged, a small element of {} bytes", where_, size);
      return {first & 0xffff, take(8).subspan(4, size)};
    }
    const size_t size = word(4), whole = padded ? (size + 7) / 8 * 8 : size;
    take(8);
    if (size > rest_.size())
      fail(ErrorKind::data, "{}: an element claims {} bytes, {} are there", where_, size, rest_.size());
    return {first, take(std::min(whole, rest_.size())).first(size)};
  }
  Element next_of(uint32_t type, const char* what) {
    const Element element = next();
    if (element.type != type)
      fail(ErrorKind::data, "{}: damaged, {} of type {} instead of {}", where_, what, element.type, type);
    return element;
  }
  uint32_t word(size_t at) const { return number<uint32_t>(&rest_[at], big_endian_); }

 private:
  Bytes take(size_t count) {
    const Bytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  Bytes rest_;
  bool big_endian_;
  const std::string& where_;
};

/// What stands before the numbers of a variable.
struct MatrixHead {
  uint32_t array_class = 0, flags = 0;
  std::vector<int64_t> dimensions;
  std::string name;
};

MatrixHead read_head(Elements& elements, bool big_endian, const std::string& where) {
  MatrixHead head;
  const Bytes flags = elements.next_of(kUint32, "the flags of a variable").content;
  if (flags.size() != 8) fail(ErrorKind::data, "{}: damaged, flags of {} bytes", where, flags.size());
  head.flags = number<uint32_t>(flags.data(), big_endian);
  head.array_class = head.flags & 0xff;
  const Bytes extents = elements.next_of(kInt32, "the dimensions of a variable").content;
  if (extents.size() % 4 != 0 || extents.size() < 8 || extents.size() > 4 * kMaxRank)
    fail(ErrorKind::data, "{}: damaged, dimensions of {} bytes", where, extents.size());
  for (size_t i = 0; i < extents.size(); i += 4)
    head.dimensions.push_back(number<int32_t>(&extents[i], big_endian));
  const Bytes name = elements.next_of(kInt8, "the name of a variable").content;
  head.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  return head;
}

/// A name in quotes as far as it can be shown.
std::string shown(const std::string& name) {
  std::string text = name.substr(0, 63);
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
  return "'" + text + "'";
}

/// One variable in the file.
class Variable {
 public:
  Variable(const Element& element, bool big_endian, const std::string& where)
      : big_endian_(big_endian), where_(where), stored_(element) {
    if (stored_.type == kCompressed)
      unpacked_ = unzlib_head(stored_.content, kMatrixHead, where_);
    else if (stored_.type != kMatrix)
      fail(ErrorKind::data, "{}: damaged, an element of type {} where a variable begins", where_,
           stored_.type);
    Elements elements(content(kMatrixHead), big_endian_, where_);
    head_ = read_head(elements, big_endian_, where_);
  }
  const std::string& name() const { return head_.name; }

  MatArray read(uint64_t most) {
    if (stored_.type == kCompressed) {
      const size_t claimed = size_t{8} + number<uint32_t>(&unpacked_[4], big_endian_);
      if (claimed / kMaxRatio > stored_.content.size())
        fail(ErrorKind::data, "{}: '{}' claims {} bytes, more than its {} packed ones can hold", where_,
             name(), claimed, stored_.content.size());
      if (claimed > std::min(most, most_bytes()))
        fail(ErrorKind::data, "{}: '{}' claims {} bytes, expected {} at most", where_, name(), claimed,
             std::min(most, most_bytes()));
      unpacked_ = unzlib(stored_.content, claimed, where_);
      if (unpacked_.size() != claimed)
        fail(ErrorKind::data, "{}: '{}' claims {} bytes, {} are there", where_, name(), claimed,
             unpacked_.size());
    }
    Elements elements(content(SIZE_MAX), big_endian_, where_);
    const auto [array_class, flags, dimensions, name] = read_head(elements, big_endian_, where_);
    if (array_class < kClassDouble || array_class > kClassUint64 || (flags & kComplex) != 0)
      fail(ErrorKind::data, "{}: '{}' is no array of real numbers", where_, name);
    const Element numbers = elements.next();
    if (size_of(numbers.type) == 0)
      fail(ErrorKind::data, "{}: damaged, '{}' is stored as type {}", where_, name, numbers.type);
    uint64_t bytes = size_of(numbers.type);
    for (const int64_t extent : dimensions)
      if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(extent), &bytes))
        fail(ErrorKind::data, "{}: '{}' cannot be {}", where_, name, fmt::join(dimensions, "x"));
    if (bytes != numbers.content.size())
      fail(ErrorKind::data, "{}: '{}' is {}, which are {} bytes, but {} are there", where_, name,
           fmt::join(dimensions, "x"), bytes, numbers.content.size());
    return {dimensions,
            static_cast<int>(numbers.type),
            array_class == kClassUint8 && numbers.type == kUint8,
            big_endian_,
            {numbers.content.begin(), numbers.content.end()}};
  }

 private:
  /// Of a matrix of these dimensions; those that cannot be are refused later.
  uint64_t most_bytes() const {
    uint64_t bytes = sizeof(double);
    for (const int64_t extent : head_.dimensions)
      if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(extent), &bytes))
        return UINT64_MAX;
    return bytes > UINT64_MAX - kMatrixHead ? UINT64_MAX : bytes + kMatrixHead;
  }
  /// Of the matrix, as far as it is unpacked, but no more than `most`.
  Bytes content(size_t most) const {
    Bytes bytes = stored_.content;
    if (stored_.type == kCompressed) {
      bytes = unpacked_;
      if (bytes.size() < 8 || number<uint32_t>(bytes.data(), big_endian_) != kMatrix)
        fail(ErrorKind::data, "{}: damaged, no variable in a packed element", where_);
      bytes = bytes.subspan(8);
    }
    return bytes.first(std::min(most, bytes.size()));
  }
  bool big_endian_;
  const std::string& where_;
  Element stored_;
  std::vector<std::byte> unpacked_;
  MatrixHead head_;
};

/// Checks the header of the file; whether it is big-endian.
bool read_file_header(Bytes file, const std::string& where) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  constexpr std::string_view kHdf5 = "\x89HDF\r\n\x1a\n";
  if (file.empty()) fail(ErrorKind::data, "{}: file is empty", where);
  if (text.starts_with(kHdf5) || text.substr(std::min<size_t>(512, text.size())).starts_with(kHdf5) ||
      text.starts_with("MATLAB 7.3"))
    fail(ErrorKind::data, "{}: a MATLAB 7.3 file (HDF5), which is not read: save it with -v7", where);
  if (file.size() < kHeader || (text.substr(126, 2) != "IM" && text.substr(126, 2) != "MI"))
    fail(ErrorKind::data, "{}: not a MATLAB level-5 file", where);
  const bool big_endian = text[126] == 'M';
  const auto version = number<uint16_t>(&file[124], big_endian);
  if (version != 0x0100)
    fail(ErrorKind::data, "{}: a MATLAB file of version {:#06x}, expected 0x0100", where, version);
  return big_endian;
}

}  // namespace

int64_t MatArray::numel() const {
  return static_cast<int64_t>(content.size() / size_of(static_cast<uint32_t>(type)));
}

double MatArray::at(int64_t i) const {
  const std::byte* p = &content[static_cast<size_t>(i) * size_of(static_cast<uint32_t>(type))];
  const auto as = [&](auto zero) { return static_cast<double>(number<decltype(zero)>(p, big_endian)); };
  switch (type) {
    case 1:
      return as(int8_t{});
    case 2:
      return as(uint8_t{});
    case 3:
      return as(int16_t{});
    case 4:
      return as(uint16_t{});
    case 5:
      return as(int32_t{});
    case 6:
      return as(uint32_t{});
    case 7:
      return as(float{});
    case 9:
      return as(double{});
    case 12:
      return as(int64_t{});
    default:
      return as(uint64_t{});
  }
}

std::vector<MatArray> read_mat(Bytes file, const std::vector<std::string>& variables,
                               const std::string& where, uint64_t most) {
  const bool big_endian = read_file_header(file, where);
  std::vector<std::optional<MatArray>> found(variables.size());
  std::vector<std::string> names;
  for (Elements elements(file.subspan(kHeader), big_endian, where); !elements.done();) {
    Variable variable(elements.next(false), big_endian, where);
    const auto wanted = std::ranges::find(variables, variable.name());
    if (names.size() < kShown) names.push_back(shown(variable.name()));
    if (wanted == variables.end()) continue;
    auto& array = found[static_cast<size_t>(wanted - variables.begin())];
    if (array) fail(ErrorKind::data, "{}: two variables '{}'", where, variable.name());
    array = variable.read(most);
  }
  std::vector<MatArray> arrays;
  for (size_t i = 0; i < variables.size(); ++i) {
    if (!found[i])
      fail(ErrorKind::data, "{}: no variable '{}', it has {}", where, variables[i],
           names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
    arrays.push_back(std::move(*found[i]));
  }
  return arrays;
}

}  // namespace vae::data
