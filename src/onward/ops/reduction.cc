#include "onward/ops/reduction.h"

namespace onward {

Reduced reduced(std::span<const int64_t> dims, std::span<const int64_t> axes, bool keep_dims) {
  const int64_t rank = int64_t(dims.size());
  std::vector<bool> fold(dims.size(), axes.empty());
  for (int64_t a : axes) fold[size_t(axis_of(a, rank))] = true;
  Reduced r;
  int64_t changes = 0;
  bool last = false;
  for (int64_t i = 0; i < rank; ++i) {
    if (!fold[i]) r.out.push_back(dims[i]);
    else if (keep_dims) r.out.push_back(1);
    if (dims[i] == 1) continue;
    if (fold[i] != last) ++changes, last = fold[i];
    if (is_symbol(dims[size_t(i)])) continue;            // only the shape is asked for
    (fold[i] ? r.n : changes == 0 ? r.outer : r.inner) *= dims[i];
  }
  if (changes <= 2) return r;           // already [outer, reduced, inner]
  for (bool pass : {false, true}) for (int64_t i = 0; i < rank; ++i) if (fold[i] == pass) r.perm.push_back(i);
  r.outer *= r.inner, r.inner = 1;
  return r;
}

Dims reduced_somewhere(Inference& io, bool keep_dims) {
  const size_t rank = io.dims(0).size();
  if (keep_dims) return io.unknown_dims(rank);
  const Dims& axes = io.dims(1);
  if (axes.size() != 1 || is_symbol(axes[0]) || axes[0] == 0 || size_t(axes[0]) > rank) throw NothingKnown{};
  return io.unknown_dims(rank - size_t(axes[0]));
}

void follow(Inference& io, int64_t (Symbols::*join)(int64_t, int64_t)) {
  if (!io.symbols || !io.inputs[0].sizes || io.inputs[0].sizes->empty() || io.dims(0).size() != 1 || io.product(*io.outputs[0].dims) != 1) return;
  const Dims& items = *io.inputs[0].sizes;
  int64_t out = items[0];
  for (size_t i = 1; i < items.size(); ++i) out = (io.symbols->*join)(out, items[i]);
  io.output_sizes(0, {out});
}

}  // namespace onward
