// shot_vae: SHOT-VAE, Feng et al. (2021), on a deep backbone
#include "tools/shot_vae/options.h"

int main(int argc, char** argv) {
  using namespace vae::shot_vae;
  return vae::tool::run(argc, argv, shot_tool(Method::shot));
}
