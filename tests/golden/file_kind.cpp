#include "file_kind.h"

#include <algorithm>
#include <memory>

namespace vae::golden {
namespace {

Outcome run(const FileKind& kind, const File& file, DType dtype) try {
  Numbers numbers(file, dtype);
  Values values = kind.run(numbers);
  return {.kind = kind.name,
          .values = std::move(values),
          .inputs = numbers.read(),
          .tolerance = [&kind, &file,
                        dtype](const std::string& name) { return kind.tolerance(file, name, dtype); },
          .updates =
              [&kind, &file](const std::string& name) {
                return kind.updates ? kind.updates(file, name) : std::vector<Update>{};
              }};
} catch (const nlohmann::json::exception& error) {
  fail(ErrorKind::data, "configuration: {}", error.what());
}

}  // namespace

Family family_of(std::string system, std::vector<FileKind> kinds) {
  const auto all = std::make_shared<const std::vector<FileKind>>(std::move(kinds));
  const auto kind_of = [all](const File& file) {
    const auto found = std::ranges::find_if(*all, [&](const FileKind& k) { return k.fits(file.config); });
    return found == all->end() ? nullptr : &*found;
  };
  return {.system = std::move(system),
          .precisions =
              [=](const File& file) {
                const FileKind* kind = kind_of(file);
                return kind ? kind->precisions : std::vector{DType::f64};  // which then fails
              },
          .run =
              [=](const File& file, DType dtype) {
                const FileKind* kind = kind_of(file);
                if (!kind) fail(ErrorKind::data, "{}: a kind of file that is not run", file.name);
                return run(*kind, file, dtype);
              }};
}

}  // namespace vae::golden
