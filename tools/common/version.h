#pragma once
// What a tool is made of.
#include <string>

namespace vae::tool {

/// The commit that the tool was built from: "-dirty" where files had changed, "unknown" outside of a
/// checkout.
std::string commit();

/// What `--version` prints, one line each: the tool and the version of vaekit; the commit; the compiler; the
/// back ends; the libraries, with the versions that were loaded where they tell (fmt, nlohmann-json and CLI11
/// are those compiled in).
std::string version_text(const std::string& tool);

}  // namespace vae::tool
