#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include "tests/expect_error.h"

namespace vae {
namespace {

using test::expect_error;
using Floats = std::vector<float>;

Tensor counting(Shape shape) {
  Floats values(static_cast<size_t>(shape.numel()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  return Tensor::from(values, shape);
}

TEST(Shape, ExtentsRankAndText) {
  const Shape shape{2, 3, 4};
  EXPECT_EQ(shape.rank(), 3);
  EXPECT_EQ(shape[-1], 4);
  EXPECT_EQ(shape.numel(), 24);
  EXPECT_EQ(shape.str(), "[2, 3, 4]");
  EXPECT_EQ(Shape{}.numel(), 1);
  EXPECT_EQ(Shape{}.str(), "[]");
  EXPECT_EQ((Shape{5, 0, 7}).numel(), 0);
  for (const Shape& huge :
       {Shape{INT64_MAX, 2}, Shape{int64_t{1} << 32, int64_t{1} << 32}, Shape{(int64_t{1} << 60) + 1}})
    expect_error(ErrorKind::device, "out of memory: a tensor of shape [", [&] { huge.numel(); });
  EXPECT_EQ(shape.with_leading(9), (Shape{9, 3, 4}));
  EXPECT_FALSE((Shape{2, 3}) == (Shape{2, 3, 1}));
}

TEST(Shape, RefusesWhatItCannotHold) {
  expect_error(ErrorKind::internal, "rank 7 exceeds 6", [] { Shape{1, 1, 1, 1, 1, 1, 1}; });
  expect_error(ErrorKind::internal, "negative extent -2", [] { Shape{3, -2}; });
  expect_error(ErrorKind::internal, "axis 2 of a tensor of rank 2", [] { (void)Shape{1, 2}[2]; });
  expect_error(ErrorKind::internal, "axis -3 of a tensor of rank 2", [] { (void)Shape{1, 2}[-3]; });
  expect_error(ErrorKind::internal, "scalar has no leading axis", [] { Shape{}.with_leading(1); });
}

TEST(Tensor, RoundTripsEveryType) {
  EXPECT_EQ(Tensor::from(Floats{1, 2, 3}, {3}).to_vector<float>(), (Floats{1, 2, 3}));
  EXPECT_EQ(Tensor::from(std::vector<double>{1.5}, {1, 1}).item(), 1.5);
  EXPECT_EQ(Tensor::from(std::vector<int32_t>{-7}, {1}).item(), -7);
  EXPECT_EQ(Tensor::scalar(int64_t{1} << 40).item(), 1099511627776.0);
  EXPECT_EQ(Tensor::scalar(uint8_t{255}).item(), 255);
  EXPECT_EQ(Tensor::zeros({2, 2}, DType::i64).to_vector<int64_t>(), (std::vector<int64_t>{0, 0, 0, 0}));
  EXPECT_EQ(Tensor::empty({2, 3}, DType::f64).str(), "f64 [2, 3] on cpu");
}

TEST(Tensor, UndefinedIsNotEmpty) {
  const Tensor nothing;
  EXPECT_FALSE(nothing.defined());
  EXPECT_EQ(nothing.raw(), nullptr);
  EXPECT_EQ(nothing.numel(), 0);
  EXPECT_EQ(nothing.str(), "undefined tensor");
  EXPECT_TRUE(Tensor::empty({0}).defined());
}

TEST(Tensor, CopyingTheHandleSharesTheData) {
  const Tensor a = counting({4});
  const Tensor alias = a;
  const Tensor copy = a.clone();
  a.data<float>()[0] = 42;
  EXPECT_EQ(alias.to_vector<float>()[0], 42);
  EXPECT_EQ(copy.to_vector<float>()[0], 0);
}

TEST(Tensor, ReshapeSharesAndInfersOneExtent) {
  const Tensor a = counting({2, 6});
  const Tensor b = a.reshape({3, -1});
  EXPECT_EQ(b.shape(), (Shape{3, 4}));
  EXPECT_EQ(b.raw(), a.raw());
  EXPECT_EQ(a.reshape({12}).shape(), (Shape{12}));
  EXPECT_EQ(Tensor::empty({0, 3}).reshape({-1, 3}).shape(), (Shape{0, 3}));
  expect_error(ErrorKind::internal, "reshape: f32 [2, 6] on cpu does not fit", [&] { a.reshape({5, -1}); });
  expect_error(ErrorKind::internal, "reshape: f32 [2, 6] on cpu does not fit", [&] { a.reshape({13}); });
  expect_error(ErrorKind::internal, "more than one extent is -1", [&] { a.reshape({-1, -1}); });
  expect_error(ErrorKind::internal, "negative extent -4", [&] { a.reshape({-4, -3}); });
}

TEST(Tensor, SliceSharesTheRows) {
  const Tensor a = counting({4, 3});
  const Tensor rows = a.slice(1, 3);
  EXPECT_EQ(rows.shape(), (Shape{2, 3}));
  EXPECT_EQ(rows.to_vector<float>(), (Floats{3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(rows.slice(1, 2).to_vector<float>(), (Floats{6, 7, 8}));
  rows.zero();
  EXPECT_EQ(a.to_vector<float>(), (Floats{0, 1, 2, 0, 0, 0, 0, 0, 0, 9, 10, 11}));
  EXPECT_EQ(a.slice(4, 4).numel(), 0);
  for (const auto& [begin, end] : {std::pair(-1, 2), std::pair(2, 1), std::pair(0, 5)})
    expect_error(ErrorKind::internal, fmt::format("slice [{}, {}) of f32 [4, 3]", begin, end),
                 [&, b = begin, e = end] { a.slice(b, e); });
  expect_error(ErrorKind::internal, "slice", [] { Tensor::scalar(1.0f).slice(0, 1); });
}

TEST(Tensor, ASliceKeepsItsStorageAlive) {
  const Tensor tail = counting({1000, 8}).slice(999, 1000);
  EXPECT_EQ(tail.to_vector<float>().back(), 7999);
}

TEST(Tensor, AccessUnderAnotherTypeIsRefused) {
  const Tensor a = counting({2, 3});
  expect_error(ErrorKind::internal, "tensor [2, 3] is f32, not f64", [&] { a.data<double>(); });
  expect_error(ErrorKind::internal, "tensor [2, 3] is f32, not u8", [&] { a.to_vector<uint8_t>(); });
  expect_error(ErrorKind::internal, "has not exactly one element", [&] { a.item(); });
}

TEST(Tensor, ValuesMustFillTheShape) {
  expect_error(ErrorKind::internal, "3 values do not fill shape [2, 2]", [] {
    Tensor::from(Floats{1, 2, 3}, {2, 2});
  });
}

TEST(Tensor, CopyWantsTypeAndCount) {
  const Tensor a = counting({2, 3}), b = Tensor::zeros({3, 2});
  b.copy_from(a);
  EXPECT_EQ(b.to_vector<float>(), a.to_vector<float>());
  expect_error(ErrorKind::internal, "copy: f64 [6] on cpu into f32",
               [&] { a.copy_from(Tensor::zeros({6}, DType::f64)); });
  expect_error(ErrorKind::internal, "copy: f32 [5] on cpu into f32",
               [&] { a.copy_from(Tensor::zeros({5})); });
}

TEST(Tensor, ZeroSizedTensorsWork) {
  const Tensor none = Tensor::zeros({0, 784});
  EXPECT_EQ(none.bytes(), 0u);
  none.zero();
  EXPECT_TRUE(none.to_vector<float>().empty());
  EXPECT_EQ(none.clone().shape(), (Shape{0, 784}));
  EXPECT_EQ(none.slice(0, 0).shape(), (Shape{0, 784}));
  none.copy_from(Tensor::from(Floats{}, {0}));
}

TEST(DType, DispatchAndProperties) {
  EXPECT_EQ(size_of(DType::f32) + size_of(DType::f64) + size_of(DType::i32) + size_of(DType::i64) +
                size_of(DType::u8),
            25u);
  EXPECT_EQ(dispatch_any(DType::i32, [](auto zero) { return dtype_of<decltype(zero)>(); }), DType::i32);
  EXPECT_EQ(dispatch_floating(DType::f64, [](auto zero) { return dtype_of<decltype(zero)>(); }), DType::f64);
  expect_error(ErrorKind::internal, "expected f32 or f64, got u8",
               [] { dispatch_floating(DType::u8, [](auto) {}); });
}

}  // namespace
}  // namespace vae
