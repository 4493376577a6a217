#pragma once
// Well-formed inputs of each target, from which fuzzing starts.
#include <map>
#include <string>
#include <vector>

namespace vae::fuzz {

std::map<std::string, std::vector<std::string>> seeds();

}  // namespace vae::fuzz
