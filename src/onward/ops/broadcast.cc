#include "onward/ops/broadcast.h"

namespace onward {

// Two unknown sizes that differ may still both be 1 or equal: the result is then an unknown of its own.
static int64_t common(int64_t mine, int64_t theirs, const Dims& a, const Dims& b, Symbols* symbols) {
  if (mine == theirs || theirs == 1) return mine;
  if (mine == 1) return theirs;
  if (is_symbol(mine) && !is_symbol(theirs)) return theirs;
  if (is_symbol(theirs) && !is_symbol(mine)) return mine;
  if (is_symbol(mine) && symbols) return symbols->broadcast(mine, theirs);
  invalid("cannot broadcast ", shown(a), " with ", shown(b));
}

Dims broadcast(const Dims& a, const Dims& b, Symbols* symbols) {
  if (a.size() < b.size()) return broadcast(b, a, symbols);
  Dims out = a;
  for (size_t i = 0; i < b.size(); ++i) {
    int64_t& mine = out[a.size() - b.size() + i];
    mine = common(mine, b[i], a, b, symbols);
  }
  return out;
}

Dims broadcast(const Inference& io) {
  Dims out = io.dims(0);
  for (size_t i = 1; i < io.inputs.size(); ++i) out = broadcast(out, io.dims(i), io.symbols);
  return out;
}

Rows::Rows(std::span<const int64_t> out, std::span<const std::span<const int64_t>> operands) : total_(onward::count(out)), operands_(operands.size()) {
  ONWARD_CHECK(operands_ <= most);
  const auto size_at = [&](size_t k, size_t axis) { const size_t missing = out.size() - operands[k].size(); return axis < missing ? 1 : operands[k][axis - missing]; };
  Dims sizes, moves;                    // neighbouring axes along which the same operands advance become one
  for (size_t axis = 0; axis < out.size(); ++axis) {
    if (out[axis] == 1) continue;
    int64_t move = 0;                   // a bit for each operand
    for (size_t k = 0; k < operands_; ++k) move |= int64_t(size_at(k, axis) != 1) << k;
    if (!moves.empty() && moves.back() == move) sizes.back() *= out[axis];
    else sizes.push_back(out[axis]), moves.push_back(move);
  }
  int64_t inner = 0;
  if (!sizes.empty()) length_ = sizes.back(), inner = moves.back(), sizes.pop_back();
  outer_ = sizes;
  for (size_t k = 0; k < operands_; ++k) {
    inner_[k] = inner >> k & 1;
    strides_[k].resize(outer_.size());
    int64_t step = inner_[k] ? length_ : 1;
    for (size_t axis = outer_.size(); axis-- > 0;) if (moves[axis] >> k & 1) strides_[k][axis] = step, step *= outer_[axis];
  }
}

}  // namespace onward
