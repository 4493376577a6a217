#pragma once
// Arrays of numbers in MATLAB's level-5 files (versions 5 to 7): little- or big-endian, plain or compressed.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vae::data {

struct MatArray {
  std::vector<int64_t> dimensions;  ///< at least two; the first varies fastest
  int type = 0;                     ///< of the elements as they are stored, a number of the format
  bool is_uint8 = false;            ///< MATLAB's class, and stored so
  bool big_endian = false;
  std::vector<std::byte> content;

  int64_t numel() const;
  double at(int64_t i) const;
};

/// The variables of those names in the bytes of a whole file, in the order of the names. `where` is the name
/// of the file, for errors. Throws Error(data) if it is of another format (version 7.3, which is HDF5, is
/// named) or damaged, if a variable is not there, no array of real numbers, or unpacks to more than `most`
/// bytes or than its dimensions need. No memory is taken for a claim that the file cannot hold.
std::vector<MatArray> read_mat(std::span<const std::byte> file, const std::vector<std::string>& variables,
                               const std::string& where, uint64_t most = UINT64_MAX);

}  // namespace vae::data
