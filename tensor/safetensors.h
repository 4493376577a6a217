#pragma once
// The safetensors container: 8 bytes little-endian header length, JSON header, tensor bytes.
#include <filesystem>
#include <map>
#include <string>

#include "tensor/tensor.h"

namespace vae {

struct SafeTensors {
  std::map<std::string, Tensor> tensors;        ///< on the host
  std::map<std::string, std::string> metadata;  ///< the "__metadata__" entry
  std::filesystem::path file = {};              ///< they were read from, if any

  /// The tensor of that name; throws Error(data) naming file and tensor when absent.
  const Tensor& at(const std::string& name) const;
  bool contains(const std::string& name) const { return tensors.count(name) != 0; }
};

/// Reads and fully validates a file (F32, F64, I32, I64, U8; F16 and BF16 become f32, exactly). Throws
/// Error(io) when it cannot be read and Error(data) when it is malformed: bad header length, bad JSON,
/// unknown dtype, negative or overflowing shape, offsets that overlap, leave holes or exceed the file, sizes
/// that do not match shape and dtype.
SafeTensors load_safetensors(const std::filesystem::path& path);

/// Writes atomically (file.h), tensors in name order, 8-byte aligned data. Tensors may live on any device.
void save_safetensors(const std::filesystem::path& path, const SafeTensors& content);

/// A name out of a file, quoted, escaped and shortened for a one-line message.
std::string quoted(const std::string& name);

}  // namespace vae
