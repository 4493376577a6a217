#include "data/download.h"

#include <curl/curl.h>
#include <fmt/ranges.h>
#include <strings.h>

#include <array>
#include <cstring>
#include <memory>

#include "data/cifar.h"
#include "data/digest.h"
#include "data/gzip.h"
#include "data/part_file.h"
#include "tensor/error.h"
#include "tensor/file.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxDownload = size_t{256} << 20;  // far above every published file

constexpr std::array<PublishedFile, 4> kMnist = {{
    {"train-images-idx3-ubyte", 47040016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
    {"train-labels-idx1-ubyte", 60008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
    {"t10k-images-idx3-ubyte", 7840016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
    {"t10k-labels-idx1-ubyte", 10008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
}};
constexpr std::array<PublishedFile, 4> kFashionMnist = {{
    {"train-images-idx3-ubyte", 47040016, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
     KnownBy::packed},
    {"train-labels-idx1-ubyte", 60008, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
     KnownBy::packed},
    {"t10k-images-idx3-ubyte", 7840016, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
     KnownBy::packed},
    {"t10k-labels-idx1-ubyte", 10008, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
     KnownBy::packed},
}};

constexpr std::array<PublishedFile, 1> kCifar10 = {
    {{"cifar-10-binary.tar.gz", 0, "c32a1d4ab5d03f1284b67883e8d87530", KnownBy::file}}};
constexpr std::array<PublishedFile, 1> kCifar100 = {
    {{"cifar-100-binary.tar.gz", 0, "03b5dce01913d631647c71ecec9e9cb8", KnownBy::file}}};
constexpr std::array<PublishedFile, 2> kSvhn = {
    {{"train_32x32.mat", 0, "e26dedcc434d2e4c54c9b2d4a06d8373", KnownBy::file},
     {"test_32x32.mat", 0, "eb5a983be6a315427106f1b164d9cef3", KnownBy::file}}};

std::string default_mirror(const std::string& name) {
  if (name == "mnist") return "https://ossci-datasets.s3.amazonaws.com/mnist";
  if (name == "fashion-mnist")
    return "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion";
  if (name == "svhn") return "http://ufldl.stanford.edu/housenumbers";
  return "https://www.cs.toronto.edu/~kriz";
}

/// Why the digest of some bytes is another; empty if it is that one.
std::string difference_of_digest(std::span<const std::byte> bytes, const std::string& expected) {
  const bool md5 = expected.size() == 32;
  const std::string digest = md5 ? md5_hex(bytes) : sha256_hex(bytes);
  return digest == expected
             ? ""
             : fmt::format("its {} is {}, expected {}", md5 ? "MD5" : "SHA-256", digest, expected);
}

struct Transfer {
  PartFile& part;
  std::string name;
  const DownloadProgress& progress;
  int64_t before = static_cast<int64_t>(part.content().size());  // bytes of an earlier, interrupted transfer
  int write_error = 0;                                           // errno
};

size_t write_block(const char* bytes, size_t size, size_t count, void* context) {
  auto* transfer = static_cast<Transfer*>(context);
  transfer->write_error = transfer->part.append(std::as_bytes(std::span(bytes, size * count)));
  return transfer->write_error == 0 ? size * count : 0;
}

int report_progress(void* context, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
  const auto* transfer = static_cast<Transfer*>(context);
  if (transfer->progress && done > 0)
    transfer->progress(transfer->name, transfer->before + done, total > 0 ? transfer->before + total : 0);
  return 0;
}

/// Where a redirect may lead: never from a secured connection to an open one, never to a file.
const char* redirect_protocols(const std::string& url) {
  return ::strncasecmp(url.c_str(), "http:", 5) == 0 ? "http,https" : "https";
}

void configure(CURL* curl, const std::string& url, Transfer& transfer, char* message) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, redirect_protocols(url));
  curl_easy_setopt(curl, CURLOPT_DEFAULT_PROTOCOL, "https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);
  curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.before));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, write_block);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, report_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
}

/// Appends what `url` holds beyond the bytes that `part` has. Returns quietly when the server cannot continue
/// there (ranges unknown, or nothing left): whether the file is complete is for its checksum to say.
void transfer_rest(const std::string& url, PartFile& part, const std::string& name,
                   const DownloadProgress& progress) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  VAE_CHECK(ready == CURLE_OK && curl, "libcurl cannot start");
  Transfer transfer{part, name, progress};
  char message[CURL_ERROR_SIZE] = "";
  configure(curl.get(), url, transfer, message);
  const CURLcode status = curl_easy_perform(curl.get());
  if (transfer.write_error != 0)
    fail(ErrorKind::io, "{}: cannot be written ({})", part.path().string(),
         std::strerror(transfer.write_error));
  long http_status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &http_status);
  const bool cannot_resume =
      status == CURLE_RANGE_ERROR || status == CURLE_BAD_DOWNLOAD_RESUME || http_status == 416;
  if (status == CURLE_OK || (transfer.before > 0 && cannot_resume)) return;
  fail(ErrorKind::io, "{}: download failed ({})", url, *message ? message : curl_easy_strerror(status));
}

/// Why a file is not the published one; empty if it is. One that is known packed alone may have the packed
/// file beside it as a witness.
std::string difference_of_file(const fs::path& path, const PublishedFile& file) {
  const std::vector<std::byte> content = read_file(path, kMaxDownload);
  const fs::path packed = path.string() + ".gz";
  std::error_code error;
  if (file.known_by == KnownBy::packed && !is_gzip(content) && fs::exists(packed, error)) {
    const std::vector<std::byte> witness = read_file(packed, kMaxDownload);
    if (is_gzip(witness) && difference(witness, file).empty() &&
        gunzip(witness, file.unpacked_bytes, packed.string()) == content)
      return "";
  }
  return difference(content, file);
}

