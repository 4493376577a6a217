#pragma once
// What a kernel has to do at least, what the machine can do, and so how long it takes the machine.
#include <string>

namespace vae::bench {

/// Of one call.
struct Work {
  double read = 0, written = 0, updated = 0;  ///< bytes of operands, of results, of what is both in one place
  double flops = 0;                           ///< 0: memory is what limits it
  bool direct = false;                        ///< `flops` are the direct algorithm's; Winograd's needs fewer

  /// What is counted: operations, or else bytes moved.
  double amount() const { return flops > 0 ? flops : read + written + 2 * updated; }
};

/// Rates per second: bytes read, bytes written, bytes of a copy and of an update in place (read and written),
/// operations of a product.
struct Peaks {
  double read, write, copy, update, product;
};

struct Bound {
  std::string
      kind;  ///< "product", "direct", or of "copy", "read", "write", "update" those that count: "copy+read"
  double seconds;
};

/// The time of some work at the rates of the machine. As much as is read and as much written goes at the rate
/// of a copy, what is left at that of reading or writing alone; operations go at the rate of a large matrix
/// product. "direct" is no least time: another algorithm may need fewer operations than are counted.
Bound bound_of(const Work& work, const Peaks& peaks);

}  // namespace vae::bench
