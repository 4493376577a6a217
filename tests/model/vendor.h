#pragma once
// Tests that call the vendors' functions of the model directly: memory of exact size, and what the model
// holds against a test.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernels/model/calls.h"
#include "tests/numeric.h"

namespace vae::test {

/// Numbers in the memory of the device that is current at the construction, not a byte more.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(const std::vector<double>& values) : values_(values.begin(), values.end()) {
    EXPECT_EQ(cudaMalloc(&data_, bytes()), cudaSuccess);
    EXPECT_EQ(cudaMemcpyAsync(data_, values_.data(), bytes(), cudaMemcpyHostToDevice, nullptr), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() const { return static_cast<T*>(data_); }
  size_t bytes() const { return values_.size() * sizeof(T); }
  /// What is there after all work of the null stream; NaN where that fails.
  std::vector<double> values() const {
    std::vector<T> now(values_.size(), static_cast<T>(std::nan("")));
    if (cudaMemcpyAsync(now.data(), data_, bytes(), cudaMemcpyDeviceToHost, nullptr) != cudaSuccess ||
        cudaStreamSynchronize(nullptr) != cudaSuccess)
      return std::vector<double>(now.size(), std::nan(""));
    return {now.begin(), now.end()};
  }

 private:
  std::vector<T> values_;
  void* data_ = nullptr;
};

inline std::vector<double> nans(int64_t n) {
  return std::vector<double>(static_cast<size_t>(n), std::nan(""));
}

/// No violation may be left at the end of a test, and device 0 is current again, whatever our code left.
class Vendor : public testing::Test {
 protected:
  void TearDown() override {
    for (const std::string& sentence : model::violations()) ADD_FAILURE() << sentence;
    forget();
    cudaSetDevice(0);
  }
  /// What is queued runs; then there is one violation, with these words. It is forgotten.
  void expect_violation(const std::string& words) {
    cudaDeviceSynchronize();
    ASSERT_EQ(model::violations().size(), 1u) << "expected: " << words;
    EXPECT_NE(model::violations()[0].find(words), std::string::npos) << model::violations()[0];
    forget();
  }

 private:
  static void forget() {
    model::reset();
    cudaGetLastError();
  }
};

/// How often a function of a vendor was called.
inline int64_t called(const std::string& function) {
  const auto found = model::calls().find(function);
  return found == model::calls().end() ? 0 : found->second;
}

}  // namespace vae::test
