// Tile: the input repeated along every axis, a given number of times each.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct Tile : standard::Tile {
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    const auto repeats = io.sizes(1);
    if (repeats && repeats->size() != out.size()) invalid(repeats->size(), " repeats for an input of shape ", shown(out));
    for (size_t i = 0; i < out.size(); ++i) {
      if (repeats && (*repeats)[i] < 0 && !is_symbol((*repeats)[i])) invalid("axis ", i, " repeated ", (*repeats)[i], " times");
      out[i] = repeats ? io.multiply(out[i], io.size_of((*repeats)[i])) : io.unknown();
    }
    io.output(0, out);
  }

  template <class T> void run(In<T> x, Integers repeats, Out<T> y) const {
    if (y.size) tile(x, repeats, 0, x.data, y.data);
  }

 private:
  // Writes everything below `axis`: the parts one after the other, then the whole of them again.
  template <class T> static std::pair<const T*, T*> tile(const In<T>& x, const Dims& repeats, int64_t axis, const T* from, T* to) {
    if (axis == x.rank()) return *to = *from, std::pair(from + 1, to + 1);
    T* const start = to;
    if (axis == x.rank() - 1) to = std::copy_n(from, x.dims[axis], to), from += x.dims[axis];
    else for (int64_t i = 0; i < x.dims[axis]; ++i) std::tie(from, to) = tile(x, repeats, axis + 1, from, to);
    const int64_t n = to - start;
    for (int64_t again = 1; again < repeats[size_t(axis)]; ++again) to = std::copy_n(start, n, to);
    return {from, to};
  }
};

}  // namespace

Operators tensor_tile() {
  return {define<Tile, by_width(Tile::T)>({
      .examples = {"float [[1, 2], [3, 4]], int64 [1, 2] -> float [[1, 2, 1, 2], [3, 4, 3, 4]]", "string \"a\", int64 [] -> string \"a\""}})};
}

}  // namespace onward::ops
