#pragma once
// Options that every training tool has: where the run lies, how long it is, seeds, device.
#include "kernels/precision.h"
#include "nn/train/loop.h"
#include "nn/train/task.h"
#include "tensor/communicator.h"
#include "tools/common/option_table.h"

namespace vae::tool {

struct DeviceOptions {
  Device device;
  int threads = 0;
  kernels::Precision precision = kernels::Precision::fp32;
  GraphMode graph = GraphMode::automatic;
};

struct RunOptions : DeviceOptions {
  std::filesystem::path run, config;
  uint64_t seed = 1;
  std::vector<uint64_t> seeds;  ///< one run each, in sub-directories seed_N
  int64_t epochs = 1, iters_per_epoch = 2000, log_every = 0, checkpoint_every = 0, benchmark = 0;
  bool counts_passes = false;  ///< epochs of 0 iterations are passes over the images
  bool resume = false, fresh = false, quiet = false;
  parallel::Statistics statistics = parallel::Statistics::global;  ///< of batch norms, on several ranks
  DType grad_reduce = DType::f32;                      ///< in which gradients are added up over the ranks
  double comm_timeout = 30;                            ///< seconds that a rank waits for others
  train::Weights weights = train::Weights::automatic;  ///< that an inspection looks at

  train::RunDirectory::Mode mode() const;
  /// The directory `run`, opened as mode() says.
  train::RunDirectory directory() const;
  train::LoopOptions loop() const;
  train::Task::Options task(const std::string& split = "") const;
  /// Those of a run in a sub-directory: there it goes on, or is replaced, as this one is, if it was begun.
  RunOptions below(const std::string& folder) const;
};

void describe(const OptionTable& table, DeviceOptions& options);
void describe(const OptionTable& table, RunOptions& options);

/// Which weights an inspection looks at.
void describe_weights(const OptionTable& table, RunOptions& options);

/// Sets threads and returns the device, checked; throws Error(usage) for graphs on a device without.
Device prepare_device(const DeviceOptions& options);

/// Says in a line, once, where products in the precision asked for take longer than fp32.
void note_slow_products(const DeviceOptions& options);

/// Spellings "cpu", "cuda:0" and "fp32", "tf32", "bf16".
Spelling<Device> devices();
Spelling<kernels::Precision> precisions();
inline constexpr const char* kPrecisionHelp =
    "products of matrices: fp32; tf32, faster on CUDA devices; bf16, for CPUs with AVX512-BF16 or AMX";
/// "fp32", "tf32" or "bf16".
const char* name_of(kernels::Precision precision);

}  // namespace vae::tool
