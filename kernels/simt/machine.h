#pragma once
// The emulator's machine: runs the threads of a launch one at a time as fibers, block after block. A thread
// runs until it waits or ends; the others then catch up. What the CUDA programming guide forbids is an
// Error(device) that names the kernel, the block, the thread and the source line. Rules: docs/kernels.md.
#include <cstdint>
#include <functional>
#include <source_location>
#include <string>
#include <unordered_map>

#include "tensor/error.h"

namespace vae::simt {

using Site = std::source_location;

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  bool operator==(const dim3&) const = default;
};

// CUDA's built-in variables, those of the running thread.
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

/// In which order blocks, and the threads of a block, take their turns. A kernel whose result depends on it
/// is wrong.
enum class Order { forward, backward, shuffled };
void set_order(Order order, uint64_t seed = 0);

/// Sets an order for the life of the object, then goes back to forward.
class OrderScope {
 public:
  explicit OrderScope(Order order, uint64_t seed = 0) { set_order(order, seed); }
  ~OrderScope() { set_order(Order::forward); }
  OrderScope(const OrderScope&) = delete;
  OrderScope& operator=(const OrderScope&) = delete;
};

/// Calls thread() once for every thread of a grid, one grid at a time. `kernel` names it in errors, `address`
/// in launches().
void run(const char* kernel, const void* address, dim3 grid, dim3 block, const std::function<void()>& thread);

/// How often each kernel was launched, by the address of its function.
const std::unordered_map<const void*, int64_t>& launches();

/// When and by whom an access is made. Epochs count the barriers that have been passed, `block` the blocks
/// run.
struct Moment {
  int thread = -1;
  int64_t block = 0, epoch = 0, warp_epoch = 0;
  Site site;
};
Moment now(Site site);

/// Whether no barrier stands between an earlier moment and `later`, of different threads of one block.
/// Threads of a warp are ordered by __syncwarp too, but not by shuffles.
bool unordered(const Moment& earlier, const Moment& later);

/// Whether both are of one warp, with no barrier of the block or of the warp between them.
bool in_one_warp(const Moment& a, const Moment& b);

/// "thread (3,0,0) at reduce.h:41"
std::string describe(const Moment& moment);

/// Throws Error(device) about the running thread.
[[noreturn]] void fault(Site site, const std::string& what);

/// Waits for all threads of the block at one call site; none of them may have ended.
void block_barrier(const char* function, Site site);

/// An operation of the threads of a warp named by `mask`, all at one call site.
struct WarpCall {
  enum class Kind { sync, ballot, shuffle } kind = Kind::sync;
  const char* function = "";
  uint32_t mask = 0;
  uint64_t value = 0;  ///< bits given
  int source = 0;      ///< lane whose bits a shuffle gets
};
/// Returns the bits that the calling thread gets.
uint64_t warp_operation(const WarpCall& call, Site site);

/// Lane of the running thread.
int lane();

}  // namespace vae::simt
