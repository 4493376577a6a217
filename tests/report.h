#pragma once
// What a passing test has to say, which ctest hides: it shows the reports of its own run at its end.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

namespace vae::test {

/// Prints text and leaves it as the report `name` in the folder of the ctest run that runs this test.
inline void report(const std::string& name, const std::string& text) {
  std::cout << text;
  const char* folder = std::getenv("VAE_TEST_REPORTS");
  if (!folder || !*folder) return;  // run by hand: whoever started it reads the output
  std::filesystem::create_directories(folder);
  std::ofstream(std::filesystem::path(folder) / (name + ".txt")) << text;
}

}  // namespace vae::test
