#include "tests/fuzz/seeds.h"

#include "data/gzip.h"
#include "data/split.h"
#include "tensor/safetensors.h"
#include "tests/data/mat_writer.h"
#include "tests/data/tar_archive.h"
#include "tests/fuzz/target.h"
#include "tests/read_text.h"

namespace vae::fuzz {
namespace {

using Texts = std::vector<std::string>;

std::string gzipped(const std::string& content) { return text(data::gzip(bytes(content))); }

/// Grey levels and colours that differ.
std::vector<uint8_t> pixels(size_t count) {
  std::vector<uint8_t> values;
  for (size_t i = 0; i < count; ++i) values.push_back(static_cast<uint8_t>(i * 37));
  return values;
}
std::string pixel_text(size_t count) {
  const auto values = pixels(count);
  return {values.begin(), values.end()};
}

Texts idx() {
  const std::string images = std::string("\0\0\x08\3", 4) + test::big_endian(2) + test::big_endian(3) +
                             test::big_endian(4) + pixel_text(24),
                    labels = std::string("\0\0\x08\1", 4) + test::big_endian(3) + "\1\2\3",
                    table = std::string("\0\0\x0c\2", 4) + test::big_endian(1) + test::big_endian(2) +
                            test::big_endian(7) + test::big_endian(1);
  return {images, labels, table, gzipped(images), gzipped(labels)};
}

Texts bmp() {
  return {test::Bmp{.pixels = std::string(36, '\5')}.file(),
          test::Bmp{.depth = 8, .colours = 2, .info = std::string(8, '\7'), .pixels = std::string(12, '\1')}
              .file(),
          test::Bmp{.depth = 16, .pixels = std::string(24, '\5')}.file(),
          test::Bmp{.depth = 32,
                    .compression = 3,
                    .info = std::string("\0\0\xff\0\0\xff\0\0\xff\0\0\0", 12),
                    .pixels = std::string(48, '\5')}
              .file(),
          test::Bmp{.width = 9, .depth = 1, .info = std::string(8, '\7'), .pixels = std::string(12, '\5')}
              .file()};
}

Texts jpeg() {
  const std::string colour = test::jpeg(pixels(11 * 9 * 3), 11, 9, 3);
  const std::string exif = std::string("Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0", 32);
  const std::string turned =
      colour.substr(0, 2) + "\xff\xe1" + std::string("\0\x22", 2) + exif + colour.substr(2);
  return {colour, test::jpeg(pixels(64), 8, 8, 1), test::jpeg(pixels(20 * 17 * 3), 20, 17, 3, true), turned};
}

Texts png() {
  const auto grey = [](int depth, int colour, int interlaced, size_t bytes) {
    return test::png(test::png_header(4, 3, depth, colour, interlaced), std::string(bytes, '\1'));
  };
  const std::string palette = test::png_header(4, 3, 2, 3) + test::png_chunk("PLTE", "abcdef") +
                              test::png_chunk("tRNS", "\1") + test::png_chunk("tEXt", "a text");
  return {grey(8, 0, 0, 15), grey(16, 6, 0, 99), grey(8, 2, 1, 46), test::png(palette, std::string(6, '\0'))};
}

/// Width, height, depth, colours, interlacing, bytes of palette and transparency, these, and rows.
Texts png_rows() {
  const auto header = [](std::initializer_list<int> numbers) {
    std::string text;
    for (const int number : numbers) text.push_back(static_cast<char>(number));
    return text;
  };
  return {header({4, 3, 8, 0, 0, 0, 0}) + std::string(15, '\1'),
          header({4, 3, 16, 6, 0, 0, 0}) + std::string(99, '\2'),
          header({5, 5, 4, 3, 1, 6, 2}) + "abcdefgh" + std::string(40, '\0'),
          header({3, 2, 8, 2, 0, 0, 6}) + "123456" + std::string(20, '\3')};
}

Texts exif() {
  const std::string big = std::string("Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0", 28),
                    little = std::string("Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\3\0\0\0", 28);
  return {big, little};
}

Texts tar() {
  return {test::tar_entry("a/test_batch.bin", "content") + test::tar_entry("folder/", "", '5') +
              test::tar_entry("b", std::string(600, 'x')) + test::kTarEnd,
          test::kTarEnd};
}

Texts cifar() {
  const std::string record = '\3' + pixel_text(3072), fine = std::string("\1\7") + pixel_text(3072);
  return {record, record + record + "\n--\nnull\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n",
          fine};
}

Texts svhn() {
  Texts files;
  for (const bool big_endian : {false, true}) {
    const test::MatWriter writer{big_endian};
    const std::string x = writer.matrix("X", 9, {32, 32, 3, 2}, 2, pixel_text(6144)),
                      y = writer.matrix("y", 6, {2, 1}, 2, "\1\n");
    files.push_back(writer.file(x + y));
    files.push_back(writer.file(writer.packed(x) + writer.packed(y)));
    files.push_back(writer.file(y));
  }
  return files;
}

Texts safetensors() {
  SafeTensors content;
  content.tensors.emplace("weight", Tensor::from(std::vector<float>{1, 2, 3, 4}, {2, 2}));
  content.tensors.emplace("count", Tensor::scalar(int64_t{7}));
  content.tensors.emplace("bytes", Tensor::from(std::vector<uint8_t>{1, 2, 3}, {3}));
  content.metadata["meta"] = "{\"family\":\"m2\"}";
  const auto path = folder() / "seed.safetensors";
  save_safetensors(path, content);
  const std::string half = R"({"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})";
  return {test::read_text(path),
          test::little_endian(static_cast<uint32_t>(half.size())) + std::string(4, '\0') + half + "abcd"};
}

