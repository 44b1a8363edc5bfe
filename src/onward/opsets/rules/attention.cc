// Attention and RotaryEmbedding in the operators that they stand for.
#include <cmath>

#include "onward/opsets/lowering.h"

namespace onward {
namespace {

std::string cast(std::string_view to, std::string_view from, DataType type) { return text(to, " = Cast(", from, "; to=", type_number(type), ")\n"); }

struct Heads { int64_t queries = 0, keys = 0; bool three_axes = false; };

Heads heads_of(const Lowering& at) {
  Heads h{at.attribute<int64_t>("q_num_heads", 0), at.attribute<int64_t>("kv_num_heads", 0), at.rank(0) == 3};
  if (h.three_axes) return h;
  const auto &q = at.input(0).dims, &k = at.input(1).dims;
  if (!q || !k || k->size() != 4 || q->size() != 4 || is_symbol((*q)[1]) || is_symbol((*k)[1])) at.refuse("the numbers of its heads are not known");
  return {(*q)[1], (*k)[1], false};
}

// [batch, heads, steps, width]; three axes have the heads inside the last.
std::string four_axes(std::string_view to, std::string_view from, const Heads& h, int64_t heads) {
  if (!h.three_axes) return text(to, " = Identity(", from, ")\n");
  return text(to, "_steps = Reshape(", from, ", ", literal(std::vector<int64_t>{0, 0, heads, -1}), ")\n", to, " = Transpose(", to, "_steps; perm=[0, 2, 1, 3])\n");
}

// Keys or values once for every head of queries that shares them.
std::string shared_by_heads(std::string_view to, std::string_view from, const Heads& h) {
  if (h.queries == h.keys) return text(to, " = Identity(", from, ")\n");
  return text(to, "_s = Shape(", from, ")\n ", to, "_first = Slice(", to, "_s, int64 [0], int64 [1], int64 [0])\n ", to, "_rest = Slice(", to, "_s, int64 [2], int64 [4], int64 [0])\n ",
              to, "_shape = Concat(", to, "_first, int64 [", h.queries, "], ", to, "_rest; axis=0)\n ", to, "_one = Unsqueeze(", from, ", int64 [2])\n ", to, "_all = Expand(", to, "_one, ",
              literal(std::vector<int64_t>{1, 1, h.queries / h.keys, 1, 1}), ")\n ", to, " = Reshape(", to, "_all, ", to, "_shape)\n");
}

std::string scaled(const Lowering& at, DataType in) {
  if (at.node.attributes.contains("scale")) return text("scale32 = Constant(; value_float=@scale)\n", cast("factor", "scale32", in));
  return text("q_shape = Shape(q)\n q_width = Gather(q_shape, int64 3)\n", cast("width", "q_width", in), "root = Sqrt(width)\n factor = Reciprocal(root)\n");
}

// Which keys a query must not see by their places: "gone", or nothing where it may see all.
std::string places(const Lowering& at) {
  const bool causal = at.attribute<int64_t>("is_causal", 0) != 0;
  const int64_t left = at.attribute<int64_t>("left_window_size", -1), right = at.attribute<int64_t>("right_window_size", -1);
  std::string out = "s_shape = Shape(raw)\n rows = Gather(s_shape, int64 2)\n columns = Gather(s_shape, int64 3)\n row = Range(int64 0, rows, int64 1)\n key = Range(int64 0, columns, int64 1)\n";
  out += "down = Unsqueeze(row, int64 [1])\n";
  if (at.has(6) && !at.has(4)) out += "lengths = Reshape(nonpad_kv_seqlen, int64 [-1, 1, 1, 1])\n before = Sub(lengths, rows)\n";
  else out += "now_shape = Shape(k_now)\n new_keys = Gather(now_shape, int64 2)\n before = Sub(columns, new_keys)\n";
  out += "place = Add(down, before)\n";
  std::vector<std::string> gone;
  if (causal) out += "gone_c = Less(place, key)\n", gone.push_back("gone_c");
  if (left >= 0) out += text("first = Sub(place, int64 ", left, ")\n gone_l = Less(key, first)\n"), gone.push_back("gone_l");
  if (right >= 0) out += text("last = Add(place, int64 ", right, ")\n gone_r = Less(last, key)\n"), gone.push_back("gone_r");
  if (at.has(6)) out += "ends = Reshape(nonpad_kv_seqlen, int64 [-1, 1, 1, 1])\n seen = Less(key, ends)\n gone_n = Not(seen)\n", gone.push_back("gone_n");
  if (gone.empty()) return "";
  for (size_t i = 1; i < gone.size(); ++i) out += text("any_", i, " = Or(", i == 1 ? gone[0] : text("any_", i - 1), ", ", gone[i], ")\n");
  return out + text("gone = Identity(", gone.size() == 1 ? gone[0] : text("any_", gone.size() - 1), ")\n");
}

// The mask as what is added to the scores; keys beyond its end are not seen.
std::string added_mask(const Lowering& at, DataType in) {
  const std::string type = name_of(in);
  std::string out = at.type(3) == DataType::b8 ? "mask = Where(attn_mask, nothing, never)\n" : cast("mask", "attn_mask", in);
  const auto &mask = at.input(3).dims, &keys = at.input(1).dims, &past = at.input(4).dims;
  if (!mask || !keys || mask->empty() || is_symbol(mask->back()) || mask->back() == 1) return out + "masked = Add(capped, mask)\n";
  int64_t total = (*keys)[keys->size() - 2];
  if (at.has(4)) total = past && !is_symbol(total) && !is_symbol((*past)[2]) ? total + (*past)[2] : first_symbol - 1;
  if (is_symbol(total) || total <= mask->back()) return out + "masked = Add(capped, mask)\n";
  std::vector<int64_t> pads(2 * mask->size(), 0);
  pads.back() = total - mask->back();
  return out + text("longer = Pad(mask, ", literal(pads), ", ", type, " -inf)\n masked = Add(capped, longer)\n");
}

std::string attention(Lowering& at) {
  const Heads h = heads_of(at);
  const DataType type = at.type(0), in = type == DataType::f64 ? DataType::f64 : DataType::f32;
  const float softcap = at.attribute("softcap", 0.0f);
  const int64_t shown_stage = at.attribute<int64_t>("qk_matmul_output_mode", 0);
  const std::string t = name_of(in), gone = places(at);
  std::string out = text(four_axes("q_now", "Q", h, h.queries), four_axes("k_now", "K", h, h.keys), four_axes("v_now", "V", h, h.keys));
  out += at.has(4) ? "present_key = Concat(past_key, k_now; axis=2)\n present_value = Concat(past_value, v_now; axis=2)\n k_typed = Concat(past_key, k_now; axis=2)\n v_typed = Concat(past_value, v_now; axis=2)\n"
                   : "present_key = Identity(k_now)\n present_value = Identity(v_now)\n k_typed = Identity(k_now)\n v_typed = Identity(v_now)\n";
  out += text(cast("q", "q_now", in), cast("k_wide", "k_typed", in), cast("v_wide", "v_typed", in), shared_by_heads("k", "k_wide", h), shared_by_heads("v", "v_wide", h));
  out += text("nothing = Constant(; value=", t, " 0)\n never = Constant(; value=", t, " -inf)\n", scaled(at, in));
  out += text("k_turned = Transpose(k; perm=[0, 1, 3, 2])\n products = MatMul(q, k_turned)\n raw = Mul(products, factor)\n");
  out += softcap != 0 ? text("by = Div(raw, ", t, " ", softcap, ")\n bent = Tanh(by)\n capped = Mul(bent, ", t, " ", softcap, ")\n") : "capped = Identity(raw)\n";
  const std::string mask = at.has(3) ? added_mask(at, in) : "masked = Identity(capped)\n";
  out += mask + gone + (gone.empty() ? "scores = Identity(masked)\n" : "scores = Where(gone, never, masked)\n");
  out += "p = Softmax(scores; axis=-1)\n";
  if (at.has(3) || !gone.empty())                         // a query that may see nothing answers zeros
    out += text("top = ReduceMax(scores, int64 [-1])\n blind = Less(top, ", t, " -3.4028234e38)\n weights = Where(blind, nothing, p)\n");
  else out += "weights = Identity(p)\n";
  out += text("y4 = MatMul(weights, v)\n", cast("y_typed", "y4", type));
  out += h.three_axes ? "y_steps = Transpose(y_typed; perm=[0, 2, 1, 3])\n Y = Reshape(y_steps, int64 [0, 0, -1])\n" : "Y = Identity(y_typed)\n";
  constexpr std::string_view stages[] = {"raw", "capped", "scores", "weights"};
  if (shown_stage < 0 || shown_stage > 3) invalid("qk_matmul_output_mode is ", shown_stage, ", expected 0 to 3");
  return out + cast("qk_matmul_output", stages[shown_stage], type);
}

std::string rotary_embedding(Lowering& at) {
  const bool three_axes = at.rank(0) == 3, interleaved = at.attribute<int64_t>("interleaved", 0) != 0;
  const int64_t heads = at.attribute<int64_t>("num_heads", 0), rotated = at.attribute<int64_t>("rotary_embedding_dim", 0);
  if (three_axes && heads < 1) invalid("num_heads is ", heads);
  int64_t width = rotated;
  if (const auto& dims = at.input(0).dims; !width && dims && !is_symbol(dims->back())) width = three_axes ? dims->back() / heads : dims->back();
  if (!width) at.refuse("the width of its heads is not known");
  std::string out = three_axes ? text("x = Reshape(X, ", literal(std::vector<int64_t>{0, 0, heads, -1}), ")\n") : "x = Transpose(X; perm=[0, 2, 1, 3])\n";
  out += rotated ? text("turned = Slice(x, int64 [0], int64 [", rotated, "], int64 [3])\n rest = Slice(x, int64 [", rotated, "], int64 [9223372036854775807], int64 [3])\n") : "turned = Identity(x)\n";
  for (std::string_view part : {"cos", "sin"})
    out += text(part, "_at = ", at.has(3) ? text("Gather(", part, "_cache, position_ids)") : text("Identity(", part, "_cache)"), "\n ", part, " = Unsqueeze(", part, "_at, int64 [2])\n");
  if (interleaved) {
    out += text("pairs = Reshape(turned, ", literal(std::vector<int64_t>{0, 0, 0, width / 2, 2}), ")\n a = Gather(pairs, int64 0; axis=4)\n b = Gather(pairs, int64 1; axis=4)\n");
  } else {
    out += text("a = Slice(turned, int64 [0], int64 [", width / 2, "], int64 [3])\n b = Slice(turned, int64 [", width / 2, "], int64 [", width, "], int64 [3])\n");
  }
  out += "ca = Mul(cos, a)\n sb = Mul(sin, b)\n first = Sub(ca, sb)\n sa = Mul(sin, a)\n cb = Mul(cos, b)\n second = Add(sa, cb)\n";
  if (interleaved)
    out += text("f = Unsqueeze(first, int64 [4])\n s = Unsqueeze(second, int64 [4])\n fs = Concat(f, s; axis=4)\n done = Reshape(fs, ", literal(std::vector<int64_t>{0, 0, 0, width}), ")\n");
  else
    out += "done = Concat(first, second; axis=3)\n";
  out += rotated ? "whole = Concat(done, rest; axis=3)\n" : "whole = Identity(done)\n";
  return out + (three_axes ? "shape = Shape(X)\n Y = Reshape(whole, shape)" : "Y = Transpose(whole; perm=[0, 2, 1, 3])");
}

constexpr LoweringRule rules[] = {{"Attention", 23, attention}, {"RotaryEmbedding", 23, rotary_embedding}};

}  // namespace

std::span<const LoweringRule> attention_rules() { return rules; }

}  // namespace onward
