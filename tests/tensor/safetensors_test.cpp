// Round trips, and a catalogue of malformed files: each must end in one line that names the file.
#include "tensor/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tensor/file.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace vae {
namespace {

using test::expect_error;

class SafeTensorsFile : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return directory_ / "file.safetensors"; }
  void write(uint64_t length, const std::string& rest) const {
    std::string file(8, '\0');
    std::memcpy(file.data(), &length, 8);
    write_file_atomically(path(), file + rest);
  }
  /// A file of that header and `data_bytes` bytes of data must be refused with those words.
  void refuse(const std::string& header, size_t data_bytes, const std::string& words) const {
    SCOPED_TRACE(header.substr(0, 200));
    write(header.size(), header + std::string(data_bytes, '\0'));
    expect_error(ErrorKind::data, words, [&] { load_safetensors(path()); });
    expect_error(ErrorKind::data, path().string() + ": ", [&] { load_safetensors(path()); });
  }
  test::TemporaryDirectory directory_;
};

std::string tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return fmt::format(R"({{"dtype":"{}","shape":{},"data_offsets":{}}})", dtype, shape, offsets);
}

TEST_F(SafeTensorsFile, RoundTripsTypesShapesAndMetadata) {
  SafeTensors out;
  out.tensors["b/f32"] = Tensor::from(std::vector<float>{1, -2, 3}, {3});
  out.tensors["a f64"] = Tensor::scalar(2.5);
  out.tensors["i32"] = Tensor::from(std::vector<int32_t>{-1, 2}, {1, 2});
  out.tensors["i64"] = Tensor::from(std::vector<int64_t>{int64_t{1} << 40}, {1});
  out.tensors["u8 \"\u00e9\n"] = Tensor::from(std::vector<uint8_t>{0, 255}, {2, 1, 1, 1, 1, 1});
  out.tensors["none"] = Tensor::empty({0, 3});
  out.metadata = {{"k", "v"}, {"meta", "{\"a\": \"line\nbreak\"}"}};
  save_safetensors(path(), out);
  const SafeTensors in = load_safetensors(path());
  EXPECT_EQ(in.metadata, out.metadata);
  ASSERT_EQ(in.tensors.size(), out.tensors.size());
  for (const auto& [name, expected] : out.tensors) {
    const Tensor& actual = in.at(name);
    EXPECT_EQ(actual.str(), expected.str());
    EXPECT_TRUE(actual.bytes() == 0 || std::memcmp(actual.raw(), expected.raw(), expected.bytes()) == 0)
        << name;
  }
  expect_error(ErrorKind::data, path().string() + ": no tensor \"f64\"", [&] { in.at("f64"); });
}

TEST_F(SafeTensorsFile, SixteenBitsBecomeSinglePrecision) {
  std::string data;
  for (int bits = 0; bits < 1 << 16; ++bits) data += {static_cast<char>(bits), static_cast<char>(bits >> 8)};
  const std::string header = "{\"half\":" + tensor("F16", "[65536]", "[0,131072]") +
                             ",\"brain\":" + tensor("BF16", "[65536]", "[131072,262144]") + "}";
  write(header.size(), header + data + data);
  const SafeTensors read = load_safetensors(path());
  const auto check = [&](const char* name, int exponent_bits, int fraction_bits) {
    const int bias = (1 << (exponent_bits - 1)) - 1, last = (1 << exponent_bits) - 1;
    const std::vector<float> values = read.at(name).to_vector<float>();
    for (int bits = 0; bits < 1 << 16; ++bits) {
      const int exponent = bits >> fraction_bits & last, fraction = bits & ((1 << fraction_bits) - 1);
      const int whole = exponent ? fraction | 1 << fraction_bits : fraction;
      double expected = std::ldexp(whole, std::max(exponent, 1) - bias - fraction_bits);
      if (exponent == last) expected = fraction ? NAN : INFINITY;
      if (bits >> 15) expected = -expected;
      const float value = values[static_cast<size_t>(bits)];
      ASSERT_TRUE(std::isnan(expected) ? std::isnan(value) : value == expected) << name << " " << bits;
      ASSERT_EQ(std::signbit(value), bits >> 15 != 0) << name << " " << bits;
    }
  };
  check("half", 5, 10);
  check("brain", 8, 7);
  refuse("{\"a\":" + tensor("F16", "[2]", "[0,8]") + "}", 8, "F16 [2] does not fill its 8 bytes");
}

