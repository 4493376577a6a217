#include "tools/common/version.h"

#include <cblas.h>
#include <curl/curl.h>
#include <dnnl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/crypto.h>
#include <zlib.h>

#include <CLI/Version.hpp>
#include <nlohmann/json.hpp>
#include <vector>

#include "commit.h"
#include "nn/parallel/nccl.h"
#ifdef VAE_HAS_CUDA
#include <cuda_runtime_api.h>
#endif
#ifdef VAE_HAS_CUDNN
#include <cudnn.h>
#endif

namespace vae::tool {
namespace {

std::string compiler() {
#ifdef __clang__
  return "Clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

std::string back_ends() {
  std::string names = "CPU";
#ifdef VAE_HAS_CUDA
  int runtime = 0;
  cudaRuntimeGetVersion(&runtime);
  names += fmt::format(", CUDA {}.{} (architectures {})", runtime / 1000, runtime % 1000 / 10,
                       VAE_CUDA_ARCHITECTURES);
#endif
#ifdef VAE_HAS_CUDNN
  const size_t cudnn = cudnnGetVersion(), unit = cudnn < 90000 ? 1000 : 10000;  // of a major version
  names += fmt::format(", cuDNN {}.{}.{}", cudnn / unit, cudnn % unit / 100, cudnn % 100);
#endif
  if (const std::string nccl = parallel::nccl_version(); !nccl.empty()) names += ", NCCL " + nccl;
  return names;
}

/// "0.3.21" of "OpenBLAS 0.3.21 NO_LAPACKE ...".
std::string openblas_version() {
  const std::string text = openblas_get_config();
  const size_t begin = text.find(' ') + 1;
  return text.substr(begin, text.find(' ', begin) - begin);
}

std::vector<std::string> libraries() {
  const dnnl_version_t& dnnl = *dnnl_version();
  return {"OpenBLAS " + openblas_version(),
          fmt::format("oneDNN {}.{}.{}", dnnl.major, dnnl.minor, dnnl.patch),
          fmt::format("zlib {}", zlibVersion()),
          fmt::format("OpenSSL {}", OpenSSL_version(OPENSSL_VERSION_STRING)),
          fmt::format("curl {}", curl_version_info(CURLVERSION_NOW)->version),
          fmt::format("fmt {}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100),
          fmt::format("nlohmann-json {}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                      NLOHMANN_JSON_VERSION_PATCH),
          "CLI11 " CLI11_VERSION};
}

}  // namespace

std::string commit() { return VAE_COMMIT; }

std::vector<std::pair<std::string, std::string>> version_facts() {
  return {{"commit", commit()},
          {"compiler", compiler()},
          {"back ends", back_ends()},
          {"libraries", fmt::format("{}", fmt::join(libraries(), ", "))}};
}

std::string version_text(const std::string& tool) {
  std::string text = fmt::format("{} (vaekit) {}", tool, VAE_VERSION);
  for (const auto& [name, fact] : version_facts()) text += fmt::format("\n{}: {}", name, fact);
  return text;
}

}  // namespace vae::tool
