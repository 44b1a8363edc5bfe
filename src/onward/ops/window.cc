#include "onward/ops/window.h"

namespace onward {
namespace {

constexpr int64_t most = 1 << 24;       // keeps products of attributes and sizes far from overflow

void check(std::span<const int64_t> values, std::string_view name, int64_t least) {
  for (int64_t v : values) if (v < least || v > most) invalid(name, " has ", v, ", expected ", least, " to ", most);
}

[[noreturn]] void fail_beyond(size_t axis, const Window& v, int64_t reach) {
  throw Error(Code::bad_value,
              text("the window over spatial axis ", axis, " reaches over ", reach, " elements (kernel ", v.taps, ", dilation ", v.dilation, "), expected at most the ",
                   v.in + v.before + v.after, " that are there (", v.in, ", with padding ", v.before, " before and ", v.after, " after)"),
              "give a larger input, more padding or a smaller kernel");
}

Window window(const Sliding& s, size_t i, int64_t in, int64_t taps, size_t spatial, Symbols* symbols) {
  Window v{in, 0, taps, s.strides.empty() ? 1 : s.strides[i], s.dilations.empty() ? 1 : s.dilations[i], 0};
  const bool same = s.auto_pad.starts_with("SAME");
  if (s.auto_pad != "VALID" && !same && !s.pads.empty()) v.before = s.pads[i], v.after = s.pads[i + spatial];
  if (is_symbol(in) || is_symbol(taps)) {
    // Where the input is larger than the window. Whether the last one of ceil_mode counts depends on the size.
    const int64_t reach = symbols->add(symbols->multiply(symbols->subtract(taps, 1), v.dilation), 1);
    if (same) v.out = symbols->divide_up(in, v.stride);
    else if (s.ceil && v.stride > 1) v.out = symbols->fresh();
    else v.out = symbols->add(symbols->divide(symbols->subtract(symbols->add(in, v.before + v.after), reach), v.stride), 1);
    if (is_symbol(v.out) && symbols->is_item(v.out)) v.out = symbols->fresh();
    return v;
  }
  const int64_t reach = (taps - 1) * v.dilation + 1;
  if (same) {
    const int64_t padding = std::max(int64_t(0), ((in + v.stride - 1) / v.stride - 1) * v.stride + reach - in);
    v.before = s.auto_pad == "SAME_UPPER" ? padding / 2 : padding - padding / 2;
    v.after = padding - v.before;
  }
  const int64_t room = in + v.before + v.after - reach;
  if (room < 0 && !(s.ceil && room > -v.stride)) fail_beyond(i, v, reach);
  v.out = room < 0 ? 1 : (room + (s.ceil ? v.stride - 1 : 0)) / v.stride + 1;
  if (s.ceil && v.out > 0 && (v.out - 1) * v.stride >= in + v.before) --v.out;     // it would start in the padding behind
  return v;
}

// Output positions [first, last) of an axis at which a tap lies inside the image.
std::pair<int64_t, int64_t> inside(const Window& v, int64_t tap) {
  const int64_t begin = tap * v.dilation - v.before;
  const int64_t first = begin < 0 ? std::min(v.out, (-begin + v.stride - 1) / v.stride) : 0;
  const int64_t last = begin >= v.in ? 0 : std::min(v.out, (v.in - 1 - begin) / v.stride + 1);
  return {first, std::max(first, last)};
}

// Calls row(offset in the image, output positions to go, step) for every row of the last axis, and none(positions) for those outside.
template <class Row, class None> void walk(std::span<const Window> along, int64_t tap, int64_t taps, int64_t image, int64_t base, int64_t pixels, Row&& row, None&& none) {
  const Window& v = along.front();
  const int64_t rest = taps / v.taps, each = image / v.in, k = tap / rest, behind = pixels / v.out;
  const auto [first, last] = inside(v, k);
  const int64_t begin = base + (k * v.dilation - v.before) * each;
  none(first * behind);
  if (along.size() == 1) {
    if (last > first) row(begin + first * v.stride, last - first, v.stride);
  } else if (along.size() == 2) {                         // the same without a call for every row
    const Window& w = along.back();
    const int64_t inner = tap % rest * w.dilation - w.before;
    const auto [from, to] = inside(w, tap % rest);
    for (int64_t i = first; i < last; ++i) {
      none(from);
      if (to > from) row(begin + i * v.stride * each + inner + from * w.stride, to - from, w.stride);
      none(w.out - to);
    }
  } else {
    for (int64_t i = first; i < last; ++i) walk(along.subspan(1), tap % rest, rest, each, begin + i * v.stride * each, behind, row, none);
  }
  none((v.out - last) * behind);
}

struct Sizes { int64_t taps = 1, image = 1, pixels = 1; };
Sizes sizes(const Windows& along) {
  Sizes s;
  for (const Window& v : along) s.taps *= v.taps, s.image *= v.in, s.pixels *= v.out;
  return s;
}

}  // namespace

void check_sliding(const Sliding& s) {
  check(s.kernel, "kernel_shape", 1), check(s.strides, "strides", 1), check(s.dilations, "dilations", 1), check(s.pads, "pads", 0);
  for (std::string_view known : {"", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"}) if (s.auto_pad == known) return;
  invalid("auto_pad is '", s.auto_pad, "', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
}

Windows windows(const Sliding& s, std::span<const int64_t> x, std::span<const int64_t> taps, Symbols* symbols, size_t leading) {
  if (x.size() <= leading) invalid("expected spatial axes after the first ", leading, ", found shape ", shown(x));
  const size_t spatial = x.size() - leading;
  const auto fits = [&](std::span<const int64_t> all, size_t each) { return all.empty() || all.size() == spatial * each; };
  if (taps.size() != spatial || !fits(s.strides, 1) || !fits(s.dilations, 1) || !fits(s.pads, 2)) invalid("kernel, strides, dilations or pads do not fit ", spatial, " spatial axes");
  Windows out;
  for (size_t i = 0; i < spatial; ++i) {
    if (!is_symbol(taps[i]) && (taps[i] < 1 || taps[i] > most)) invalid("a kernel of size ", taps[i]);
    out.push_back(window(s, i, x[i + leading], taps[i], spatial, symbols));
  }
  return out;
}

template <class T> void image_to_columns(const T* image, const Windows& along, T* columns) {
  const auto [taps, size, pixels] = sizes(along);
  if (pixels == 0) return;
  const auto row = [&](int64_t at, int64_t n, int64_t step) {
    if (step == 1) columns = std::copy_n(image + at, n, columns);
    else for (int64_t i = 0; i < n; ++i) *columns++ = image[at + i * step];
  };
  for (int64_t tap = 0; tap < taps && size; ++tap) walk(along, tap, taps, size, 0, pixels, row, [&](int64_t n) { columns = std::fill_n(columns, n, T(0)); });
}
template <class T> void columns_to_image(const T* columns, const Windows& along, T* image) {
  const auto [taps, size, pixels] = sizes(along);
  if (pixels == 0) return;
  const auto row = [&](int64_t at, int64_t n, int64_t step) {
    T* const to = image + at;
    if (step == 1) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) to[i] = T(to[i] + columns[i]);
    } else {
      for (int64_t i = 0; i < n; ++i) to[i * step] = T(to[i * step] + columns[i]);
    }
    columns += n;
  };
  for (int64_t tap = 0; tap < taps && size; ++tap) walk(along, tap, taps, size, 0, pixels, row, [&](int64_t n) { columns += n; });
}

template void image_to_columns(const float*, const Windows&, float*);
template void image_to_columns(const double*, const Windows&, double*);
template void image_to_columns(const int32_t*, const Windows&, int32_t*);
template void columns_to_image(const float*, const Windows&, float*);
template void columns_to_image(const double*, const Windows&, double*);

}  // namespace onward
