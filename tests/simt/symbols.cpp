#include "tests/simt/symbols.h"

#include <cxxabi.h>
#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "tests/read_text.h"

namespace vae::test {
namespace {

std::string demangled(const char* symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(symbol, nullptr, nullptr, &status),
                                                    std::free);
  return status == 0 ? text.get() : symbol;
}

/// Where the executable is loaded, relative to the addresses in its file.
uintptr_t load_offset() {
  uintptr_t offset = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* result) {
        *static_cast<uintptr_t*>(result) = info->dlpi_addr;
        return 1;  // the first entry is the executable
      },
      &offset);
  return offset;
}

template <class T>
T read_at(const std::string& file, size_t offset) {
  T value;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

}  // namespace

std::map<const void*, std::string> function_symbols() {
  const std::string file = read_text("/proc/self/exe");
  const auto header = read_at<ElfW(Ehdr)>(file, 0);
  const auto section = [&](size_t i) {
    return read_at<ElfW(Shdr)>(file, header.e_shoff + i * header.e_shentsize);
  };
  std::map<const void*, std::string> names;
  for (size_t i = 0; i < header.e_shnum; ++i) {
    const auto table = section(i);
    if (table.sh_type != SHT_SYMTAB) continue;
    const auto strings = section(table.sh_link);
    for (size_t at = 0; at < table.sh_size; at += sizeof(ElfW(Sym))) {
      const auto symbol = read_at<ElfW(Sym)>(file, table.sh_offset + at);
      const char* name = file.data() + strings.sh_offset + symbol.st_name;
      const bool part = std::strchr(name, '.');  // of a function that the compiler has split
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_value && !part)
        names[reinterpret_cast<const void*>(load_offset() + symbol.st_value)] = demangled(name);
    }
  }
  return names;
}

}  // namespace vae::test
