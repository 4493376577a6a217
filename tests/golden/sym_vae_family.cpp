#include "sym_vae_run.h"

namespace vae::golden {

Family sym_vae_family() {
  return family_of("sym-vae", {sym_vae_training(), sym_vae_chain(), sym_vae_data(), sym_vae_frechet(),
                               sym_vae_inception()});
}

}  // namespace vae::golden