TEST_F(SafeTensorsFile, BytesAreDeterministicAndDataAligned) {
  SafeTensors content;
  content.tensors["x"] = Tensor::from(std::vector<double>{1}, {1});
  for (const char* name : {"", "m", "metadata", "longer metadata"}) {
    content.metadata = {{name, name}};
    save_safetensors(path(), content);
    const std::vector<std::byte> first = read_file(path());
    uint64_t length = 0;
    std::memcpy(&length, first.data(), 8);
    EXPECT_EQ(length % 8, 0u);
    save_safetensors(path(), content);
    EXPECT_EQ(read_file(path()), first);
  }
}

TEST_F(SafeTensorsFile, KnownBytes) {
  SafeTensors content;
  content.tensors["t"] = Tensor::from(std::vector<uint8_t>{7, 8}, {2});
  save_safetensors(path(), content);
  const std::string header = R"({"t":{"data_offsets":[0,2],"dtype":"U8","shape":[2]}})";
  const std::vector<std::byte> bytes = read_file(path());
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_EQ(text, std::string("\x38\0\0\0\0\0\0\0", 8) + header + "   " + "\x07\x08");
}

TEST_F(SafeTensorsFile, ReadsTensorsInAnyOrderOfTheFile) {
  const std::string header =
      "{\"a\":" + tensor("U8", "[1]", "[2,3]") + ",\"b\":" + tensor("U8", "[2]", "[0,2]") + "}";
  write(header.size(), header + "xyz");
  EXPECT_EQ(load_safetensors(path()).at("a").item(), 'z');
}

TEST_F(SafeTensorsFile, AFileWithoutTensorsIsEmpty) {
  write(2, "{}");
  EXPECT_TRUE(load_safetensors(path()).tensors.empty());
}

TEST_F(SafeTensorsFile, RefusesBadLengths) {
  write_file_atomically(path(), "");
  expect_error(ErrorKind::data, "only 0 bytes", [&] { load_safetensors(path()); });
  write_file_atomically(path(), "1234567");
  expect_error(ErrorKind::data, "only 7 bytes", [&] { load_safetensors(path()); });
  for (const uint64_t length :
       {uint64_t{0}, uint64_t{1}, uint64_t{3}, uint64_t{100'000'001}, UINT64_MAX, UINT64_MAX - 7}) {
    write(length, "{}");
    expect_error(ErrorKind::data, fmt::format("header length {} in a file of 10 bytes", length),
                 [&] { load_safetensors(path()); });
  }
}

TEST_F(SafeTensorsFile, RefusesFilesThatCannotBeRead) {
  expect_error(ErrorKind::io, "No such file", [&] { load_safetensors(path()); });
  expect_error(ErrorKind::io, "is a directory", [&] { load_safetensors(directory_.path()); });
}

TEST_F(SafeTensorsFile, RefusesHeadersThatAreNotAnObjectOfJson) {
  for (const char* header :
       {"  ", "{\"a\"", "{]", "not json at all", "{\"a\xff\":1}", "{} {}", "{\"a\":nan}"})
    refuse(header, 0, "header is not valid JSON");
  for (const char* header : {"[]", "17", "null", "\"text\""})
    refuse(header, 0, "header is not a JSON object");
}

