// Unique: the different elements, or slices along an axis, sorted or in order of appearance; where, which and how often.
// NaNs are equal and largest, as in numpy.
#include <numeric>
#include "onward/ops/operator.h"
#include "onward/ops/transpose.h"

namespace onward::ops {
namespace {

template <class T> int order(const T& a, const T& b) {
  if constexpr (contains(complex_types, type_of<T>)) {
    const int by_real = order(a.real(), b.real());
    return by_real ? by_real : order(a.imag(), b.imag());
  } else {
    if (a < b) return -1;
    if (b < a) return 1;
    return a == b ? 0 : int(!(a == a)) - int(!(b == b));
  }
}

struct Unique : standard::Unique {
  struct Groups {
    std::vector<int64_t> first, of, size;                 // first appearance of each group, the group of each slice, how many it has
  };

  // Slices 0 … n-1 in groups of equal ones.
  Groups groups(int64_t n, FunctionRef<int(int64_t, int64_t)> compare) const {
    std::vector<int64_t> sorted_slices(static_cast<size_t>(n));
    std::iota(sorted_slices.begin(), sorted_slices.end(), 0);
    std::stable_sort(sorted_slices.begin(), sorted_slices.end(), [&](int64_t i, int64_t j) { return compare(i, j) < 0; });
    Groups out;
    out.of.resize(size_t(n));
    for (size_t i = 0; i < sorted_slices.size(); ++i) {
      if (i == 0 || compare(sorted_slices[i - 1], sorted_slices[i]) != 0) out.first.push_back(sorted_slices[i]), out.size.push_back(0);
      out.of[size_t(sorted_slices[i])] = int64_t(out.first.size()) - 1, ++out.size.back();
    }
    if (!sorted) by_appearance(out);
    return out;
  }

  void infer(Inference& io) const {
    if (!io.symbols) return;            // the kernel allocates
    Dims out = io.dims(0);
    const int64_t found = io.unknown(), slices = axis ? out[size_t(axis_of(*axis, int64_t(out.size())))] : io.product(out);
    if (axis) out[size_t(axis_of(*axis, int64_t(out.size())))] = found;
    else out = {found};
    io.output(0, out);
    for (size_t k = 1; k < 4; ++k) io.output(k, DataType::i64, {k == 2 ? slices : found});
  }

  void run(Call& call) const {
    Tensor x = call.tensor(0);
    Dims perm(x.dims().size());                           // the axis in front
    std::iota(perm.begin(), perm.end(), 0);
    if (axis) {
      const int64_t at = axis_of(*axis, x.rank());
      std::rotate(perm.begin(), perm.begin() + at, perm.begin() + at + 1);
      if (at != 0) x = transposed(x, perm);
    }
    const int64_t n = axis ? x.dims()[0] : x.size(), length = axis ? product(x.dims(), 1, x.rank()) : 1;
    Groups found;
    for_type<T.types>(x.type(), [&]<class E>() {
      found = groups(n, [&, data = x.data<E>()](int64_t i, int64_t j) {
        for (int64_t k = 0; k < length; ++k) if (const int o = order(data[i * length + k], data[j * length + k])) return o;
        return 0;
      });
    });
    write(call, x, length, perm, found);
  }

 private:
  static void by_appearance(Groups& g) {
    std::vector<int64_t> rank(g.first.size()), place(g.first.size());
    std::iota(rank.begin(), rank.end(), 0);
    std::sort(rank.begin(), rank.end(), [&](int64_t a, int64_t b) { return g.first[size_t(a)] < g.first[size_t(b)]; });
    Groups out;
    for (size_t i = 0; i < rank.size(); ++i) {
      const auto old = size_t(rank[i]);
      place[old] = int64_t(i), out.first.push_back(g.first[old]), out.size.push_back(g.size[old]);
    }
    for (int64_t group : g.of) out.of.push_back(place[size_t(group)]);
    g = std::move(out);
  }

  void write(Call& call, const Tensor& x, int64_t length, const Dims& perm, const Groups& found) const {
    const auto n = int64_t(found.first.size());
    Dims dims{n};
    if (axis) dims = x.dims(), dims[0] = n;
    Tensor y = call.scratch(x.type(), dims);
    for_type<detail::widths>(detail::width_type(x.type()), [&]<class E>() {
      E* to = y.data<E>();
      for (int64_t slice : found.first) to = std::copy_n(x.data<E>() + slice * length, length, to);
    });
    Dims back(perm.size());
    for (size_t i = 0; i < perm.size(); ++i) back[size_t(perm[i])] = int64_t(i);
    call.outputs[0] = axis && perm[0] != 0 ? transposed(y, back) : y;
    const std::vector<int64_t>* lists[] = {&found.first, &found.of, &found.size};
    for (size_t i = 0; i < 3; ++i) if (call.wants(i + 1)) call.outputs[i + 1] = Tensor::of({int64_t(lists[i]->size())}, *lists[i]);
  }
};

}  // namespace

Operators tensor_unique() {
  return {define<Unique>({.examples = {
      "float [2, nan, 1, nan] -> float [1, 2, nan], int64 [2, 0, 1], int64 [1, 2, 0, 2], int64 [1, 1, 2]",
      "string [\"b\", \"a\", \"b\"]; sorted=0 -> string [\"b\", \"a\"], int64 [0, 1]",
      "int32 [[1, 0, 1], [2, 3, 2]]; axis=1 -> int32 [[0, 1], [3, 2]]"}})};
}

}  // namespace onward::ops