/// Why the files of a part may not be those of the archive beside them; empty if they are.
std::string difference_of_unpacked(const std::string& name, Part part, const FoundFiles& found) {
  if (found.archive.empty()) return "it cannot be verified, since a checksum is known of the archive only";
  const FoundFiles in_archive{found.folder, {}, found.archive};
  if (read_cifar(name, part, found).sha256 == read_cifar(name, part, in_archive).sha256) return "";
  return fmt::format("the {} images are not those of {}", name_of(part), found.archive.string());
}

void check_present(const fs::path& path, const PublishedFile& file) {
  if (const auto problem = difference_of_file(path, file); !problem.empty())
    fail(ErrorKind::data, "{}: exists, but is not the published file: {}", path.string(), problem);
}

}  // namespace

std::span<const PublishedFile> published_files(std::string_view name) {
  if (name == "mnist") return kMnist;
  if (name == "fashion-mnist") return kFashionMnist;
  if (name == "cifar10") return kCifar10;
  if (name == "cifar100") return kCifar100;
  if (name == "svhn") return kSvhn;
  fail(ErrorKind::usage, "'{}' cannot be downloaded, expected one of {}", name,
       fmt::join(kPublishedNames, ", "));
}

std::string difference(std::span<const std::byte> content, const PublishedFile& file) {
  if (content.empty()) return "it is empty";
  if (file.known_by == KnownBy::file) return difference_of_digest(content, file.digest);
  try {
    std::vector<std::byte> unpacked;
    const bool packed = is_gzip(content);
    if (packed) unpacked = gunzip(content, file.unpacked_bytes, file.name);
    const std::span<const std::byte> plain = packed ? unpacked : content;
    if (plain.size() != file.unpacked_bytes)
      return fmt::format("it holds {} bytes, expected {}", plain.size(), file.unpacked_bytes);
    if (file.known_by == KnownBy::content) return difference_of_digest(plain, file.digest);
    if (packed) return difference_of_digest(content, file.digest);
    return "it cannot be verified, since it is unpacked and a checksum is known of the packed file only";
  } catch (const Error& e) {
    return e.what();
  }
}

void fetch_published(const std::string& url, const fs::path& target, const PublishedFile& file,
                     const DownloadProgress& progress) {
  const std::string name = target.filename().string();
  PartFile part(target.string() + ".part", kMaxDownload, [&] {
    if (progress) progress(name, 0, 0);
  });
  std::error_code error;
  if (fs::exists(target, error)) {  // by the process that we waited for
    part.clear();
    return check_present(target, file);
  }
  const bool resumed = !part.content().empty();
  transfer_rest(url, part, name, progress);
  std::string problem = difference(part.content(), file);
  if (resumed && !problem.empty()) {  // the leftover may be of another file: once more from the start
    part.clear();
    transfer_rest(url, part, name, progress);
    problem = difference(part.content(), file);
  }
  if (problem.empty()) write_file_atomically(target, part.content());
  part.clear();
  if (!problem.empty()) fail(ErrorKind::data, "{}: not the published file: {}", url, problem);
}

fs::path download_dataset(const DownloadOptions& options, const DownloadProgress& progress) {
  const auto files = published_files(options.name);
  const fs::path root = options.data_dir.empty() ? data_roots({}).front() : options.data_dir;
  const fs::path folder = root / options.name;
  std::string mirror = options.mirror.empty() ? default_mirror(options.name) : options.mirror;
  while (mirror.ends_with('/')) mirror.pop_back();
  std::error_code error;
  std::vector<const PublishedFile*> missing;
  for (const PublishedFile& file : files) {
    const fs::path plain = folder / file.name, packed = plain.string() + ".gz";
    if (fs::exists(plain, error))
      check_present(plain, file);
    else if (fs::exists(packed, error))
      check_present(packed, file);
    else
      missing.push_back(&file);
  }
  fs::create_directories(folder, error);
  if (error) fail(ErrorKind::io, "{}: cannot create the folder ({})", folder.string(), error.message());
  for (const PublishedFile* file : missing)
    fetch_published(fmt::format("{}/{}", mirror, file->stored_name()), folder / file->stored_name(), *file,
                    progress);
  return folder;
}

void check_published(const DatasetOptions& options) {
  const std::string& name = options.name;
  const auto files = published_files(name);
  const auto check = [&](const fs::path& path, const std::string& problem) {
    if (!problem.empty())
      fail(ErrorKind::data, "{}: not the published files: {}: {}", name, path.string(), problem);
  };
  for (const Part part : {Part::train, Part::test}) {
    const FoundFiles found = find_files(name, part, options.data_dir);
    if (!file_set(name)->archive.empty()) {
      if (!found.files.empty()) check(found.files[0], difference_of_unpacked(name, part, found));
      if (!found.archive.empty()) check(found.archive, difference_of_file(found.archive, files[0]));
      continue;
    }
    const size_t half = files.size() / 2;
    for (size_t i = 0; i < half; ++i) {
      const PublishedFile& file = files[part == Part::train ? i : half + i];
      check(found.files[i], difference_of_file(found.files[i], file));
    }
  }
}

}  // namespace vae::data
