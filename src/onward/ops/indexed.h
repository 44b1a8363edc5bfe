// Elements and slices that index tensors name: what GatherElements, GatherND and the scatters share.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

[[noreturn]] void index_outside(int64_t index, int64_t size);

// An index that may be negative.
inline int64_t bounded(int64_t index, int64_t size) {
  if (index < -size || index >= size) [[unlikely]] index_outside(index, size);
  return index < 0 ? index + size : index;
}

// The elements of data that a tensor of indices names: each one's own place, but `axis` by the index. They are walked along a row of the
// last axis at a time.
struct ElementRows {
  struct Row {
    int64_t base, advance, stride, size;
    int64_t offset(int64_t k, int64_t index) const { return base + k * advance + bounded(index, size) * stride; }
  };
  ElementRows(std::span<const int64_t> data, std::span<const int64_t> shape, int64_t axis);
  // f(first, row): element `first` of the indices begins a row.
  template <class F> void each(F&& f) const {
    Dims place(outer.size());
    int64_t base = 0;
    for (int64_t first = 0; first < total; first += length) {
      f(first, Row{base, advance, stride, size});
      for (size_t k = outer.size(); k-- > 0;) {
        const bool wrapped = ++place[k] == outer[k];
        base += strides[k] * (wrapped ? 1 - outer[k] : 1);
        if (!wrapped) break;
        place[k] = 0;
      }
    }
  }

  int64_t size = 1, stride = 1, advance = 0, length = 1, total = 1;
  Dims outer, strides;                                    // all axes but the last; that of the indices moves nothing
};

// The last axis of `indices` names slices of data: an offset each, and how long every slice is. The first `batch` axes are common.
struct Slices {
  std::vector<int64_t> offsets;
  int64_t length = 1;
};
Slices slice_offsets(std::span<const int64_t> data, std::span<const int64_t> shape, std::span<const int64_t> indices, int64_t batch = 0);

// Writes `updates` into `out`, `length` elements at every offset, or joins them to what is there: add, mul, max, min.
void scatter(const Tensor& out, const Tensor& updates, std::span<const int64_t> offsets, int64_t length, std::string_view reduction);
void check_reduction(std::string_view reduction);
// The same for single elements, which `indices` names along an axis.
void scatter_elements(const Tensor& out, const Tensor& indices, const Tensor& updates, int64_t axis, std::string_view reduction);

}  // namespace onward
