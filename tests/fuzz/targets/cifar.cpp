#include "data/cifar.h"

#include "data/gzip.h"
#include "tests/data/tar_archive.h"
#include "tests/fuzz/target.h"

/// A file of records and one of names, in a folder and in an archive, as either set.
VAE_FUZZ_TARGET(cifar) {
  using namespace vae;
  const std::vector<std::string> parts = fuzz::parts(input);
  const std::string records = parts[0], names = parts.size() > 1 ? parts[1] : "";
  for (const std::string name : {"cifar10", "cifar100"}) {
    const bool coarse = name == "cifar100";
    const std::string of_records = coarse ? "test.bin" : "test_batch.bin",
                      of_names = coarse ? "fine_label_names.txt" : "batches.meta.txt";
    const data::FoundFiles plain{
        fuzz::folder(),
        {fuzz::file(of_records, fuzz::bytes(records)), fuzz::file(of_names, fuzz::bytes(names))},
        {}};
    data::Dataset of_files, of_archive;
    if (!fuzz::accepts([&] { of_files = data::read_cifar(name, data::Part::test, plain); })) continue;
    const std::string archive =
        test::tar_entry(of_records, records) + test::tar_entry(of_names, names) + test::kTarEnd;
    const data::FoundFiles packed{
        fuzz::folder(), {}, fuzz::file("archive.tar.gz", data::gzip(fuzz::bytes(archive)))};
    fuzz::require(fuzz::accepts([&] { of_archive = data::read_cifar(name, data::Part::test, packed); }),
                  "files as archive");
    fuzz::require(of_files.sha256 == of_archive.sha256, "the same images");
  }
}
