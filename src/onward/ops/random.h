// The generator behind operators that draw numbers: the Mersenne twister, seeded and read as numpy's legacy generator does it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

namespace onward {

class Random {
 public:
  explicit Random(std::optional<double> seed);            // none: from the machine's entropy
  // In [0, 1), 53 bits.
  double uniform() {
    double next;
    uniform(&next, 1);
    return next;
  }
  void uniform(double* to, size_t n);
  void normal(double* to, size_t n);                      // mean 0, variance 1

 private:
  static constexpr size_t words = 624;
  void refill();

  uint32_t state_[words], drawn_[words];
  size_t used_ = words;                                   // of `drawn_`; an even number
  std::optional<double> spare_;
};

}  // namespace onward
