#include "data/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include "tensor/error.h"

namespace vae::data {
namespace {

std::string hex_of(const unsigned char* digest, unsigned int size) {
  return fmt::format("{:02x}", fmt::join(digest, digest + size, ""));
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  VAE_CHECK(state_->context && EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1,
            "SHA-256 is not available in the crypto library");
}

Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> block) {
  VAE_CHECK(EVP_DigestUpdate(state_->context, block.data(), block.size()) == 1, "SHA-256 update failed");
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  VAE_CHECK(EVP_DigestFinal_ex(state_->context, digest, &size) == 1, "SHA-256 final failed");
  return hex_of(digest, size);
}

std::string sha256_hex(std::span<const std::byte> content) {
  Sha256 hash;
  hash.update(content);
  return hash.hex();
}

std::string md5_hex(std::span<const std::byte> content) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  VAE_CHECK(EVP_Digest(content.data(), content.size(), digest, &size, EVP_md5(), nullptr) == 1,
            "MD5 is not available in the crypto library");
  return hex_of(digest, size);
}

}  // namespace vae::data
