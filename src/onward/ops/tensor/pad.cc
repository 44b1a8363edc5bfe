// Pad: elements added around the input, or taken away where pads are negative: a constant, the edge, a reflection, or the other end.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct Pads { Dims before, after; };

Pads pads_of(int64_t rank, const Dims& given, const std::optional<Dims>& axes) {
  const int64_t n = axes ? int64_t(axes->size()) : rank;
  if (int64_t(given.size()) != 2 * n) invalid(given.size(), " pads for ", n, " axes");
  Pads out{Dims(size_t(rank), 0), Dims(size_t(rank), 0)};
  for (int64_t i = 0; i < n; ++i) {
    const auto at = size_t(axes ? axis_of((*axes)[size_t(i)], rank) : i);
    out.before[at] = given[size_t(i)], out.after[at] = given[size_t(n + i)];
  }
  return out;
}

struct Pad : standard::Pad {
  void prepare(const Preparation&) const {
    for (std::string_view known : {"constant", "reflect", "edge", "wrap"}) if (mode == known) return;
    invalid("mode is '", mode, "', expected constant, reflect, edge or wrap");
  }

  void infer(Inference& io) const {
    const auto given = io.sizes(1), axes = io.values(3);
    Dims out = io.dims(0);
    if (!given || (io.has(3) && !axes)) return io.output(0, io.unknown_dims(out.size()));
    const Pads pads = pads_of(int64_t(out.size()), *given, axes);
    for (size_t i = 0; i < out.size(); ++i) {
      if (is_symbol(pads.before[i]) || is_symbol(pads.after[i])) {
        const int64_t size = io.add(out[i], io.add(pads.before[i], pads.after[i]));
        out[i] = io.size_of(size);
        continue;
      }
      constexpr int64_t most = int64_t(1) << 60;
      if (std::abs(pads.before[i] / 2) > most / 2 || std::abs(pads.after[i] / 2) > most / 2) fail(Code::limit_size, "pads of ", pads.before[i], " and ", pads.after[i]);
      if (out[i] == 0 && mode != "constant" && (pads.before[i] > 0 || pads.after[i] > 0)) invalid("axis ", i, " has no element to pad with");
      const int64_t size = io.add(out[i], pads.before[i] + pads.after[i]);
      if (!is_symbol(size) && size < 0) invalid("pads of ", pads.before[i], " and ", pads.after[i], " for an axis of ", out[i]);
      out[i] = size;
    }
    io.output(0, out);
  }

  template <class T> void run(In<T> x, Integers given, In<T> value, Integers axes, Out<T> y) const {
    if (y.size == 0) return;
    if (value && value.size != 1) invalid("the value to pad with has ", value.size, " elements, expected 1");
    const Pads pads = pads_of(x.rank(), given, axes.given ? std::optional<Dims>(axes) : std::nullopt);
    // Axes that get nothing, behind those that do, stay together as blocks.
    int64_t block = 1;
    size_t rank = x.dims.size();
    for (; rank > 0 && pads.before[rank - 1] == 0 && pads.after[rank - 1] == 0; --rank) block *= x.dims[rank - 1];
    if (rank == 0) { std::copy_n(x.data, x.size, y.data); return; }
    std::vector<Axis> along(rank);
    int64_t behind = block;
    for (size_t i = rank; i-- > 0;) {
      Axis& a = along[i];
      a = {x.dims[i], std::clamp(pads.before[i], int64_t(0), y.dims[i]), std::clamp(pads.before[i] + x.dims[i], int64_t(0), y.dims[i]), behind, {}};
      a.last = std::max(a.first, a.last);
      for (int64_t k = 0; k < y.dims[i]; ++k) a.from.push_back(source(k - pads.before[i], x.dims[i]));
      behind *= y.dims[i];
    }
    copy(x.size ? x.data : nullptr, x.size, std::span<const Axis>(along), block, value ? value[0] : T{}, y.data);
  }

 private:
  // The element that stands at place `at` relative to the input's first; -1 where that is the constant.
  int64_t source(int64_t at, int64_t n) const {
    if (at >= 0 && at < n) return at;
    if (mode == "constant") return -1;
    if (mode == "edge") return at < 0 ? 0 : n - 1;
    const int64_t period = mode == "wrap" ? n : std::max(2 * (n - 1), int64_t(1)), phase = (at % period + period) % period;
    return phase < n ? phase : period - phase;
  }

  struct Axis {
    int64_t in, first, last;                              // outputs [first, last) are the input in a row
    int64_t each;                                         // elements of an output
    std::vector<int64_t> from;                            // of every output the input; -1: the constant
  };

  template <class T> static T* copy(const T* x, int64_t size, std::span<const Axis> axes, int64_t block, const T& value, T* to) {
    const Axis& a = axes.front();
    const auto out = int64_t(a.from.size());
    if (!x) return std::fill_n(to, out * a.each, value);
    const int64_t stride = a.in ? size / a.in : 0;
    const auto some = [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        const int64_t at = a.from[size_t(k)];
        if (at < 0) to = std::fill_n(to, a.each, value);
        else if (axes.size() > 1) to = copy(x + at * stride, stride, axes.subspan(1), block, value, to);
        else if (block > 1) to = std::copy_n(x + at * block, block, to);
        else *to++ = x[at];
      }
    };
    if (axes.size() > 1) return some(0, out), to;
    some(0, a.first);
    if (a.last > a.first) to = std::copy_n(x + a.from[size_t(a.first)] * block, (a.last - a.first) * block, to);
    some(a.last, out);
    return to;
  }
};

constexpr Upgrade attributes_before_11{11, R"(
    p = Constant(; value_ints=@pads)
    v = Constant(; value_float=@value)
    typed = CastLike(v, data)
    output = Self(data, p, typed; mode=@mode))"};
constexpr Upgrade paddings_before_2{2, R"(
    p = Constant(; value_ints=@paddings)
    v = Constant(; value_float=@value)
    typed = CastLike(v, data)
    output = Self(data, p, typed; mode=@mode))"};

}  // namespace

Operators tensor_pad() {
  return {define<Pad, by_width(Pad::T)>({.upgrades = {paddings_before_2, attributes_before_11}, .examples = {
      "float [[1, 2]], int64 [0, 1, 1, 0], float 9 -> float [[9, 1, 2], [9, 9, 9]]", "int64 [1, 2, 3], int64 [3, -1]; mode=\"reflect\" -> int64 [2, 3, 2, 1, 2]",
      "string [\"a\", \"b\"], int64 [1, 1]; mode=\"wrap\" -> string [\"b\", \"a\", \"b\", \"a\"]", "int8 [[1], [2]], int64 [1, 0], , int64 [0]; mode=\"edge\" -> int8 [[1], [1], [2]]"}})};
}

}  // namespace onward::ops
