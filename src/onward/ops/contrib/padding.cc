// RemovePadding, RestorePadding: the tokens of a batch without those behind the end of each entry, and the way back.
#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct RemovePadding : contrib::RemovePadding {
  void infer(Inference& io) const {
    const Dims& x = io.dims(0);
    if (x.size() != 3) invalid("the input has shape ", shown(x), ", expected three axes");
    if (!io.symbols && io.dims(1) != Dims{x[0]}) invalid("counts of shape ", shown(io.dims(1)), " for a batch of ", x[0]);
    const auto counts = io.values(1);
    int64_t total = 0;
    if (counts) for (int64_t n : *counts) {
      if (n < 0 || (!is_symbol(x[1]) && n > x[1])) invalid(n, " tokens in an entry of ", x[1]);
      total += n;
    }
    io.output(0, {counts ? total : io.unknown(), x[2]}), io.output(1, DataType::i32, {x[0], x[1]});
    io.output(2, DataType::i32, {io.add(x[0], 1)}), io.output(3, DataType::i32, {1});
  }

  template <class T> void run(In<T> x, Integers counts, Out<T> y, Out<int32_t> offsets, Out<int32_t> ends, Out<int32_t> longest) const {
    const int64_t batch = x.dims[0], steps = x.dims[1], width = x.dims[2];
    int64_t kept = 0;
    ends[0] = 0, longest[0] = 0;
    for (int64_t b = 0; b < batch; ++b) {
      for (int64_t t = 0; t < counts[size_t(b)]; ++t, ++kept) {
        std::copy_n(x.data + (b * steps + t) * width, width, y.data + kept * width);
        offsets[kept] = int32_t(b * steps + t);
      }
      ends[b + 1] = int32_t(kept), longest[0] = std::max(longest[0], int32_t(counts[size_t(b)]));
    }
    for (int64_t b = 0; b < batch; ++b) for (int64_t t = counts[size_t(b)]; t < steps; ++t) offsets[kept++] = int32_t(b * steps + t);
  }
};

struct RestorePadding : contrib::RestorePadding {
  void infer(Inference& io) const {
    const Dims &x = io.dims(0), &offsets = io.dims(1);
    if (x.size() != 2 || offsets.size() != 2) invalid("tokens of shape ", shown(x), " and offsets of shape ", shown(offsets), ", expected two axes each");
    if (!io.symbols && x[0] > product(offsets, 0, 2)) invalid(x[0], " tokens for offsets of shape ", shown(offsets));
    io.output(0, {offsets[0], offsets[1], x[1]});
  }
  template <class T> void run(In<T> x, Integers offsets, Out<T> y) const {
    const int64_t width = x.dims[1], room = int64_t(offsets.size());
    std::fill(y.begin(), y.end(), T{});
    for (int64_t i = 0; i < x.dims[0]; ++i) {
      const int64_t to = offsets[size_t(i)];
      if (to < 0 || to >= room) invalid("offset ", to, " among ", room, " places");
      std::copy_n(x.data + i * width, width, y.data + to * width);
    }
  }
};

}  // namespace

Operators contrib_padding() {
  return {define<RemovePadding, by_width(RemovePadding::T)>({.examples = {
              "float [[[1], [9]], [[2], [3]]], int32 [1, 2] -> float [[1], [2], [3]], int32 [[0, 2], [3, 1]], int32 [0, 1, 3], int32 [2]"}}),
          define<RestorePadding, by_width(RestorePadding::T)>({.examples = {"float [[1], [2], [3]], int32 [[0, 2], [3, 1]] -> float [[[1], [0]], [[2], [3]]]"}})};
}

}  // namespace onward::ops
