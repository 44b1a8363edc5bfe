#include "onward/ops/indexed.h"

namespace onward {
namespace {

int64_t bounded(int64_t index, int64_t size) {
  if (index < -size || index >= size) invalid("index ", index, " is outside an axis of ", size);
  return index < 0 ? index + size : index;
}

Dims strides_of(std::span<const int64_t> dims) {
  Dims out(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) out[i - 1] = out[i] * dims[i];
  return out;
}

// NaN wins in max and min, as in Max and Min.
template <class T> T joined(const T& a, const T& b, std::string_view how) {
  using C = compute_t<T>;
  if constexpr (contains(complex_types, type_of<T>)) {
    if (how == "add") return a + b;
    if (how == "mul") return a * b;
    invalid("reduction '", how, "' of complex numbers");
  } else {
    const C x = C(a), y = C(b);
    if (how == "max") return x > y || x != x ? a : b;
    if (how == "min") return x < y || x != x ? a : b;
    if constexpr (std::is_integral_v<C> && !std::is_same_v<C, bool>) {
      using U = std::make_unsigned_t<C>;                  // wraps around
      return how == "add" ? T(C(U(x) + U(y))) : T(C(U(uint64_t(x)) * uint64_t(y)));
    } else {
      return how == "add" ? T(C(x + y)) : T(C(x * y));
    }
  }
}

}  // namespace

std::vector<int64_t> element_offsets(std::span<const int64_t> data, std::span<const int64_t> shape, std::span<const int64_t> indices, int64_t axis) {
  const size_t rank = data.size(), at = size_t(axis_of(axis, int64_t(rank)));
  if (shape.size() != rank) invalid("indices of shape ", shown(shape), " for data of shape ", shown(data));
  for (size_t i = 0; i < rank; ++i) if (i != at && shape[i] > data[i]) invalid("indices of shape ", shown(shape), " reach outside data of shape ", shown(data));
  const Dims strides = strides_of(data);
  std::vector<int64_t> out(indices.size());
  Dims place(rank);
  int64_t base = 0;                                       // of the place, without its part along the axis
  for (size_t i = 0; i < indices.size(); ++i) {
    out[i] = base + bounded(indices[i], data[at]) * strides[at];
    for (size_t k = rank; k-- > 0;) {
      const bool wrapped = ++place[k] == shape[k];
      if (k != at) base += strides[k] * (wrapped ? 1 - shape[k] : 1);
      if (!wrapped) break;
      place[k] = 0;
    }
  }
  return out;
}

Slices slice_offsets(std::span<const int64_t> data, std::span<const int64_t> shape, std::span<const int64_t> indices, int64_t batch) {
  const int64_t rank = int64_t(data.size()), width = shape.back();
  const Dims strides = strides_of(data);
  Slices out;
  out.length = product(data, batch + width, rank);
  const int64_t batches = product(data, 0, batch), tuples = product(shape, 0, int64_t(shape.size()) - 1);
  const int64_t step = product(data, batch, rank), each = batches ? tuples / batches : 0;
  out.offsets.reserve(size_t(tuples));
  for (int64_t i = 0; i < tuples && each; ++i) {
    int64_t offset = i / each * step;
    for (int64_t k = 0; k < width; ++k) offset += bounded(indices[size_t(i * width + k)], data[size_t(batch + k)]) * strides[size_t(batch + k)];
    out.offsets.push_back(offset);
  }
  return out;
}

void check_reduction(std::string_view reduction) {
  for (std::string_view known : {"none", "add", "mul", "max", "min"}) if (reduction == known) return;
  invalid("reduction is '", reduction, "', expected none, add, mul, max or min");
}

void scatter(const Tensor& out, const Tensor& updates, std::span<const int64_t> offsets, int64_t length, std::string_view reduction) {
  if (updates.type() != out.type()) invalid("updates are ", shown(updates), " for data ", shown(out));
  if (reduction == "none") {
    for_type<detail::widths>(detail::width_type(out.type()), [&]<class T>() {
      const T* from = updates.data<T>();
      for (int64_t offset : offsets) std::copy_n(from, length, out.data<T>() + offset), from += length;
    });
    return;
  }
  const bool numbers = for_type<every_type - str>(out.type(), [&]<class T>() {
    const T* from = updates.data<T>();
    for (int64_t offset : offsets)
      for (T *to = out.data<T>() + offset, *end = to + length; to != end; ++to, ++from) *to = joined(*to, *from, reduction);
  });
  if (!numbers) invalid("reduction '", reduction, "' of strings");
}

}  // namespace onward
