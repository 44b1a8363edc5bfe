// Slice: every step-th element between start and end along some axes; negative steps run backwards.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct Cut { int64_t first = 0, step = 1, count = 0; };       // along one axis

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
    // Positions before the axis and behind it are pulled in, so that steps of any size cannot overflow.
    const auto bounded = [&](int64_t at) { return std::clamp(at < 0 ? std::max(at, -size - 1) + size : at, step > 0 ? int64_t(0) : int64_t(-1), step > 0 ? size : size - 1); };
    const int64_t first = bounded(starts[i]), last = bounded(ends[i]), reach = step > 0 ? last - first : first - last;
    const uint64_t stride = step > 0 ? uint64_t(step) : 0 - uint64_t(step);
    out[size_t(axis)] = {first, step, reach <= 0 ? 0 : int64_t((uint64_t(reach) - 1) / stride) + 1};
  }
  return out;
}

struct Slice : standard::Slice {
  void infer(Inference& io) const {
    const auto starts = io.values(1), ends = io.values(2), axes = io.values(3), steps = io.values(4);
    if (io.symbols && (!starts || !ends || std::any_of(io.dims(0).begin(), io.dims(0).end(), is_symbol))) return io.output(0, symbolic(io, axes, steps));
    if (!starts || !ends || (io.has(3) && !axes) || (io.has(4) && !steps)) return;
    Dims out;
    const auto along = cuts(io.dims(0), *starts, *ends, axes.value_or(Dims{}), steps.value_or(Dims{}));
    for (const Cut& cut : along) out.push_back(cut.count);
    io.output(0, out);
    if (const auto sizes = io.symbols ? io.sizes(0) : std::nullopt; sizes && along.size() == 1) {
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
  // Where sizes, or the places to cut at, are not all known.
  static Dims symbolic(Inference& io, const std::optional<Dims>& axes, const std::optional<Dims>& steps) {
    Dims out = io.dims(0);
    if ((io.has(3) && !axes) || (io.has(4) && !steps)) return io.unknown_dims(out.size());
    const auto starts = io.sizes(1), ends = io.sizes(2);
    const size_t n = axes ? axes->size() : starts ? starts->size() : ends ? ends->size() : out.size();
    if ((starts && starts->size() != n) || (ends && ends->size() != n) || (steps && steps->size() != n) || n > out.size()) invalid("starts, ends, axes and steps differ in length");
    for (size_t i = 0; i < n; ++i) {
      int64_t& size = out[size_t(axes ? axis_of((*axes)[i], int64_t(out.size())) : int64_t(i))];
      const int64_t step = steps ? (*steps)[i] : 1;
      if (step == 0) invalid("step 0");
      size = starts && ends ? length(io, size, (*starts)[i], (*ends)[i], step) : io.unknown();
    }
    return out;
  }

  static int64_t length(Inference& io, int64_t size, int64_t start, int64_t end, int64_t step) {
    Symbols& s = *io.symbols;
    if (step < 0) return step == -1 && start == -1 && !is_symbol(end) && end <= -INT32_MAX ? size : io.unknown();
    const auto place = [&](int64_t at) {                  // inside 0 … size; a symbol below 0 that is none for sure counts from the start
      if (!is_symbol(at) && at >= INT32_MAX) return size;
      if (!is_symbol(at) && at <= -INT32_MAX) return int64_t(0);
      if (s.at_least(-1, at)) return s.larger(s.add(at, size), 0);
      return s.at_least(at, 0) ? s.smaller(at, size) : s.fresh_item();
    };
    const int64_t from = place(start), to = place(end);
    if (io.may_be_negative(from) || io.may_be_negative(to)) return io.unknown();
    const bool last_ones = to == size && s.at_least(-1, start);
    return s.divide_up(last_ones ? s.smaller(s.multiply(start, -1), size) : s.larger(s.subtract(to, from), 0), step);
  }

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