Texts split() {
  const Tensor labels = Tensor::from(std::vector<int64_t>{0, 1, 2, 0, 1, 2, -1}, {7});
  Texts texts;
  for (const data::SplitRule rule : {data::SplitRule::disjoint, data::SplitRule::smooth_elbo}) {
    const data::SplitRequest request{3, rule == data::SplitRule::disjoint ? 1 : 0, 3, 5, rule};
    const auto path = folder() / "seed.json";
    data::save_split(path, data::draw_split(labels, request), request, labels);
    texts.push_back(test::read_text(path));
  }
  return texts;
}

Texts checkpoint() {
  SafeTensors content;
  content.tensors.emplace("weight", Tensor::from(std::vector<float>{1, 2, 3, 4}, {2, 2}));
  content.tensors.emplace("counter", Tensor::scalar(int64_t{7}));
  content.metadata["meta"] = R"({"family":"m2","loop":{"iteration":3}})";
  const auto path = folder() / "seed.safetensors";
  save_safetensors(path, content);
  return {test::read_text(path)};
}

/// metrics.jsonl, metrics.csv and timing.csv
Texts metrics() {
  return {
      "{\"step\":10,\"epoch\":1,\"loss\":0.25}\n{\"step\":20,\"epoch\":2,\"loss\":0.125}\n{\"step\":30\n--\n"
      "step,epoch,loss\n10,1,0.25\n20,2,0.125\n30,3,\n--\nstep,seconds,images_per_s\n10,1.500,20.0\n20,3.000,"
      "20.0\n"};
}

Texts config() {
  return {
      R"({"tool":"tool","classes":10,"epochs":3,"seed":5,"rate":0.25,"m1-alpha":1.5,"digit":3,"hidden":"5,6",)"
      R"("seeds":"1,2","resize":"32x16","on":true,"data-dir":"/data","channels":"1","background":"black"})",
      R"({"tool":"other","train_sha256":"12","class_names":["a","b"],"label-offset":1})"};
}

Texts command_line() {
  return {"train\n--preset\nx\n--epochs=3\n--lr\n0.5\n--hidden=5,6\n--quick", "test\n--help",
          "train\n--seeds=1,2\n--digit=4", "trian\n--epoch=3\n--resize\n28x28",
          "train\n--resume\n--run\nnowhere\n--config\n"};
}

}  // namespace

std::map<std::string, Texts> seeds() {
  return {{"bmp", bmp()},
          {"checkpoint", checkpoint()},
          {"cifar", cifar()},
          {"command_line", command_line()},
          {"config", config()},
          {"exif", exif()},
          {"gzip", {gzipped("text"), gzipped("a") + gzipped("b"), test::zlib_stream(pixel_text(300))}},
          {"idx", idx()},
          {"jpeg", jpeg()},
          {"metrics", metrics()},
          {"png", png()},
          {"png_rows", png_rows()},
          {"run_directory",
           {"config.json\nmetrics.csv\nfolder/\n\n--\n{\"tool\":\"m2\",\"seed\":1}", "\n--\n{}"}},
          {"safetensors", safetensors()},
          {"split", split()},
          {"svhn", svhn()},
          {"tar", tar()}};
}

}  // namespace vae::fuzz
