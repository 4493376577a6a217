#pragma once
// What a passing test has to say, which ctest hides: it shows all reports at its end.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

namespace vae::test {

/// Prints text and leaves it as the report `name`.
inline void report(const std::string& name, const std::string& text) {
  std::cout << text;
  std::filesystem::create_directories(VAE_TEST_REPORTS);
  std::ofstream(std::filesystem::path(VAE_TEST_REPORTS) / (name + ".txt")) << text;
}

}  // namespace vae::test
