#include "onward/ops/indexed.h"

#include <optional>

namespace onward {
namespace {

Dims strides_of(std::span<const int64_t> dims) {
  Dims out(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) out[i - 1] = out[i] * dims[i];
  return out;
}

enum class Join : uint8_t { replace, add, multiply, max, min };

std::optional<Join> join_named(std::string_view name) {
  constexpr std::string_view names[] = {"none", "add", "mul", "max", "min"};
  const auto at = std::find(std::begin(names), std::end(names), name);
  return at == std::end(names) ? std::nullopt : std::optional(Join(at - std::begin(names)));
}

// NaN wins in max and min, as in Max and Min.
template <Join how, class T> T joined(const T& a, const T& b) {
  using C = compute_t<T>;
  if constexpr (contains(complex_types, type_of<T>)) {
    if constexpr (how == Join::add) return a + b;
    else if constexpr (how == Join::multiply) return a * b;
    else invalid("reduction '", how == Join::max ? "max" : "min", "' of complex numbers");
  } else {
    const C x = C(a), y = C(b);
    if constexpr (how == Join::max) return x > y || x != x ? a : b;
    else if constexpr (how == Join::min) return x < y || x != x ? a : b;
    else if constexpr (std::is_integral_v<C> && !std::is_same_v<C, bool>) {
      using U = std::make_unsigned_t<C>;                  // wraps around
      return how == Join::add ? T(C(U(x) + U(y))) : T(C(U(uint64_t(x)) * uint64_t(y)));
    } else {
      return how == Join::add ? T(C(x + y)) : T(C(x * y));
    }
  }
}

// walk.operator()<T>(join): `join(element, update)` for every place that is named. Elements are only moved where nothing is computed.
void with_join(const Tensor& out, const Tensor& updates, std::string_view reduction, auto&& walk) {
  if (updates.type() != out.type()) invalid("updates are ", shown(updates), " for data ", shown(out));
  if (reduction == "none") {
    for_type<detail::widths>(detail::width_type(out.type()), [&]<class T>() { walk.template operator()<T>([](T& to, const T& from) { to = from; }); });
    return;
  }
  const bool numbers = for_type<every_type - str>(out.type(), [&]<class T>() {
    const auto by = [&]<Join how>() { walk.template operator()<T>([](T& to, const T& from) { to = joined<how>(to, from); }); };
    switch (*join_named(reduction)) {
      case Join::add: return by.template operator()<Join::add>();
      case Join::multiply: return by.template operator()<Join::multiply>();
      case Join::max: return by.template operator()<Join::max>();
      default: return by.template operator()<Join::min>();
    }
  });
  if (!numbers) invalid("reduction '", reduction, "' of strings");
}

}  // namespace

void index_outside(int64_t index, int64_t size) { invalid("index ", index, " is outside an axis of ", size); }

ElementRows::ElementRows(std::span<const int64_t> data, std::span<const int64_t> shape, int64_t axis) {
  const size_t rank = data.size(), at = size_t(axis_of(axis, int64_t(rank)));
  if (shape.size() != rank) invalid("indices of shape ", shown(shape), " for data of shape ", shown(data));
  for (size_t i = 0; i < rank; ++i) if (i != at && shape[i] > data[i]) invalid("indices of shape ", shown(shape), " reach outside data of shape ", shown(data));
  strides = strides_of(data);
  size = data[at], stride = strides[at], advance = at + 1 < rank, length = shape.back(), total = product(shape, 0, int64_t(rank));
  strides[at] = 0, strides.pop_back();
  outer.assign(shape.begin(), shape.end() - 1);
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
  if (!join_named(reduction)) invalid("reduction is '", reduction, "', expected none, add, mul, max or min");
}

void scatter(const Tensor& out, const Tensor& updates, std::span<const int64_t> offsets, int64_t length, std::string_view reduction) {
  with_join(out, updates, reduction, [&]<class T>(auto&& join) {
    const T* from = updates.data<T>();
    for (int64_t offset : offsets)
      for (T *to = out.data<T>() + offset, *end = to + length; to != end; ++to, ++from) join(*to, *from);
  });
}

void scatter_elements(const Tensor& out, const Tensor& indices, const Tensor& updates, int64_t axis, std::string_view reduction) {
  const ElementRows rows(out.dims(), indices.dims(), axis);
  const auto by = [&]<class I>() {
    with_join(out, updates, reduction, [&]<class T>(auto&& join) {
      T* const to = out.data<T>();
      rows.each([&](int64_t first, ElementRows::Row row) {
        const I* index = indices.data<I>() + first;
        const T* from = updates.data<T>() + first;
        for (int64_t k = 0; k < rows.length; ++k) join(to[row.offset(k, index[k])], from[k]);
      });
    });
  };
  if (!for_type<i32 | i64>(indices.type(), by)) invalid("expected int32 or int64 indices, found ", name_of(indices.type()));
}

}  // namespace onward
