// y[filter][position] = the sum over k of w[filter][k] x[offset(k) + position]: what a convolution is, once its input stands padded.
//
// Every sum is one chain of fused multiply-adds over k, cut into blocks of 256 whose sums are added in order: that of matrix_product. A
// position's answer depends on no other one, and on no instruction set among those with fma.
#pragma once
#include <cstdint>
#include <memory>
#include <span>

namespace onward {

// Filters of one or more groups, laid out once. T: float or double.
template <class T> class PackedFilters {
 public:
  PackedFilters(const T* w, int64_t groups, int64_t filters, int64_t k);       // reads w [groups][filters][k]; keeps nothing of it

  // One group over some positions. An output row is `length` positions from rows[i] on, stored at y + i * length; what lies between the
  // rows is computed and dropped.
  struct Slide {
    const T* x;
    std::span<const int64_t> offsets;                      // of every k
    std::span<const int64_t> rows;                         // where each output row begins: ascending
    int64_t length;
    const T* bias;                                         // of the group's filters; may be null
    T* y;                                                  // [filters][rows.size() * length]
    int64_t positions;                                     // all there are: the end of the last row
    bool readable_behind;                                  // x may be read for `together` positions behind the last one
  };
  static constexpr int64_t together = 256;                 // positions at a time
  void run(const Slide& slide, int64_t group, int64_t begin, int64_t end) const;    // [begin, end): a multiple of `together`, or the end

 private:
  using Run = void (*)(const Slide& slide, const T* packed, int64_t filters, int64_t begin, int64_t end);
  std::unique_ptr<T[]> data_;
  int64_t filters_ = 0, k_ = 0;
  Run run_ = nullptr;                                      // of the instruction set that the layout is for
};

}  // namespace onward
