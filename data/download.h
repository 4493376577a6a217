#pragma once
// Fetching the published data sets, checked against their known sizes and SHA-256 before they appear under
// their names.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace vae::data {

/// What a published IDX file must be. MNIST is known by its content, so that a mirror may pack it anew;
/// Fashion-MNIST by its .gz file, the only thing checksums are published for.
struct PublishedFile {
  const char* name;  ///< without ".gz"
  size_t unpacked_bytes;
  const char* sha256;
  bool sha256_of_packed;
};

/// The files of "mnist" or "fashion-mnist"; throws Error(usage) for another name.
std::span<const PublishedFile> published_files(const std::string& name);

/// Why the bytes of a plain or .gz file are not the published ones; empty if they are. Of a plain file whose
/// checksum is only known packed, the size has to do.
std::string difference(std::span<const std::byte> content, const PublishedFile& file);

/// Called now and then with a file's name, bytes so far and bytes in all (0 if unknown).
using DownloadProgress = std::function<void(const std::string& name, int64_t done, int64_t total)>;

/// Fetches `url` (http, https, file) to `target` through target.part, which a later call resumes after an
/// interruption. `target` appears complete and verified or not at all. Throws Error(io) naming the URL or the
/// file when transfer or writing fails, Error(data) when what arrives is not the published file.
void fetch_published(const std::string& url, const std::filesystem::path& target, const PublishedFile& file,
                     const DownloadProgress& progress = {});

struct DownloadOptions {
  std::string name = "mnist";
  std::filesystem::path data_dir{};  ///< made if missing; default: the first of data_roots()
  std::string mirror{};              ///< URL of the folder with the .gz files; default: the public one
};

/// Downloads what is missing of a data set into the folder NAME of the root and returns that folder. Files
/// that are there are verified; a file with other content is left alone and reported as Error(data).
std::filesystem::path download_dataset(const DownloadOptions& options, const DownloadProgress& progress = {});

}  // namespace vae::data
