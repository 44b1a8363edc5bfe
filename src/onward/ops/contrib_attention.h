// What ONNX Runtime's attention operators share beside the products themselves: heads cut out of packed inputs, caches, and its masks.
#pragma once
#include "onward/ops/scaled_attention.h"
#include "onward/ops/transpose.h"
#include "onward/ops/typed.h"

namespace onward {

// Where the heads of a packed input are: element d of head h of token t of entry b is x[b, t][first + h * stride + d].
struct Packing { int64_t heads, width, first, stride; };

// [batch, heads, steps, width] of x, whose first two axes are batch and steps; bias[h * width + d] is added where there is one.
template <class C> Tensor unpacked_heads(const Call& call, const Tensor& x, const Packing& p, const C* bias = nullptr) {
  const int64_t batch = x.dims()[0], steps = x.dims()[1], row = batch > 0 && steps > 0 ? x.size() / (batch * steps) : 0;
  Tensor out = call.scratch(type_of<C>, {batch, p.heads, steps, p.width});
  C* to = out.data<C>();
  for (int64_t b = 0; b < batch; ++b) for (int64_t h = 0; h < p.heads; ++h) for (int64_t t = 0; t < steps; ++t) {
    const C* from = x.data<C>() + (b * steps + t) * row + p.first + h * p.stride;
    if (!bias) to = std::copy_n(from, p.width, to);
    else for (int64_t d = 0; d < p.width; ++d) *to++ = from[d] + bias[h * p.width + d];
  }
  return out;
}

// The cache `past` [batch, heads, room, width], of whose entries `used` count, and `now` behind them, in a cache of `total` entries.
template <class C> Tensor behind_past(const Call& call, const Tensor& past, int64_t used, const Tensor& now, int64_t total) {
  const int64_t rows = now.dims()[0] * now.dims()[1], steps = now.dims()[2], width = now.dims()[3], room = past ? past.dims()[2] : 0;
  if (used == 0 && total == steps) return now;
  Tensor out = call.scratch(type_of<C>, {now.dims()[0], now.dims()[1], total, width});
  for (int64_t row = 0; row < rows; ++row) {
    C* to = out.data<C>() + row * total * width;
    if (past) to = std::copy_n(past.data<C>() + row * room * width, used * width, to);
    to = std::copy_n(now.data<C>() + row * steps * width, steps * width, to);
    std::fill_n(to, (total - used - steps) * width, C(0));
  }
  return out;
}

// The mask of keys in the forms that ONNX Runtime knows: lengths, starts and ends, or a number for every key, 0 for those to leave out.
// What it leaves out keeps its place in softmax with `filter` added, as there.
class KeyMask {
 public:
  KeyMask() = default;
  KeyMask(const Tensor& mask, int64_t batch, int64_t queries, int64_t total, double filter) : values_(mask.data<int32_t>()), total_(total), filter_(filter) {
    const Dims& d = mask.dims();
    if (d == Dims{batch}) ends_ = values_;
    else if (d == Dims{2 * batch}) ends_ = values_, starts_ = values_ + batch;
    else if (d == Dims{batch, total}) per_entry_ = total;
    else if (d == Dims{batch, queries, total}) per_entry_ = queries * total, per_query_ = total;
    else if (d.size() == 4 && d[0] == batch && d[1] == 1 && d[2] == d[3] && d[3] >= total) per_entry_ = d[2] * d[3], per_query_ = d[3], first_ = (total - queries) * d[3];
    else unsupported("a mask of shape ", shown(d), " for ", batch, " x ", queries, " queries and ", total, " keys");
  }

  template <class C> void operator()(int64_t b, int64_t query, C* scores) const {
    if (!values_) return;
    const int32_t* row = values_ + b * per_entry_ + first_ + query * per_query_;
    for (int64_t j = 0; j < total_; ++j) {
      const bool hidden = ends_ ? j >= ends_[b] || (starts_ && j < starts_[b]) : row[j] <= 0;
      if (hidden) scores[j] += C(filter_);
    }
  }

 private:
  const int32_t *values_ = nullptr, *ends_ = nullptr, *starts_ = nullptr;
  int64_t total_ = 0, per_entry_ = 0, per_query_ = 0, first_ = 0;
  double filter_ = 0;
};

// A bias of [batch or 1, heads or 1, queries, total or more] on the scores, in C.
template <class C> struct AddedScores {
  Tensor values;
  void check(int64_t batch, int64_t heads, int64_t queries, int64_t total) const {
    const Dims& d = values.dims();
    if (values && (d.size() != 4 || (d[0] != 1 && d[0] != batch) || (d[1] != 1 && d[1] != heads) || d[2] != queries || d[3] < total))
      invalid("an attention bias of shape ", shown(d), " for scores of shape ", shown(Dims{batch, heads, queries, total}));
  }
  // On `total` keys, of which the first is the bias's key `first`.
  void operator()(int64_t b, int64_t h, int64_t i, C* scores, int64_t total, int64_t first = 0) const {
    if (!values) return;
    const Dims& d = values.dims();
    const C* from = values.data<C>() + ((b % d[0] * d[1] + h % d[1]) * d[2] + i) * d[3] + first;
    for (int64_t j = 0; j < total; ++j) scores[j] += from[j];
  }
};

// [batch, heads, steps, width] into the output [batch, steps, heads * width].
inline void store_merged(const Tensor& heads, const Tensor& to) { store(transposed(heads, {0, 2, 1, 3}), to); }

}  // namespace onward
