// Device names, absent backends, and the exit codes of errors.
#include "tensor/device.h"

#include <gtest/gtest.h>

#include "tensor/runtime.h"
#include "tensor/tensor.h"
#include "tests/expect_error.h"

namespace vae {
namespace {

using test::expect_error;

TEST(Device, ParseReadsWhatStrWrites) {
  for (const char* name : {"cpu", "simt", "cuda:0", "cuda:13"}) EXPECT_EQ(Device::parse(name).str(), name);
  EXPECT_EQ(Device::parse("cuda"), (Device{DeviceType::cuda, 0}));
}

TEST(Device, ParseRefusesEverythingElse) {
  for (const char* name : {"", "gpu", "CUDA", "cpu:0", "cuda:", "cuda:-1", "cuda:+1", "cuda:1x", "cuda: 1",
                           "cuda:99999999999", " cpu"})
    expect_error(ErrorKind::usage, fmt::format("unknown device '{}'", name), [&] { Device::parse(name); });
}

TEST(Device, TheHostIsAlwaysThere) {
  EXPECT_EQ(device_count(DeviceType::cpu), 1);
  EXPECT_NO_THROW(require_device(kCpu));
  expect_error(ErrorKind::device, "this machine has 1 of type cpu", [] {
    require_device({DeviceType::cpu, 1});
  });
}

TEST(Device, ABuildWithoutCudaSaysSo) {
  if (detail::cuda_runtime()) GTEST_SKIP() << "this build has CUDA";
  const Device cuda{DeviceType::cuda, 0};
  EXPECT_EQ(device_count(DeviceType::cuda), 0);
  expect_error(ErrorKind::device, "this build has no cuda backend", [&] { require_device(cuda); });
  expect_error(ErrorKind::device, "this build has no cuda backend",
               [&] { Tensor::zeros({2}, DType::f32, cuda); });
}

TEST(Device, AProgramWithoutTheEmulatorSaysSo) {
  EXPECT_EQ(device_count(DeviceType::simt), 0);
  expect_error(ErrorKind::device, "this build has no simt backend",
               [] { Tensor::zeros({2}, DType::f32, {DeviceType::simt, 0}); });
}

TEST(Device, AnIndexBeyondTheMachineIsRefused) {
  if (!detail::cuda_runtime()) GTEST_SKIP() << "this build has no CUDA";
  expect_error(ErrorKind::device, "no device cuda:1000", [] { require_device({DeviceType::cuda, 1000}); });
}

TEST(Error, TheKindIsTheExitCode) {
  EXPECT_EQ(Error(ErrorKind::internal, "").exit_code(), 1);
  EXPECT_EQ(Error(ErrorKind::usage, "").exit_code(), 2);
  EXPECT_EQ(Error(ErrorKind::data, "").exit_code(), 3);
  EXPECT_EQ(Error(ErrorKind::io, "").exit_code(), 4);
  EXPECT_EQ(Error(ErrorKind::numeric, "").exit_code(), 5);
  EXPECT_EQ(Error(ErrorKind::device, "").exit_code(), 6);
}

TEST(Error, AFailedCheckNamesItsPlace) {
  expect_error(ErrorKind::internal, "one is small (tensor/device_test.cpp:",
               [] { VAE_CHECK(1 > 2, "one is {}", "small"); });
}

}  // namespace
}  // namespace vae
