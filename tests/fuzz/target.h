#pragma once
// Targets of fuzzing: what a reader makes of any bytes. libFuzzer drives one program for each, and test_fuzz
// replays the kept inputs through all of them.
#include <cstddef>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tensor/error.h"

namespace vae::fuzz {

using Bytes = std::span<const std::byte>;
using Target = std::function<void(Bytes)>;

/// Those of this program, by name.
std::map<std::string, Target>& targets();

/// Runs what reads an input, which may refuse it as bad data, or by one of the kinds in `also`; whether it
/// did not. Ends the program for an error of another kind.
bool accepts(const std::function<void()>& read, std::initializer_list<ErrorKind> also = {});

/// Ends the program, saying what does not hold, where it does not.
void require(bool holds, const char* what);

/// A file of that content, in a folder of this process that ends with it.
std::filesystem::path file(const std::string& name, Bytes content);
std::filesystem::path folder();

/// The input as texts between lines "--".
std::vector<std::string> parts(Bytes input);
std::string text(Bytes input);
Bytes bytes(const std::string& text);

}  // namespace vae::fuzz

/// Defines what a target does with `input`.
#define VAE_FUZZ_TARGET(name)                                                                     \
  static void fuzz_##name(::vae::fuzz::Bytes input);                                              \
  static const bool is_target_##name = ::vae::fuzz::targets().emplace(#name, fuzz_##name).second; \
  static void fuzz_##name([[maybe_unused]] ::vae::fuzz::Bytes input)
