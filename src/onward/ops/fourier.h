// The discrete Fourier transform of any length, in double: powers of two by halving (Cooley and Tukey), other lengths as a
// convolution of one that is (Bluestein). Made once for a length; run by any thread.
#pragma once
#include <complex>
#include <vector>

#include "onward/ops/operator.h"

namespace onward {

class Fourier {
 public:
  Fourier(int64_t n, bool inverse);                       // the inverse is divided by n
  void run(std::complex<double>* x) const;                // n elements, in place

 private:
  using Complex = std::complex<double>;
  int64_t n_, padded_ = 0;                                // padded: the power of two that Bluestein works in, 0 without
  bool inverse_;
  std::vector<Complex> roots_, chirp_, kernel_;
  void powers_of_two(Complex* x, int64_t n, bool inverse) const;
};

}  // namespace onward
