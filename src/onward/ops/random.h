// The generator behind operators that draw numbers: the Mersenne twister, seeded and read as numpy's legacy generator does it.
#pragma once
#include <optional>
#include <random>

namespace onward {

class Random {
 public:
  explicit Random(std::optional<double> seed);            // none: from the machine's entropy
  double uniform();                                       // in [0, 1), 53 bits
  double normal();                                        // mean 0, variance 1
 private:
  std::mt19937 twister_;
  std::optional<double> spare_;
};

}  // namespace onward
