#include "kernels/simt/dry_run.h"

#include "tensor/error.h"

namespace vae::simt {
namespace {

int64_t g_nodes = -1;  // none lives

}  // namespace

DryRun::DryRun() {
  if (dry()) fail(ErrorKind::internal, "simt: a dry run within another");
  g_nodes = 0;
}
DryRun::~DryRun() { g_nodes = -1; }
int64_t DryRun::nodes() const { return g_nodes; }

bool dry() { return g_nodes >= 0; }
bool counted() {
  if (dry()) ++g_nodes;
  return dry();
}

}  // namespace vae::simt
