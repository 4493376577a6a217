// shot_classifier: a classifier on a deep backbone, from labelled images alone or by FixMatch
#include "tools/shot_vae/classifier_options.h"

int main(int argc, char** argv) {
  return vae::tool::run(argc, argv, vae::shot_vae::classifier_tool());
}
