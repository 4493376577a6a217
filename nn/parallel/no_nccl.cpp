#include "nn/parallel/nccl.h"

namespace vae::parallel {
namespace {

[[noreturn]] void fail_without() {
  fail(ErrorKind::usage, "this build has no NCCL, over which ranks on GPUs speak");
}

}  // namespace

std::string nccl_version() { return {}; }

std::string nccl_name() { fail_without(); }

std::unique_ptr<Communicator> connect_nccl(const Environment&, int, const std::string&,
                                           std::chrono::milliseconds) {
  fail_without();
}

}  // namespace vae::parallel
