#pragma once
// What a tool is made of.
#include <string>
#include <utility>
#include <vector>

namespace vae::tool {

/// The commit that the tool was built from: "-dirty" where files had changed, "unknown" outside of a
/// checkout.
std::string commit();

/// The commit; the compiler; the back ends; the libraries, with the versions that were loaded where they tell
/// (fmt, nlohmann-json and CLI11 are those compiled in). Each with its name.
std::vector<std::pair<std::string, std::string>> version_facts();

/// What `--version` prints, one line each: the tool and the version of vaekit, and those facts.
std::string version_text(const std::string& tool);

}  // namespace vae::tool
