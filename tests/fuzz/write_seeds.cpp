// fuzz_seeds FOLDER: writes the inputs that fuzzing starts from, a folder of each target.
#include <cstdio>

#include "tensor/file.h"
#include "tests/fuzz/seeds.h"

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: fuzz_seeds FOLDER\n", stderr), 2;
  for (const auto& [target, inputs] : vae::fuzz::seeds()) {
    const auto folder = std::filesystem::path(argv[1]) / target;
    std::filesystem::create_directories(folder);
    for (size_t i = 0; i < inputs.size(); ++i)
      vae::write_file_atomically(folder / ("seed-" + std::to_string(i)), inputs[i]);
  }
}
