// m2: the semi-supervised VAE of Kingma et al. (2014)
#include "tools/m1_m2/options.h"

int main(int argc, char** argv) {
  using namespace vae;
  return tool::run<m1_m2::M2Options>(
      argc, argv,
      {"m2",
       "M2: the semi-supervised VAE of Kingma et al. (2014).",
       m1_m2::m2_preset,
       {tool::test_inspection<m1_m2::M2Options>("accuracy and likelihood of a trained run"),
        tool::pictures_inspection<m1_m2::M2Options>("visualize"), m1_m2::analogy({})}});
}
