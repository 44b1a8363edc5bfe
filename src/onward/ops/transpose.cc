// Axes that stay neighbours are moved as one; what remains is rows or 2-d tiles.
#include "onward/ops/transpose.h"

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

// to[i][j] = from[j * stride + i], in tiles that fit the cache.
template <class T> void tiles(const T* from, int64_t rows, int64_t columns, int64_t stride, T* to) {
  constexpr int64_t tile = 32;
  for (int64_t i0 = 0; i0 < rows; i0 += tile)
    for (int64_t j0 = 0; j0 < columns; j0 += tile)
      for (int64_t i = i0; i < std::min(rows, i0 + tile); ++i)
        for (int64_t j = j0; j < std::min(columns, j0 + tile); ++j) to[i * columns + j] = from[j * stride + i];
}

template <class T> void copy(const T* from, std::span<const Axis> axes, int64_t size, T* to) {
  if (axes.empty()) { *to = *from; return; }
  const auto [n, stride] = axes.front();
  if (axes.size() == 1 && stride == 1) { std::copy_n(from, n, to); return; }
  if (axes.size() == 1) { for (int64_t i = 0; i < n; ++i) to[i] = from[i * stride]; return; }
  if (axes.size() == 2 && stride == 1) { tiles(from, n, axes[1].size, axes[1].from_stride, to); return; }
  for (int64_t i = 0; i < n; ++i) copy(from + i * stride, axes.subspan(1), size / n, to + i * (size / n));
}

}  // namespace

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
