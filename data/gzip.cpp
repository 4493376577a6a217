#include "data/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "tensor/error.h"

namespace vae::data {
namespace {

constexpr int kZlibWindow = 15, kGzipWindow = kZlibWindow + 16;  // the largest window, in either framing
constexpr size_t kChunk = size_t{1} << 20;

/// A zlib inflate stream over a byte span.
class Inflater {
 public:
  Inflater(std::span<const std::byte> packed, int window, const std::string& name)
      : rest_(packed), what_(window == kGzipWindow ? "gzip file" : "zlib stream"), name_(name) {
    VAE_CHECK(inflateInit2(&stream_, window) == Z_OK, "zlib cannot start");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Fills `out` as far as there is data; fewer bytes mean the end of the file.
  size_t read(std::span<std::byte> out) {
    size_t filled = 0;
    while (filled < out.size() && !finished_) filled += step(out.subspan(filled));
    return filled;
  }

 private:
  size_t step(std::span<std::byte> out) {
    const auto in_size = static_cast<uInt>(std::min(rest_.size(), kChunk));
    const auto out_size = static_cast<uInt>(std::min(out.size(), kChunk));
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(rest_.data()));
    stream_.avail_in = in_size;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = out_size;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    if (status == Z_BUF_ERROR) fail(ErrorKind::data, "{}: {} is truncated", name_, what_);
    if (status != Z_OK && status != Z_STREAM_END)
      fail(ErrorKind::data, "{}: {} is corrupt ({})", name_, what_,
           stream_.msg ? stream_.msg : zError(status));
    rest_ = rest_.subspan(in_size - stream_.avail_in);
    if (status == Z_STREAM_END) next_member();
    return out_size - stream_.avail_out;
  }

  void next_member() {
    finished_ = rest_.empty();
    if (finished_) return;
    if (!is_gzip(rest_)) fail(ErrorKind::data, "{}: {} bytes follow the {}", name_, rest_.size(), what_);
    inflateReset(&stream_);
  }

  z_stream stream_{};
  std::span<const std::byte> rest_;
  const char* what_;
  const std::string& name_;
  bool finished_ = false;
};

std::vector<std::byte> head_of(Inflater inflater, size_t count) {
  std::vector<std::byte> content(count);
  content.resize(inflater.read(content));
  return content;
}

std::vector<std::byte> all_of(Inflater inflater, size_t max_bytes, const std::string& name) {
  std::vector<std::byte> content;
  for (bool more = true; more;) {
    const size_t before = content.size();
    const size_t room = std::min(max_bytes - before, kChunk) + 1;  // one byte too many shows an overrun
    content.resize(before + room);
    const size_t filled = inflater.read(std::span(content).subspan(before));
    content.resize(before + filled);
    if (content.size() > max_bytes)
      fail(ErrorKind::data, "{}: unpacks to more than the expected {} bytes", name, max_bytes);
    more = filled == room;
  }
  return content;
}

}  // namespace

bool is_gzip(std::span<const std::byte> content) {
  return content.size() >= 2 && content[0] == std::byte{0x1f} && content[1] == std::byte{0x8b};
}

std::vector<std::byte> gunzip_head(std::span<const std::byte> packed, size_t count, const std::string& name) {
  return head_of({packed, kGzipWindow, name}, count);
}

std::vector<std::byte> gunzip(std::span<const std::byte> packed, size_t max_bytes, const std::string& name) {
  return all_of({packed, kGzipWindow, name}, max_bytes, name);
}

std::vector<std::byte> unzlib_head(std::span<const std::byte> packed, size_t count, const std::string& name) {
  return head_of({packed, kZlibWindow, name}, count);
}

std::vector<std::byte> unzlib(std::span<const std::byte> packed, size_t max_bytes, const std::string& name) {
  return all_of({packed, kZlibWindow, name}, max_bytes, name);
}

std::vector<std::byte> gzip(std::span<const std::byte> content) {
  VAE_CHECK(content.size() <= std::numeric_limits<uInt>::max(), "{} bytes are too many for one gzip block",
            content.size());
  z_stream stream{};
  VAE_CHECK(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, 9, Z_DEFAULT_STRATEGY) == Z_OK,
            "zlib cannot start");
  std::vector<std::byte> packed(deflateBound(&stream, content.size()));
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int status = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  VAE_CHECK(status == Z_STREAM_END, "zlib could not finish: {}", zError(status));
  return packed;
}

}  // namespace vae::data