TEST_F(SafeTensorsFile, RefusesBombsAndDuplicates) {
  refuse(std::string(5'000'000, '['), 0, "nested too deeply");
  std::string bomb;
  for (int i = 0; i < 100'000; ++i) bomb += "{\"a\":";
  refuse(bomb, 0, "nested too deeply");
  refuse("{\"a\":" + tensor("U8", "[[1]]", "[0,1]") + "}", 1, "nested too deeply");
  const std::string entry = tensor("U8", "[1]", "[0,1]");
  refuse("{\"a\":" + entry + ",\"a\":" + entry + "}", 1, "duplicate key \"a\"");
  refuse(R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1,
         "duplicate key \"dtype\"");
  refuse(R"({"__metadata__":{"k":"1","k":"2"}})", 0, "duplicate key \"k\"");
}

TEST_F(SafeTensorsFile, RefusesBadMetadata) {
  refuse(R"({"__metadata__":[]})", 0, "__metadata__ is not a JSON object");
  refuse(R"({"__metadata__":{"k":1}})", 0, "metadata \"k\" is not a string");
  refuse(R"({"__metadata__":{"k":{"x":"y"}}})", 0, "metadata \"k\" is not a string");
}

TEST_F(SafeTensorsFile, RefusesBadEntries) {
  refuse(R"({"a":1})", 0, "tensor \"a\" needs exactly dtype, shape and data_offsets");
  refuse(R"({"a":{}})", 0, "needs exactly");
  refuse(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":0}})", 1, "needs exactly");
  refuse(R"({"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}})", 1, "dtype is not a string");
  for (const char* dtype : {"F8_E4M3", "U16", "BOOL", "I8", "f32", "", "F64 "})
    refuse("{\"a\":" + tensor(dtype, "[1]", "[0,8]") + "}", 8,
           fmt::format("tensor \"a\": unsupported dtype \"{}\"", dtype));
  refuse("{\"line\\nbreak\":" + tensor("U16", "[1]", "[0,2]") + "}", 2, "tensor \"line\\nbreak\"");
  refuse("{\"" + std::string(100'000, 'n') + "\":" + tensor("U16", "[1]", "[0,2]") + "}", 2, "nnn...\"");
}

TEST_F(SafeTensorsFile, RefusesBadShapes) {
  refuse("{\"a\":" + tensor("U8", "1", "[0,1]") + "}", 1, "shape is not a list");
  for (const char* shape :
       {"[-1]", "[1.0]", "[\"1\"]", "[null]", "[true]", "[18446744073709551616]", "[9223372036854775808]"})
    refuse("{\"a\":" + tensor("U8", shape, "[0,1]") + "}", 1,
           "shape holds something else than non-negative integers");
  refuse("{\"a\":" + tensor("U8", "[1,1,1,1,1,1,1]", "[0,1]") + "}", 1, "tensor \"a\" has rank 7, at most 6");
  for (const char* shape :
       {"[4294967296,4294967296]", "[4611686018427387904,4]", "[4611686018427387904,4611686018427387904,0]"})
    refuse("{\"a\":" + tensor("F64", shape, "[0,0]") + "}", 0, "is too large");
  refuse("{\"a\":" + tensor("F32", "[2]", "[0,4]") + "}", 4, "F32 [2] does not fill its 4 bytes");
  refuse("{\"a\":" + tensor("F32", "[0]", "[0,4]") + "}", 4, "F32 [0] does not fill its 4 bytes");
  refuse("{\"a\":" + tensor("F32", "[]", "[0,0]") + "}", 0, "F32 [] does not fill its 0 bytes");
}

TEST_F(SafeTensorsFile, RefusesBadOffsets) {
  refuse("{\"a\":" + tensor("U8", "[1]", "[0,-1]") + "}", 1, "data_offsets holds something else");
  refuse("{\"a\":" + tensor("U8", "[1]", "[0]") + "}", 1, "data_offsets are not a pair");
  refuse("{\"a\":" + tensor("U8", "[1]", "[0,1,2]") + "}", 1, "data_offsets are not a pair");
  refuse("{\"a\":" + tensor("U8", "[1]", "[1,0]") + "}", 1, "outside the 1 bytes of data");
  refuse("{\"a\":" + tensor("U8", "[4]", "[0,4]") + "}", 3, "outside the 3 bytes of data (truncated file?)");
  refuse("{\"a\":" + tensor("U8", "[0]", "[9223372036854775807,9223372036854775807]") + "}", 3,
         "outside the 3 bytes");
  refuse("{\"a\":" + tensor("U8", "[1]", "[1,2]") + "}", 2, "data_offsets leave a hole at byte 0");
  refuse("{\"a\":" + tensor("U8", "[2]", "[0,2]") + ",\"b\":" + tensor("U8", "[2]", "[1,3]") + "}", 3,
         "overlap at byte 1");
  refuse("{\"a\":" + tensor("U8", "[1]", "[0,1]") + ",\"b\":" + tensor("U8", "[1]", "[2,3]") + "}", 3,
         "leave a hole at byte 1");
  refuse("{\"a\":" + tensor("U8", "[1]", "[0,1]") + "}", 3, "2 bytes of data belong to no tensor");
  refuse("{}", 8, "8 bytes of data belong to no tensor");
}

TEST_F(SafeTensorsFile, EveryTruncationOfAGoodFileIsRefused) {
  SafeTensors content;
  content.tensors["x"] = Tensor::zeros({5});
  content.metadata["k"] = "v";
  save_safetensors(path(), content);
  const std::vector<std::byte> good = read_file(path());
  for (size_t size = 0; size < good.size(); ++size) {
    write_file_atomically(path(), std::span(good).first(size));
    EXPECT_THROW(load_safetensors(path()), Error) << size;
  }
}

TEST_F(SafeTensorsFile, RefusesToSaveWhatCannotBeRead) {
  SafeTensors content;
  content.tensors["undefined"];
  expect_error(ErrorKind::internal, "\"undefined\"", [&] { save_safetensors(path(), content); });
  content.tensors = {{"__metadata__", Tensor::zeros({1})}};
  expect_error(ErrorKind::internal, "reserved name", [&] { save_safetensors(path(), content); });
  content.tensors = {{"\xff", Tensor::zeros({1})}};
  expect_error(ErrorKind::internal, "cannot save", [&] { save_safetensors(path(), content); });
  EXPECT_EQ(directory_.entries(), 0u);
}

}  // namespace
}  // namespace vae
