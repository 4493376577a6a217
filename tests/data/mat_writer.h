#pragma once
// MATLAB's level-5 files, made element by element, so that anything in them can be made wrong.
#include <string>
#include <vector>

#include "tests/data/pictures.h"

namespace vae::test {

struct MatWriter {
  bool big_endian = false;

  std::string word(uint32_t value) const {
    return big_endian ? test::big_endian(value) : little_endian(value);
  }
  /// A tag and its content, padded to eight bytes; short contents of names within the tag, as MATLAB does.
  std::string element(uint32_t type, const std::string& content) const {
    if (type == 1 && content.size() <= 4)
      return word(static_cast<uint32_t>(content.size()) << 16 | type) + content +
             std::string(4 - content.size(), '\0');
    return word(type) + word(static_cast<uint32_t>(content.size())) + content +
           std::string((8 - content.size() % 8) % 8, '\0');
  }
  /// A variable of a class, its numbers stored as a type.
  std::string matrix(const std::string& name, uint32_t array_class, const std::vector<uint32_t>& dimensions,
                     uint32_t type, const std::string& numbers) const {
    std::string extents;
    for (const uint32_t extent : dimensions) extents += word(extent);
    const std::string content = element(6, word(array_class) + word(0)) + element(5, extents) +
                                element(1, name) + element(type, numbers);
    return word(14) + word(static_cast<uint32_t>(content.size())) + content;
  }
  std::string packed(const std::string& matrix) const {
    const std::string stream = zlib_stream(matrix);
    return word(15) + word(static_cast<uint32_t>(stream.size())) + stream;
  }
  std::string file(const std::string& elements) const {
    std::string header = "MATLAB 5.0 MAT-file, of a test";
    header.resize(124, ' ');
    return header + (big_endian ? std::string("\1\0MI", 4) : std::string("\0\1IM", 4)) + elements;
  }
};

}  // namespace vae::test
