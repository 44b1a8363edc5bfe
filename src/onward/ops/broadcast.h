// Broadcasting: the common shape of several, and the walk over it row by row.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

Dims broadcast(const Dims& a, const Dims& b, Symbols* symbols = nullptr);
Dims broadcast(const Inference& io);    // of all inputs

// Cuts a broadcast of at most four operands to `out` into rows in which every operand either advances by one or stands still.
class Rows {
 public:
  static constexpr size_t most = 4;
  Rows(std::span<const int64_t> out, std::span<const std::span<const int64_t>> operands);
  int64_t length() const { return length_; }
  int64_t count() const { return length_ ? total_ / length_ : 0; }
  bool advances(size_t operand) const { return inner_[operand]; }

  // f(offset of the row in the output, offsets of the row in each operand) for rows [begin, end)
  template <class F> void each(int64_t begin, int64_t end, F&& f) const {
    if (begin >= end) return;
    int64_t offset[most] = {};
    Dims index(outer_.size());
    int64_t rest = begin;
    for (size_t axis = outer_.size(); axis-- > 0;) {
      index[axis] = rest % outer_[axis], rest /= outer_[axis];
      for (size_t k = 0; k < operands_; ++k) offset[k] += strides_[k][axis] * index[axis];
    }
    for (int64_t row = begin; row < end; ++row) {
      f(row * length_, std::span<const int64_t>(offset, operands_));
      for (size_t axis = outer_.size(); axis-- > 0;) {
        const bool wrapped = ++index[axis] == outer_[axis];
        for (size_t k = 0; k < operands_; ++k) offset[k] += strides_[k][axis] * (wrapped ? 1 - outer_[axis] : 1);
        if (!wrapped) break;
        index[axis] = 0;
      }
    }
  }
  template <class F> void each(F&& f) const { each(0, count(), f); }

 private:
  int64_t total_, length_ = 1;
  size_t operands_;
  Dims outer_;
  Dims strides_[most];                  // per operand, per outer axis
  bool inner_[most] = {};
};

}  // namespace onward
