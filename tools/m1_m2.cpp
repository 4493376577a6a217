// m1_m2: M2 on features of a pre-trained M1, Kingma et al. (2014)
#include "tools/common/cli.h"
#include "tools/m1_m2/experiment.h"

int main(int argc, char** argv) {
  vae::limit_spinning(argv);
  return vae::guarded_main([&] {
    return vae::run_tool(argc, argv, vae::Tool::m1_m2, "m1_m2",
                         "M1+M2: M2 on features of a pre-trained M1, Kingma et al. (2014).");
  });
}
