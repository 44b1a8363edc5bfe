#include "onward/ops/fourier.h"

#include <numbers>

namespace onward {

static std::complex<double> unit(double turns) { return std::polar(1.0, 2 * std::numbers::pi * turns); }

Fourier::Fourier(int64_t n, bool inverse) : n_(n), inverse_(inverse) {
  if (n < 1 || n > int64_t(1) << 30) fail(Code::limit_size, "a Fourier transform of ", n, " elements");
  int64_t size = n;
  if (n & (n - 1)) {
    padded_ = 1;
    while (padded_ < 2 * n - 1) padded_ *= 2;
    size = padded_;
  }
  for (int64_t k = 0; k < size / 2; ++k) roots_.push_back(unit(-double(k) / double(size)));
  if (!padded_) return;
  for (int64_t k = 0; k < n; ++k) chirp_.push_back(unit((inverse ? 1.0 : -1.0) * double(k * k % (2 * n)) / double(2 * n)));
  kernel_.assign(size_t(padded_), Complex(0));
  for (int64_t k = 0; k < n; ++k) kernel_[size_t(k)] = kernel_[size_t((padded_ - k) % padded_)] = std::conj(chirp_[size_t(k)]);
  powers_of_two(kernel_.data(), padded_, false);
}

void Fourier::run(Complex* x) const {
  if (!padded_) powers_of_two(x, n_, inverse_);
  else {
    std::vector<Complex> work(static_cast<size_t>(padded_));
    for (int64_t k = 0; k < n_; ++k) work[size_t(k)] = x[k] * chirp_[size_t(k)];
    powers_of_two(work.data(), padded_, false);
    for (int64_t k = 0; k < padded_; ++k) work[size_t(k)] *= kernel_[size_t(k)];
    powers_of_two(work.data(), padded_, true);
    for (int64_t k = 0; k < n_; ++k) x[k] = work[size_t(k)] * chirp_[size_t(k)] / double(padded_);
  }
  if (inverse_) for (int64_t k = 0; k < n_; ++k) x[k] /= double(n_);
}

// Without the division; `n` is the length that the roots were made for.
void Fourier::powers_of_two(Complex* x, int64_t n, bool inverse) const {
  for (int64_t i = 1, j = 0; i < n; ++i) {
    int64_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  for (int64_t half = 1; half < n; half *= 2)
    for (int64_t start = 0; start < n; start += 2 * half)
      for (int64_t k = 0; k < half; ++k) {
        const Complex root = inverse ? std::conj(roots_[size_t(k * (n / (2 * half)))]) : roots_[size_t(k * (n / (2 * half)))];
        const Complex a = x[start + k], b = x[start + k + half] * root;
        x[start + k] = a + b, x[start + k + half] = a - b;
      }
}

}  // namespace onward
