#pragma once
// Names of the functions of this program, those of anonymous namespaces included.
#include <map>
#include <string>

namespace vae::test {

/// Demangled name by address, from the symbol table of the executable; empty if it has been stripped.
std::map<const void*, std::string> function_symbols();

}  // namespace vae::test
