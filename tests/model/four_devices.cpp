// A test program whose model has four devices.
#include <cstdlib>

namespace {

[[maybe_unused]] const int g_set = setenv("VAE_MODEL_DEVICES", "4", 1);

}  // namespace
