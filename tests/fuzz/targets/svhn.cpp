#include "data/svhn.h"

#include "data/mat_file.h"
#include "tests/fuzz/target.h"

VAE_FUZZ_TARGET(svhn) {
  using namespace vae;
  fuzz::accepts([&] { data::read_svhn(data::Part::test, fuzz::file("test_32x32.mat", input)); });
  fuzz::accepts([&] {
    for (const data::MatArray& array : data::read_mat(input, {"X", "y"}, "file"))
      for (int64_t i = 0; i < array.numel(); ++i) [[maybe_unused]] const volatile double value = array.at(i);
  });
}
