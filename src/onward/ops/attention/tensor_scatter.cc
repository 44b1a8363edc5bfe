// TensorScatter: a cache with new entries written along its sequence axis, at a place for every batch entry, around the end if circular.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct TensorScatter : standard::TensorScatter {
  void prepare(const Preparation&) const {
    if (mode != "linear" && mode != "circular") invalid("mode is '", mode, "', expected linear or circular");
  }
  void infer(Inference& io) const {
    const Dims& cache = io.dims(0);
    Dims expected = cache;
    const int64_t at = axis_of(axis, int64_t(cache.size()));
    if (at == 0) invalid("the sequence axis is the batch axis");
    if (io.dims(1).size() == cache.size()) expected[size_t(at)] = io.dims(1)[size_t(at)];
    if (!io.symbols && (io.dims(1) != expected || expected[size_t(at)] > cache[size_t(at)])) invalid("an update of shape ", shown(io.dims(1)), " for a cache of shape ", shown(cache));
    io.output(0, cache);
  }
  template <class T> void run(In<T> cache, In<T> update, Integers starts, Out<T> y) const {
    const int64_t at = axis_of(axis, cache.rank()), room = cache.dims[size_t(at)], n = update.dims[size_t(at)];
    const int64_t outer = product(cache.dims, 0, at), inner = product(cache.dims, at + 1, cache.rank()), batch = cache.dims[0];
    if (starts.given && int64_t(starts.size()) != batch) invalid(starts.size(), " write indices for a batch of ", batch);
    for (int64_t start : starts) if (start < 0 || (mode == "linear" && start > room - n)) invalid("write index ", start, " for ", n, " entries in a cache of ", room);
    if (cache.data != y.data) std::copy(cache.begin(), cache.end(), y.data);
    for (int64_t row = 0; row < outer && y.size; ++row) {
      const int64_t start = starts.given ? starts[size_t(row / (outer / batch))] % room : 0;
      for (int64_t i = 0; i < n; ++i) std::copy_n(update.data + (row * n + i) * inner, inner, y.data + (row * room + (start + i) % room) * inner);
    }
  }
};

}  // namespace

Operators attention_tensor_scatter() {
  return {define<TensorScatter, by_width(TensorScatter::T)>({.examples = {"float [[[1], [2], [3]]], float [[[7], [8]]], int64 [2]; mode=\"circular\" -> float [[[8], [2], [7]]]"}})};
}

}  // namespace onward::ops
