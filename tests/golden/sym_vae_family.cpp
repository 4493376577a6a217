#include <algorithm>

#include "sym_vae_run.h"

namespace vae::golden {
namespace {

const std::vector<SymVaeCase>& cases() {
  static const std::vector<SymVaeCase> all{sym_vae_training(), sym_vae_chain(), sym_vae_data(),
                                           sym_vae_frechet(), sym_vae_inception()};
  return all;
}

/// The kind of a file; null for those that are not run yet.
const SymVaeCase* case_of(const File& file) {
  const auto found = std::ranges::find_if(cases(), [&](const SymVaeCase& c) { return c.fits(file.config); });
  return found == cases().end() ? nullptr : &*found;
}

Outcome run(const File& file, DType dtype) try {
  const SymVaeCase* found = case_of(file);
  if (!found) fail(ErrorKind::data, "{}: a kind of file that is not run", file.name);
  const SymVaeCase& kind = *found;
  Numbers numbers(file, dtype);
  Values values = kind.run(numbers);
  return {.kind = kind.name,
          .values = std::move(values),
          .inputs = numbers.read(),
          .tolerance = [&file, &kind,
                        dtype](const std::string& name) { return kind.tolerance(file, name, dtype); },
          .updates =
              [&file, &kind](const std::string& name) {
                return kind.updates ? kind.updates(file, name) : std::vector<Update>{};
              }};
} catch (const nlohmann::json::exception& error) {
  fail(ErrorKind::data, "configuration: {}", error.what());
}

}  // namespace

Family sym_vae_family() {
  return {.system = "sym-vae",
          .precisions =
              [](const File& file) {
                const SymVaeCase* kind = case_of(file);
                return kind ? kind->precisions : std::vector<DType>{};
              },
          .run = run};
}

}  // namespace vae::golden
