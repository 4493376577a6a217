#include "kernels/simt/shared.h"

namespace vae::simt {

void Ledger::check_range(const Index& i) const {
  const auto count = static_cast<int64_t>(cells_.size());
  if (i.value < 0 || i.value >= count)
    fault(i.site, fmt::format("shared {}[{}] is out of range, it has {} elements", name_, i.value, count));
}

void Ledger::race(const Index& i, const char* verb, const Moment& other, const char* other_verb) const {
  fault(i.site, fmt::format("{} shared {}[{}], which {} {} with no barrier between", verb, name_, i.value,
                            describe(other), other_verb));
}

void Ledger::read(const Index& i) {
  Cell& cell = cells_[static_cast<size_t>(i.value)];
  const Moment reader = now(i.site);
  if (cell.writer.block != reader.block)
    fault(i.site, fmt::format("reads shared {}[{}], which the block has not written", name_, i.value));
  if (unordered(cell.writer, reader)) race(i, "reads", cell.writer, "wrote");
  if (!cell.readers.empty() && cell.readers.back().epoch != reader.epoch) cell.readers.clear();
  // Two threads of a warp say as much as all of it: any thread is another one than one of them.
  if (const size_t n = cell.readers.size();
      n >= 2 && in_one_warp(cell.readers[n - 1], reader) && in_one_warp(cell.readers[n - 2], reader))
    return;
  if (!cell.readers.empty() && cell.readers.back().thread == reader.thread)
    cell.readers.back() = reader;
  else
    cell.readers.push_back(reader);
}

void Ledger::write(const Index& i) {
  Cell& cell = cells_[static_cast<size_t>(i.value)];
  const Moment writer = now(i.site);
  if (unordered(cell.writer, writer)) race(i, "writes", cell.writer, "wrote");
  for (const Moment& reader : cell.readers)
    if (unordered(reader, writer)) race(i, "writes", reader, "read");
  cell.writer = writer;
}

}  // namespace vae::simt
