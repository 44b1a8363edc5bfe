// Elements and slices that index tensors name: what GatherElements, GatherND and the scatters share.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

// For every element of `indices` the offset in data that it names: its own place, but `axis` by the index, which may be negative.
std::vector<int64_t> element_offsets(std::span<const int64_t> data, std::span<const int64_t> shape, std::span<const int64_t> indices, int64_t axis);

// The last axis of `indices` names slices of data: an offset each, and how long every slice is. The first `batch` axes are common.
struct Slices {
  std::vector<int64_t> offsets;
  int64_t length = 1;
};
Slices slice_offsets(std::span<const int64_t> data, std::span<const int64_t> shape, std::span<const int64_t> indices, int64_t batch = 0);

// Writes `updates` into `out`, `length` elements at every offset, or joins them to what is there: add, mul, max, min.
void scatter(const Tensor& out, const Tensor& updates, std::span<const int64_t> offsets, int64_t length, std::string_view reduction);
void check_reduction(std::string_view reduction);

}  // namespace onward
