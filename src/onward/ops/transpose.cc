// Axes that stay neighbours are moved as one; what remains is rows or 2-d tiles.
#include "onward/ops/transpose.h"

#include <cstring>
#include <utility>
#include <vector>

#include "onward/ops/operator.h"

namespace onward {
namespace {

struct Axis { int64_t size, from_stride; };             // in the order of the output

std::vector<Axis> merged(std::span<const int64_t> dims, std::span<const int64_t> perm) {
  Dims stride(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) stride[i - 1] = stride[i] * dims[i];
  std::vector<Axis> out;
  for (int64_t p : perm) {
    const auto at = size_t(p);
    if (dims[at] == 1) continue;
    if (!out.empty() && out.back().from_stride == stride[at] * dims[at]) out.back() = {out.back().size * dims[at], stride[at]};
    else out.push_back({dims[at], stride[at]});
  }
  return out;
}

// Elements of two rows by turns: of their first halves, or of their second ones.
template <class V, int first, int... i> [[gnu::always_inline]] inline V by_turns(const V& a, const V& b, std::integer_sequence<int, i...>) {
  return __builtin_shufflevector(a, b, (first + i / 2 + i % 2 * int(sizeof...(i)))...);
}

// A square that fits the registers of every processor: each round deals its rows out like two halves of a pack of cards.
template <class T> void turn_block(const T* from, int64_t from_stride, T* to, int64_t to_stride) {
  constexpr int size = 16 / int(sizeof(T)), half = size / 2;
  typedef T V __attribute__((vector_size(16)));
  using Order = std::make_integer_sequence<int, size>;
  V row[size], dealt[size];
  for (int64_t i = 0; i < size; ++i) std::memcpy(&row[i], from + i * from_stride, sizeof(V));
#pragma GCC unroll 4
  for (int round = 1; round < size; round *= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < half; ++i) dealt[2 * i] = by_turns<V, 0>(row[i], row[i + half], Order{}), dealt[2 * i + 1] = by_turns<V, half>(row[i], row[i + half], Order{});
    std::copy_n(dealt, size, row);
  }
  for (int64_t i = 0; i < size; ++i) std::memcpy(to + i * to_stride, &row[i], sizeof(V));
}

// to[i][j] = from[j * stride + i], in tiles that fit the cache.
template <class T> void tiles(const T* from, int64_t rows, int64_t columns, int64_t stride, T* to, int64_t to_stride) {
  constexpr int64_t tile = 32, square = std::is_same_v<T, uint8_t> ? 16 : std::is_same_v<T, uint32_t> ? 4 : 1;
  for (int64_t i0 = 0; i0 < rows; i0 += tile)
    for (int64_t j0 = 0; j0 < columns; j0 += tile) {
      const int64_t i1 = std::min(rows, i0 + tile), j1 = std::min(columns, j0 + tile);
      int64_t squares_i = i0, squares_j = j0;             // ends of what squares cover
      if constexpr (square > 1) {
        squares_i += (i1 - i0) / square * square, squares_j += (j1 - j0) / square * square;
        for (int64_t i = i0; i < squares_i; i += square)
          for (int64_t j = j0; j < squares_j; j += square) turn_block(from + j * stride + i, stride, to + i * to_stride + j, to_stride);
      }
      for (int64_t i = i0; i < i1; ++i)
        for (int64_t j = i < squares_i ? squares_j : j0; j < j1; ++j) to[i * to_stride + j] = from[j * stride + i];
    }
}

template <class T> void copy(const T* from, std::span<const Axis> axes, int64_t size, T* to) {
  if (axes.empty()) { *to = *from; return; }
  const auto [n, stride] = axes.front();
  if (axes.size() == 1 && stride == 1) { std::copy_n(from, n, to); return; }
  if (axes.size() == 1 && stride == 2) {                  // known, it becomes shuffles
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) to[i] = from[2 * i];
    return;
  }
  if (axes.size() == 1) { for (int64_t i = 0; i < n; ++i) to[i] = from[i * stride]; return; }
  if (axes.size() == 2 && stride == 1) { tiles(from, n, axes[1].size, axes[1].from_stride, to, axes[1].size); return; }
  for (int64_t i = 0; i < n; ++i) copy(from + i * stride, axes.subspan(1), size / n, to + i * (size / n));
}

}  // namespace

void transpose_bytes(const uint8_t* from, int64_t from_stride, int64_t rows, int64_t columns, uint8_t* to, int64_t to_stride) { tiles(from, columns, rows, from_stride, to, to_stride); }

void transpose(const Tensor& x, std::span<const int64_t> perm, Tensor& out) {
  if (x.size() == 0) return;
  const auto axes = merged(x.dims(), perm);
  for_type<detail::widths>(detail::width_type(x.type()), [&]<class T>() { copy(x.data<T>(), std::span<const Axis>(axes), x.size(), out.data<T>()); });
}

Tensor transposed(const Tensor& x, const Dims& perm) {
  Dims dims;
  for (int64_t p : perm) dims.push_back(x.dims()[size_t(p)]);
  Tensor out(x.type(), dims);
  transpose(x, perm, out);
  return out;
}

}  // namespace onward
