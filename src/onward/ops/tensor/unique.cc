// Unique: the different elements, or slices along an axis, sorted or in order of appearance; where, which and how often.
// NaNs are equal and largest, as in numpy.
#include <numeric>
#include "onward/ops/number_table.h"
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

// Slices in groups of equal ones: `count` groups, their first slices and how many each has, and the group of every slice.
struct Groups {
  int64_t count = 0;
  Tensor first, size, of;
  Groups(const Call& call, int64_t n) : first(call.scratch(DataType::i64, {n})), size(call.scratch(DataType::i64, {n})), of(call.scratch(DataType::i64, {n})) {}

  void add(int64_t slice, int64_t group) {
    if (group == count) first.data<int64_t>()[group] = slice, size.data<int64_t>()[group] = 0, ++count;
    of.data<int64_t>()[slice] = group, ++size.data<int64_t>()[group];
  }
  // Group order[i] becomes group i.
  void arrange(const Call& call, std::span<const int64_t> order) {
    Groups out(call, 0);
    const Tensor place = call.scratch(DataType::i64, {count});
    out.count = count, out.of = of;
    out.first = call.scratch(DataType::i64, {count}), out.size = call.scratch(DataType::i64, {count});
    for (int64_t i = 0; i < count; ++i) {
      const int64_t old = order[size_t(i)];
      place.data<int64_t>()[old] = i, out.first.data<int64_t>()[i] = first.data<int64_t>()[old], out.size.data<int64_t>()[i] = size.data<int64_t>()[old];
    }
    for (int64_t& group : of.values<int64_t>()) group = place.data<int64_t>()[group];
    *this = std::move(out);
  }
  Tensor filled(const Call& call, const Tensor& list) const {
    if (list.size() == count) return list;
    const Tensor out = call.scratch(DataType::i64, {count});
    std::copy_n(list.data<int64_t>(), count, out.data<int64_t>());
    return out;
  }
};

struct Unique : standard::Unique {
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
    Groups found(call, n);
    for_type<T.types>(x.type(), [&]<class E>() {
      if constexpr (std::is_arithmetic_v<E> || contains(small_floats, type_of<E>)) {
        if (length == 1) return numbers(call, x.data<E>(), n, found);
      }
      slices(call, n, found, [&, data = x.data<E>()](int64_t i, int64_t j) {
        for (int64_t k = 0; k < length; ++k) if (const int o = order(data[i * length + k], data[j * length + k])) return o;
        return 0;
      });
    });
    write(call, x, length, perm, found);
  }

 private:
  // Single numbers find their group in a table; only the different ones are sorted.
  template <class E> void numbers(const Call& call, const E* x, int64_t n, Groups& found) const {
    NumberTable groups(size_t(std::min<int64_t>(n, 1 << 15)), call.context.budget);
    for (int64_t i = 0; i < n; ++i) found.add(i, groups.emplace(number_key(compute_t<E>(x[i])), found.count));
    if (!sorted) return;
    struct Different { compute_t<E> value; int64_t group; };
    std::vector<Different> different(size_t(found.count));
    for (int64_t g = 0; g < found.count; ++g) different[size_t(g)] = {compute_t<E>(x[found.first.data<int64_t>()[g]]), g};
    std::sort(different.begin(), different.end(), [](const Different& a, const Different& b) { return order(a.value, b.value) < 0; });
    std::vector<int64_t> order_of(different.size());
    std::transform(different.begin(), different.end(), order_of.begin(), [](const Different& d) { return d.group; });
    found.arrange(call, order_of);
  }

  void slices(const Call& call, int64_t n, Groups& found, FunctionRef<int(int64_t, int64_t)> compare) const {
    std::vector<int64_t> in_order(static_cast<size_t>(n));
    std::iota(in_order.begin(), in_order.end(), 0);
    std::stable_sort(in_order.begin(), in_order.end(), [&](int64_t i, int64_t j) { return compare(i, j) < 0; });
    for (size_t i = 0; i < in_order.size(); ++i) found.add(in_order[i], i > 0 && compare(in_order[i - 1], in_order[i]) == 0 ? found.count - 1 : found.count);
    if (sorted) return;
    std::vector<int64_t> by_appearance(static_cast<size_t>(found.count));
    std::iota(by_appearance.begin(), by_appearance.end(), 0);
    std::sort(by_appearance.begin(), by_appearance.end(), [first = found.first.data<int64_t>()](int64_t a, int64_t b) { return first[a] < first[b]; });
    found.arrange(call, by_appearance);
  }

  void write(Call& call, const Tensor& x, int64_t length, const Dims& perm, const Groups& found) const {
    Dims dims{found.count};
    if (axis) dims = x.dims(), dims[0] = found.count;
    Tensor y = call.scratch(x.type(), dims);
    for_type<detail::widths>(detail::width_type(x.type()), [&]<class E>() {
      E* to = y.data<E>();
      for (int64_t g = 0; g < found.count; ++g) to = std::copy_n(x.data<E>() + found.first.data<int64_t>()[g] * length, length, to);
    });
    Dims back(perm.size());
    for (size_t i = 0; i < perm.size(); ++i) back[size_t(perm[i])] = int64_t(i);
    call.outputs[0] = axis && perm[0] != 0 ? transposed(y, back) : y;
    if (call.wants(1)) call.outputs[1] = found.filled(call, found.first);
    if (call.wants(2)) call.outputs[2] = found.of;
    if (call.wants(3)) call.outputs[3] = found.filled(call, found.size);
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
