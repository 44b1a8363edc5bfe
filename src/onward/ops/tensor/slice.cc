// Slice: every step-th element between start and end along some axes; negative steps run backwards.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct Cut { int64_t first = 0, step = 1, count = 0; bool whole = true; };       // along one axis

std::vector<Cut> cuts(std::span<const int64_t> dims, std::span<const int64_t> starts, std::span<const int64_t> ends,
                      std::span<const int64_t> axes, std::span<const int64_t> steps) {
  std::vector<Cut> out;
  for (int64_t d : dims) out.push_back({0, 1, d});
  if (starts.size() != ends.size() || (!axes.empty() && axes.size() != starts.size()) || (!steps.empty() && steps.size() != starts.size()) || starts.size() > dims.size())
    invalid("starts, ends, axes and steps have ", starts.size(), ", ", ends.size(), ", ", axes.size(), " and ", steps.size(), " elements for a tensor of rank ", dims.size());
  for (size_t i = 0; i < starts.size(); ++i) {
    const int64_t axis = axis_of(axes.empty() ? int64_t(i) : axes[i], int64_t(dims.size())), size = dims[axis];
    const int64_t step = steps.empty() ? 1 : steps[i];
    if (step == 0) invalid("step 0 along axis " + std::to_string(axis));
    if (is_symbol(size)) {
      out[size_t(axis)] = {0, step, size, starts[i] == 0 && ends[i] >= INT32_MAX && step == 1};
      continue;
    }
    // Positions before the axis and behind it are pulled in, so that steps of any size cannot overflow.
    const auto bounded = [&](int64_t at) { return std::clamp(at < 0 ? std::max(at, -size - 1) + size : at, step > 0 ? int64_t(0) : int64_t(-1), step > 0 ? size : size - 1); };
    const int64_t first = bounded(starts[i]), last = bounded(ends[i]), reach = step > 0 ? last - first : first - last;
    const uint64_t stride = step > 0 ? uint64_t(step) : 0 - uint64_t(step);
    out[size_t(axis)] = {first, step, reach <= 0 ? 0 : int64_t((uint64_t(reach) - 1) / stride) + 1, false};
  }
  return out;
}

struct Slice : standard::Slice {
  void infer(Inference& io) const {
    const auto starts = io.values(1), ends = io.values(2), axes = io.values(3), steps = io.values(4);
    if (!starts || !ends || (io.has(3) && !axes) || (io.has(4) && !steps)) return;
    Dims out;
    const auto along = cuts(io.dims(0), *starts, *ends, axes.value_or(Dims{}), steps.value_or(Dims{}));
    for (const Cut& cut : along) out.push_back(is_symbol(cut.count) && !cut.whole ? io.unknown() : cut.count);
    io.output(0, out);
    if (const auto sizes = io.sizes(0); sizes && along.size() == 1 && !is_symbol(along[0].count)) {
      Dims kept;
      for (int64_t i = 0; i < along[0].count; ++i) kept.push_back((*sizes)[size_t(along[0].first + i * along[0].step)]);
      io.output_sizes(0, kept);
    }
  }

  template <class T> void run(In<T> x, Integers starts, Integers ends, Integers axes, Integers steps, Out<T> y) const {
    const auto along = cuts(x.dims, starts, ends, axes, steps);
    T* to = y.data;
    if (y.size) copy(x.data, x.dims, along, 0, x.size, to);
  }

 private:
  template <class T> static void copy(const T* from, std::span<const int64_t> dims, std::span<const Cut> along, size_t axis, int64_t size, T*& to) {
    if (size == 0) return;
    if (axis == dims.size()) { *to++ = *from; return; }
    const Cut& cut = along[axis];
    const int64_t stride = size / dims[axis];
    if (stride == 1 && cut.step == 1) { to = std::copy_n(from + cut.first, cut.count, to); return; }
    for (int64_t i = 0; i < cut.count; ++i) copy(from + (cut.first + i * cut.step) * stride, dims, along, axis + 1, stride, to);
  }
};

}  // namespace

Operators tensor_slice() {
  return {define<Slice, by_width(Slice::T)>({.examples = {
      "float [1, 2, 3, 4], int64 [1], int64 [3] -> float [2, 3]",
      "string [\"a\", \"b\", \"c\"], int64 [-1], int64 [-9], int64 [0], int64 [-1] -> string [\"c\", \"b\", \"a\"]"}})};
}

}  // namespace onward::ops
