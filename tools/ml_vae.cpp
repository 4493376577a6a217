// ml_vae: the multi-level VAE of Bouchacourt et al. (2018)
#include "tools/common/cli.h"
#include "tools/ml_vae/experiment.h"

int main(int argc, char** argv) {
  vae::limit_spinning(argv);
  return vae::guarded_main([&] { return vae::run_ml_vae(argc, argv); });
}
