// m1: the unsupervised VAE of Kingma et al. (2014)
#include "tools/m1_m2/options.h"

int main(int argc, char** argv) {
  using namespace vae;
  return tool::run<m1_m2::M1Options>(
      argc, argv,
      {"m1",
       "M1: the unsupervised VAE of Kingma et al. (2014).",
       m1_m2::m1_preset,
       {tool::test_inspection<m1_m2::M1Options>("accuracy and likelihood of a trained run"),
        tool::pictures_inspection<m1_m2::M1Options>("visualize")}});
}
