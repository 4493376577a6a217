#pragma once
// SHA-256, to tell data sets apart and to check downloads, and MD5 for downloads that nothing else is known
// of.
#include <memory>
#include <span>
#include <string>

namespace vae::data {

/// SHA-256 of a sequence of byte blocks.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::span<const std::byte> block);
  /// The digest in 64 lower-case hexadecimal characters; call once, last.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// SHA-256 of one block, in hexadecimal.
std::string sha256_hex(std::span<const std::byte> content);
/// MD5 of one block, in 32 hexadecimal characters.
std::string md5_hex(std::span<const std::byte> content);

}  // namespace vae::data
