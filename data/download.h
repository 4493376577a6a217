#pragma once
// Fetching the published data sets, checked against their known digests before they appear under their names.
#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/load.h"

namespace vae::data {

/// The names of the sets that are published.
inline constexpr std::array kPublishedNames{"mnist", "fashion-mnist", "cifar10", "cifar100", "svhn"};

/// What a published file is known by. MNIST by its content, so that a mirror may pack it anew;
/// Fashion-MNIST by its .gz file, the only thing checksums are published for; the others as they are.
enum class KnownBy { content, packed, file };

struct PublishedFile {
  const char* name;       ///< without the ".gz" of a file that is unpacked
  size_t unpacked_bytes;  ///< of such a file
  const char* digest;     ///< SHA-256, or MD5 by its length
  KnownBy known_by = KnownBy::content;

  std::string stored_name() const { return known_by == KnownBy::file ? name : std::string(name) + ".gz"; }
};

/// The files of a published set, those of the training images first; throws Error(usage) for another name.
std::span<const PublishedFile> published_files(std::string_view name);

/// Why the bytes of a file, plain or .gz, are not the published ones; empty if they are. What no checksum is
/// known for, a plain file of Fashion-MNIST, is not.
std::string difference(std::span<const std::byte> content, const PublishedFile& file);

/// Called now and then with a file's name, bytes so far and bytes in all (0 if unknown); with zeros, once,
/// before it waits for another process that fetches the file.
using DownloadProgress = std::function<void(const std::string& name, int64_t done, int64_t total)>;

/// Fetches `url` (http, https, file) to `target` through target.part, which a later call resumes after an
/// interruption. Processes that fetch the same target take turns: the later one verifies what it finds. A
/// redirect leads from https to https alone, and never to a file. `target` appears complete and verified or
/// not at all. Throws Error(io) naming the URL or the file when transfer or writing fails, Error(data) when
/// what arrives, or is there, is not the published file.
void fetch_published(const std::string& url, const std::filesystem::path& target, const PublishedFile& file,
                     const DownloadProgress& progress = {});

struct DownloadOptions {
  std::string name = "mnist";
  std::filesystem::path data_dir{};  ///< made if missing; default: the first of data_roots()
  std::string mirror{};              ///< URL of the folder with the files; default: the public one
};

/// Downloads what is missing of a data set into the folder NAME of the root and returns that folder. Files
/// that are there are verified first; one with other content, or a plain one of Fashion-MNIST without its .gz
/// beside it, is left alone and reported as Error(data) before anything is fetched.
std::filesystem::path download_dataset(const DownloadOptions& options, const DownloadProgress& progress = {});

/// Whether the files that load_dataset() finds for a published set are the published ones; those of CIFAR are
/// by the archive beside them, which must hold the same. Throws Error(data) "not the published files", naming
/// the first that is not; Error(usage) for another name.
void check_published(const DatasetOptions& options);

}  // namespace vae::data
