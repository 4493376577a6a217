// clang-format off
#include <cstdio>  // which jpeglib.h needs
#include <jpeglib.h>
// clang-format on

#include <csetjmp>
#include <cstring>

#include "data/decode.h"
#include "data/exif.h"
#include "tensor/error.h"

namespace vae::data {
namespace {

constexpr int kMaxScans = 200;  // of a progressive picture: each costs a pass over all of it
constexpr long kMaxMemory = 1L << 30;
constexpr size_t kMostPixelsInByte = 8 * 64;  // a block of 8x8 takes a bit or more

/// libjpeg cannot return from an error: it leaves by a jump to decode(), over functions of its own alone.
struct Errors : jpeg_error_mgr {
  std::jmp_buf out;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave(j_common_ptr info) {
  auto* errors = static_cast<Errors*>(info->err);
  errors->format_message(info, errors->message);
  std::longjmp(errors->out, 1);
}

/// Called with -1 for data that are damaged, else to trace.
void warn(j_common_ptr info, int level) {
  if (level < 0) leave(info);
}

void count_scans(j_common_ptr info) {
  auto* errors = static_cast<Errors*>(info->err);
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMaxScans) return;
  std::strcpy(errors->message, "too many scans");
  std::longjmp(errors->out, 1);
}

class Decoder {
 public:
  Decoder(std::span<const std::byte> file, const std::string& name, const ExpectedSize& size)
      : file_(file), name_(name), size_(size) {
    info_.err = jpeg_std_error(&errors_);
    errors_.error_exit = leave;
    errors_.emit_message = warn;
    progress_.progress_monitor = count_scans;
  }
  ~Decoder() { jpeg_destroy_decompress(&info_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Nothing in here that libjpeg may jump over has a destructor.
  Image decode() {
    if (setjmp(errors_.out)) fail(ErrorKind::data, "{}: damaged JPEG picture ({})", name_, errors_.message);
    jpeg_create_decompress(&info_);
    info_.mem->max_memory_to_use = kMaxMemory;
    info_.progress = &progress_;
    jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xffff);
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(file_.data()), file_.size());
    jpeg_read_header(&info_, TRUE);
    image_.size = checked_size(info_.image_height, info_.image_width, name_, size_);
    if (info_.num_components != 1 && info_.num_components != 3)
      fail(ErrorKind::data, "{}: JPEG pictures of {} components (CMYK) are not read, save it as RGB or grey",
           name_, info_.num_components);
    if (info_.arith_code) fail(ErrorKind::data, "{}: JPEG pictures in arithmetic coding are not read", name_);
    if (file_.size() * kMostPixelsInByte < size_t{info_.image_height} * info_.image_width)
      fail(ErrorKind::data, "{}: damaged JPEG picture ({}x{} pixels in {} bytes)", name_, info_.image_width,
           info_.image_height, file_.size());
    image_.channels = info_.num_components;
    info_.out_color_space = image_.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&info_);
    for (int c = 0; c < info_.num_components; ++c)
      if (!info_.comp_info[c].quant_table)
        fail(ErrorKind::data, "{}: damaged JPEG picture (component {} is missing)", name_, c);
    while (info_.output_scanline < info_.output_height) read_row();
    const int orientation = stored_orientation();
    jpeg_finish_decompress(&info_);
    return upright(std::move(image_), orientation);
  }

 private:
  int stored_orientation() const {
    for (auto* segment = info_.marker_list; segment; segment = segment->next) {
      const auto bytes = std::as_bytes(std::span(segment->data, segment->data_length));
      if (const int orientation = exif_orientation(bytes); orientation != 1) return orientation;
    }
    return 1;
  }
  void read_row() {
    const size_t row_bytes = size_t{info_.output_width} * image_.channels;
    image_.pixels.resize((info_.output_scanline + 1) * row_bytes);
    JSAMPROW row = image_.pixels.data() + info_.output_scanline * row_bytes;
    jpeg_read_scanlines(&info_, &row, 1);
  }
  std::span<const std::byte> file_;
  const std::string& name_;
  const ExpectedSize& size_;
  jpeg_decompress_struct info_{};
  jpeg_progress_mgr progress_{};
  Errors errors_{};
  Image image_;
};

}  // namespace

Image decode_jpeg(std::span<const std::byte> file, const std::string& name, const ExpectedSize& size) {
  return Decoder(file, name, size).decode();
}

}  // namespace vae::data
