// SplitToSequence, ConcatFromSequence: one tensor to the parts along an axis, and back.
#include "onward/ops/control.h"

namespace onward::ops {
namespace {

struct SplitToSequence : standard::SplitToSequence {
  void infer(Inference& io) const {
    if (!io.symbols) return;
    Fact item{.type = io.type(0), .dims = io.dims(0)};
    const auto at = size_t(axis_of(axis, int64_t(item.dims->size())));
    const auto split = io.has(1) ? io.values(1) : std::optional<Dims>(Dims{1});
    int64_t& size = (*item.dims)[at];
    const bool equal = split && !split->empty() && std::all_of(split->begin(), split->end(), [&](int64_t part) { return part == split->front(); });
    const bool whole = equal && (split->size() > 1 || (!is_symbol(size) && split->front() > 0 && size % split->front() == 0) || split->front() == 1);
    size = whole ? split->front() : differs;
    if (!io.has(1) && !keepdims) item.dims->erase(item.dims->begin() + at);
    io.output_of(0, TypeInfo::Kind::sequence, every_item(std::move(item), *io.symbols));
  }
  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    const int64_t at = axis_of(axis, x.rank()), n = x.dims()[size_t(at)];
    const bool drop_axis = !call.has(1) && !keepdims;
    Sequence out{{}, x.type()};
    int64_t first = 0;
    for (int64_t length : lengths(call, n)) {
      Tensor part = cut(call, x, at, first, length);
      Dims dims = part.dims();
      if (drop_axis) dims.erase(dims.begin() + at), part = part.reshaped(dims);
      out.items.emplace_back(std::move(part));
      first += length;
    }
    call.outputs[0] = std::move(out);
  }

 private:
  static std::vector<int64_t> lengths(const Call& call, int64_t n) {
    if (!call.has(1)) return std::vector<int64_t>(size_t(n), 1);
    const Tensor& split = call.tensor(1);
    std::vector<int64_t> given = integers(split), out;
    if (split.rank() == 0) {
      if (given[0] < 1) invalid("parts of size ", given[0]);
      for (int64_t rest = n; rest > 0; rest -= given[0]) out.push_back(std::min(given[0], rest));
      return out;
    }
    int64_t rest = n;
    for (int64_t length : given) {
      if (length < 0 || length > rest) invalid("a part of size ", length, " where ", rest, " elements are left");
      rest -= length;
    }
    if (rest != 0) invalid("the parts leave ", rest, " of ", n, " elements over");
    return given;
  }

  static Tensor cut(const Call& call, const Tensor& x, int64_t axis, int64_t first, int64_t length) {
    const int64_t outer = product(x.dims(), 0, axis), n = x.dims()[size_t(axis)], inner = product(x.dims(), axis + 1, x.rank());
    Dims dims = x.dims();
    dims[size_t(axis)] = length;
    Tensor out = call.scratch(x.type(), dims);
    for_type<detail::widths>(detail::width_type(x.type()), [&]<class T>() {
      for (int64_t row = 0; row < outer; ++row) std::copy_n(x.data<T>() + (row * n + first) * inner, length * inner, out.data<T>() + row * length * inner);
    });
    return out;
  }
};

struct ConcatFromSequence : standard::ConcatFromSequence {
  void infer(Inference& io) const {
    if (!io.symbols || !io.item(0)) return;
    Fact out = one_item(*io.item(0), *io.symbols);
    if (!out.dims) return io.output_fact(0, {.type = out.type});
    const int64_t at = axis_of(axis, int64_t(out.dims->size()) + (new_axis ? 1 : 0));
    if (new_axis) out.dims->insert(out.dims->begin() + at, io.unknown());
    else (*out.dims)[size_t(at)] = io.unknown();
    io.output(0, out.type, *out.dims);
  }
  void run(Call& call) const {
    const Sequence& parts = call.sequence(0);
    if (parts.items.empty()) invalid("the sequence is empty");
    const Tensor& first = tensor_of(parts.items[0], "first item");
    const int64_t at = axis_of(axis, first.rank() + (new_axis ? 1 : 0));
    Dims dims = first.dims();
    if (new_axis) dims.insert(dims.begin() + at, 1);
    const Dims expected = dims;
    dims[size_t(at)] = 0;
    std::vector<int64_t> lengths;                         // elements of a part in every outer row
    const int64_t outer = product(expected, 0, at), inner = product(expected, at + 1, int64_t(expected.size()));
    for (const Value& item : parts.items) {
      const Tensor& part = tensor_of(item, "item");
      Dims found = part.dims();
      if (new_axis) found.insert(found.begin() + std::min(at, int64_t(found.size())), 1);
      const int64_t length = found.size() == expected.size() ? found[size_t(at)] : 0;
      if (found.size() == expected.size()) found[size_t(at)] = expected[size_t(at)];
      if (found != expected || part.type() != first.type()) invalid("cannot join ", shown(first), " and ", shown(part), " along axis ", axis);
      dims[size_t(at)] += length, lengths.push_back(length * inner);
    }
    const Tensor& y = call.allocate(0, first.type(), dims);
    for_type<detail::widths>(detail::width_type(first.type()), [&]<class T>() {
      T* to = y.data<T>();
      for (int64_t row = 0; row < outer; ++row)
        for (size_t k = 0; k < lengths.size(); ++k) to = std::copy_n(parts.items[k].tensor()->data<T>() + row * lengths[k], lengths[k], to);
    });
  }
};

}  // namespace

Operators sequence_split_and_concat() { return {define<SplitToSequence>(), define<ConcatFromSequence>()}; }

}  // namespace onward::ops
