#pragma once
// Shared memory of the emulator: an array that checks every access. Reading what the block has not written,
// an index out of range, and two accesses of which one writes without a barrier between are errors.
#include <type_traits>
#include <vector>

#include "kernels/simt/machine.h"

namespace vae::simt {

/// An index and the place where it was used.
struct Index {
  template <class Integer>
  requires std::is_integral_v<Integer> Index(Integer i, Site place = Site::current())
      : value(static_cast<int64_t>(i)), site(place) {}
  int64_t value;
  Site site;
};

/// Who wrote and read each element since the last barrier.
class Ledger {
 public:
  Ledger(const char* name, int64_t count) : name_(name), cells_(static_cast<size_t>(count)) {}
  void check_range(const Index& i) const;
  void read(const Index& i);
  void write(const Index& i);

 private:
  struct Cell {
    Moment writer;
    std::vector<Moment> readers;  // since the last barrier
  };
  [[noreturn]] void race(const Index& i, const char* verb, const Moment& other, const char* other_verb) const;
  const char* name_;
  std::vector<Cell> cells_;
};

/// What VAE_SHARED declares. One block runs at a time, so there is one for all.
template <class T, int64_t count>
class SharedArray {
  static_assert(std::is_trivially_copyable_v<T> && count > 0 && sizeof(T) * count <= 48 * 1024,
                "a device has 48 KiB for the arrays of a block");

  /// Stands for an element: is assigned to, or converts to its value. Made to be used at once.
  class Element {
   public:
    Element(SharedArray& array, const Index& i) : array_(array), i_(i) {}
    Element(const Element&) = delete;
    operator T() && {
      array_.ledger_.read(i_);
      return array_.values_[i_.value];
    }
    const T& operator=(const T& value) && {
      array_.ledger_.write(i_);
      return array_.values_[i_.value] = value;
    }
    const T& operator=(Element&& other) && { return std::move(*this) = static_cast<T>(std::move(other)); }
    const T& operator+=(const T& value) && {
      array_.ledger_.read(i_);
      return std::move(*this) = array_.values_[i_.value] + value;
    }

   private:
    SharedArray& array_;
    Index i_;
  };

 public:
  explicit SharedArray(const char* name) : ledger_(name, count) {}
  Element operator[](Index i) {
    ledger_.check_range(i);
    return {*this, i};
  }

 private:
  Ledger ledger_;
  T values_[static_cast<size_t>(count)];
};

}  // namespace vae::simt
