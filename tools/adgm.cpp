// adgm: auxiliary deep generative models and their semi-supervised relatives
#include "tools/adgm/experiment.h"
#include "tools/common/cli.h"

int main(int argc, char** argv) {
  vae::limit_spinning(argv);
  return vae::guarded_main([&] {
    return vae::adgm_tools::run_tool(
        argc, argv, vae::adgm_tools::Tool::adgm, "adgm",
        "Auxiliary deep generative models (Maaloe et al., 2016) and relatives with labels.");
  });
}
