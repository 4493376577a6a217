// m2: the semi-supervised VAE of Kingma et al. (2014)
#include "tools/common/cli.h"
#include "tools/m1_m2/experiment.h"

int main(int argc, char** argv) {
  vae::limit_spinning(argv);
  return vae::guarded_main([&] {
    return vae::run_tool(argc, argv, vae::Tool::m2, "m2",
                         "M2: the semi-supervised VAE of Kingma et al. (2014).");
  });
}
