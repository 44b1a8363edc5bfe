// Windows that slide over spatial axes: what convolutions and pools share.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

// One axis: the input position of tap k under output position i is i * stride - before + k * dilation.
struct Window {
  int64_t in, out, taps, stride, dilation, before, after = 0;
  // The taps of window i that lie inside the input.
  std::pair<int64_t, int64_t> inside(int64_t i) const {
    const int64_t first = i * stride - before;
    const int64_t from = first >= 0 ? 0 : std::min(taps, (-first + dilation - 1) / dilation);
    const int64_t to = first >= in ? 0 : std::min(taps, (in - 1 - first) / dilation + 1);
    return {from, std::max(from, to)};
  }
  // How many those are; with the padding, of a window that ceil_mode lets reach behind it only those before its end.
  int64_t counted(int64_t i, bool padding) const {
    const auto [from, to] = inside(i);
    return padding ? std::min(taps, (in + after + before - 1 - i * stride) / dilation + 1) : to - from;
  }
};
using Windows = std::vector<Window>;

struct Sliding {
  std::span<const int64_t> kernel, strides, dilations, pads;
  std::string_view auto_pad = "NOTSET";
  bool ceil = false;
};

// What a node's attributes say. `check_sliding` belongs into prepare, the rest trusts it.
template <class Standard> Sliding sliding(const Standard& op) {
  Sliding s{op.kernel_shape, op.strides, {}, op.pads};
  if constexpr (requires { op.dilations; }) s.dilations = op.dilations;
  if constexpr (requires { op.auto_pad; }) s.auto_pad = op.auto_pad;
  if constexpr (requires { op.ceil_mode; }) s.ceil = op.ceil_mode != 0;
  return s;
}
void check_sliding(const Sliding& sliding);

// Over the axes of `x` after the first `leading`; `taps` are the sizes of the kernel. Sizes may be symbols where `symbols` is given.
Windows windows(const Sliding& sliding, std::span<const int64_t> x, std::span<const int64_t> taps, Symbols* symbols = nullptr, size_t leading = 2);

// Calls row(first, step, n) for every run of elements under the window at `position`, offsets counted in one image.
template <class F> void under(std::span<const Window> along, std::span<const int64_t> position, F&& row, int64_t base = 0) {
  const Window& v = along.front();
  const auto [from, to] = v.inside(position.front());
  const int64_t first = position.front() * v.stride - v.before;
  if (along.size() == 1) {
    if (to > from) row(base * v.in + first + from * v.dilation, v.dilation, to - from);
    return;
  }
  for (int64_t k = from; k < to; ++k) under(along.subspan(1), position.subspan(1), row, base * v.in + first + k * v.dilation);
}

// f(index, position) for every output position in row-major order.
template <class F> void each_position(const Windows& along, F&& f) {
  int64_t n = 1;
  for (const Window& v : along) n *= v.out;
  Dims position(along.size(), 0);
  for (int64_t i = 0; i < n; ++i) {
    f(i, std::span<const int64_t>(position));
    for (size_t axis = along.size(); axis-- > 0;) {
      if (++position[axis] < along[axis].out) break;
      position[axis] = 0;
    }
  }
}

// columns[tap][output position] = the image's element there, 0 in the padding; and the reverse: added to the image.
template <class T> void image_to_columns(const T* image, const Windows& along, T* columns);
template <class T> void columns_to_image(const T* columns, const Windows& along, T* image);

}  // namespace onward
