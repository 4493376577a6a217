#include "nn/train/run_directory.h"

#include "tests/fuzz/target.h"

/// A directory with notes of its files and a configuration: a run resumes there or begins afresh, and what
/// its notes do not name stays.
VAE_FUZZ_TARGET(run_directory) {
  using namespace vae;
  using Mode = train::RunDirectory::Mode;
  auto parts = fuzz::parts(input);
  parts.resize(2);
  namespace fs = std::filesystem;
  const fs::path run = fuzz::folder() / "run";
  fs::create_directories(run / "folder");
  const auto write = [&](const std::string& name, const std::string& content) {
    fuzz::file("run/" + name, fuzz::bytes(content));
  };
  const bool noted = ("\n" + parts[0]).find("\nmine\n") != std::string::npos;
  for (const Mode mode : {Mode::resume, Mode::create, Mode::fresh}) {
    write("run.files", parts[0]);
    write("config.json", parts[1]);
    write("mine", "mine");
    write("metrics.csv", "");
    fuzz::accepts(
        [&] {
          const train::RunDirectory directory(run, mode);
          if (!directory.resumed()) return;
          const nlohmann::json config = directory.read_config();
          directory.write_config(config);
          fuzz::require(directory.read_config().size() == config.size(), "the same configuration");
        },
        {ErrorKind::usage});
    fuzz::require(noted || fs::exists(run / "mine"), "what the notes do not name stays");
    fuzz::require(fs::exists(run / "folder"), "folders stay");
  }
}
