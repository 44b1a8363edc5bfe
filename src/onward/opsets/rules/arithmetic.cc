// Operators on elements: types and broadcasting that came later, and functions of one element in older words.
#include <cmath>

#include "onward/opsets/lowering.h"

namespace onward {
namespace {

constexpr Types floats = f32 | f64 | f16 | bf16;

std::string scalar(DataType type, std::string_view value) { return text(name_of(type), " ", value); }

// Softmax, LogSoftmax and Hardmax took all axes from `axis` on as one; along one axis that is the last of them.
std::string along_the_last_axis(Lowering& at) {
  const int64_t axis = at.attribute<int64_t>("axis", -1);
  if (axis == -1 && at.opset() >= 11) return "output = Self(input; axis=-1)";
  const int64_t rank = at.rank(0), last = rank - 1, place = axis < 0 ? axis + rank : axis;
  if (place == last) return text("output = Self(input; axis=", last, ")");
  std::vector<int64_t> order;
  for (int64_t i = 0; i < rank; ++i) order.push_back(i == place ? last : i == last ? place : i);
  return text("there = Transpose(input; perm=", listed(order), ")\n y = Self(there; axis=", last, ")\n output = Transpose(y; perm=", listed(order), ")");
}

std::string nth(size_t i) { return i ? text("data_0_", i) : "data_0"; }

// Integers: the larger by comparing.
std::string extreme_before_12(Lowering& at) {
  if (contains(floats, at.type(0)) || !contains(i64 | u64, at.type(0))) return "";      // the others widen
  const std::string_view keeps = at.node.op == "Max" ? "Greater" : "Less";
  if (at.node.inputs.size() == 1) return text(at.node.op == "Max" ? "max" : "min", " = Identity(data_0)");
  std::string out, so_far = "data_0";
  for (size_t i = 1; i < at.node.inputs.size(); ++i) {
    const std::string result = i + 1 == at.node.inputs.size() ? (at.node.op == "Max" ? "max" : "min") : text("upto_", i);
    out += text("c_", i, " = ", keeps, "(", so_far, ", ", nth(i), ")\n ", result, " = Where(c_", i, ", ", so_far, ", ", nth(i), ")\n ");
    so_far = result;
  }
  return out;
}

// Sum and Mean took equal shapes only; Add broadcasts since 7.
std::string sum_before_8(Lowering& at) {
  const bool mean = at.node.op == "Mean";
  const std::string result = mean ? "mean" : "sum";
  const size_t n = at.node.inputs.size();
  if (n == 1) return result + " = Identity(data_0)";
  std::string out, so_far = "data_0";
  for (size_t i = 1; i < n; ++i) {
    const std::string next = i + 1 == n && !mean ? result : text("upto_", i);
    out += text(next, " = Add(", so_far, ", ", nth(i), ")\n ");
    so_far = next;
  }
  if (mean) out += text("n = Cast(float ", n, "; to=", type_number(at.type(0)), ")\n mean = Div(", so_far, ", n)");
  return out;
}

std::string extreme_before_8(Lowering& at) {
  for (size_t i = 1; i < at.node.inputs.size(); ++i)
    if (!at.input(0).dims || !at.input(i).dims || !(*at.input(0).dims == *at.input(i).dims)) at.refuse("its inputs are not known to have one shape, and before opset 8 it does not broadcast");
  return "";
}

// A bound that is left out is none, while the older attribute is the largest float32.
std::string clip_before_11(Lowering& at) {
  const char* names[] = {"min", "max"};
  bool as_attributes = true;
  for (size_t i : {1, 2}) {
    if (!at.has(i)) continue;
    const Tensor* bound = at.constant(i);
    if (!bound || bound->size() != 1) { as_attributes = false; continue; }
    for_type<f64>(bound->type(), [&]<class T>() { as_attributes = as_attributes && (double(float(*bound->data<T>())) == *bound->data<T>() || std::isnan(*bound->data<T>())); });
  }
  if (as_attributes && at.has(1) && at.has(2)) {          // bounds that cross give the upper one; ONNX Runtime refuses them as attributes
    double low = 0, high = 0;
    for_type<f32 | f64 | f16 | bf16>(at.constant(1)->type(), [&]<class T>() { low = double(compute_t<T>(*at.constant(1)->data<T>())); });
    for_type<f32 | f64 | f16 | bf16>(at.constant(2)->type(), [&]<class T>() { high = double(compute_t<T>(*at.constant(2)->data<T>())); });
    as_attributes = low <= high;
  }
  if (as_attributes) {
    for (size_t i : {1, 2}) if (!at.has(i)) at.node.attributes[names[i - 1]] = i == 1 ? -INFINITY : INFINITY;
    return "";
  }
  std::string out = at.has(1) ? text(at.has(2) ? "raised" : "output", " = Max(input, min)\n ") : "";
  if (at.has(2)) out += text("output = Min(", at.has(1) ? "raised" : "input", ", max)");
  return out;
}

std::string clip_before_12(Lowering& at) {
  if (contains(floats, at.type(0)) || at.type(0) == DataType::none) return "";
  if (!at.has(1) && !at.has(2)) return "output = Identity(input)";
  std::string out = at.has(1) ? text("low = Less(input, min)\n ", at.has(2) ? "raised" : "output", " = Where(low, min, input)\n ") : "";
  const std::string raised = at.has(1) ? "raised" : "input";
  if (at.has(2)) out += text("high = Greater(", raised, ", max)\n output = Where(high, max, ", raised, ")");
  return out;
}

// One type for both operands, and that a float.
std::string pow_before_12(Lowering& at) {
  const DataType base = at.type(0), exponent = at.type(1);
  if (base == DataType::none || exponent == DataType::none) at.refuse("its types are not known");
  if (contains(floats, base)) return base == exponent ? "" : text("e = Cast(Y; to=", type_number(base), ")\n Z = Self(X, e)");
  const Tensor* e = at.constant(1);
  double power = 0;
  if (e && e->size() == 1) for_type<floats | i32 | i64>(e->type(), [&]<class T>() { power = double(compute_t<T>(*e->data<T>())); });
  if (power == 1) return "Z = Identity(X)";
  if (power == 2) return "Z = Mul(X, X)";
  if (power == 3) return "square = Mul(X, X)\n Z = Mul(square, X)";
  if (base != DataType::i32) at.refuse("powers of ", name_of(base), " are not exact in float64");
  return text("b = Cast(X; to=11)\n e = Cast(Y; to=11)\n z = Self(b, e)\n Z = Cast(z; to=", type_number(base), ")");
}

// Half to even: the floor, and one more above the middle or in the middle of an odd floor.
std::string round_before_11(Lowering& at) {
  const std::string t = name_of(at.type(0));
  return text("f = Floor(X)\n d = Sub(X, f)\n up = Greater(d, ", t, " 0.5)\n below = Less(d, ", t, " 0.5)\n off = Or(up, below)\n middle = Not(off)\n",
              "half = Mul(f, ", t, " 0.5)\n whole = Floor(half)\n rest = Sub(half, whole)\n odd = Greater(rest, ", t, " 0.25)\n tie = And(middle, odd)\n",
              "more = Or(up, tie)\n one = Cast(more; to=", type_number(at.type(0)), ")\n Y = Add(f, one)");
}

std::string equal_before_11(Lowering& at) {
  if (!contains(floats, at.type(0))) return "";
  return "less = Less(A, B)\n more = Greater(A, B)\n ne = Or(less, more)\n a = IsNaN(A)\n b = IsNaN(B)\n nan = Or(a, b)\n differ = Or(ne, nan)\n C = Not(differ)";
}

// Text was not compared: constants get numbers, and with them what equals one of them.
std::string equal_before_19(Lowering& at) {
  if (at.type(0) != DataType::str && at.type(1) != DataType::str) return "";
  const int constant = at.constant(1) ? 1 : 0;
  const Tensor* words = at.constant(size_t(constant));
  if (!words) at.refuse("text is compared with text that is computed when the model runs; before opset 19 only constants will do");
  std::vector<std::string> distinct;
  std::vector<int64_t> codes;
  for (const std::string& word : words->values<std::string>()) {
    const auto it = std::find(distinct.begin(), distinct.end(), word);
    codes.push_back(it - distinct.begin());
    if (it == distinct.end()) distinct.push_back(word);
  }
  std::vector<int64_t> numbers(distinct.size());
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = int64_t(i);
  at.node.attributes["words"] = distinct, at.node.attributes["numbers"] = numbers;
  at.node.attributes["codes"] = Tensor::of(words->dims(), codes);
  return text("given = ai.onnx.ml.LabelEncoder(", constant ? "A" : "B", "; keys_strings=@words, values_int64s=@numbers, default_int64=-1)\n",
              "wanted = Constant(; value=@codes)\n C = Equal(given, wanted)");
}

std::string is_inf_before_10(Lowering& at) {
  const std::string t = name_of(at.type(0));
  const bool up = at.attribute<int64_t>("detect_positive", 1) != 0, down = at.attribute<int64_t>("detect_negative", 1) != 0;
  const std::string largest = at.type(0) == DataType::f64 ? "1.7976931348623157e308" : "3.4028235e38";
  if (!contains(f32 | f64, at.type(0))) at.refuse("it takes ", t, " only since opset 20");
  if (up && down) return text("size = Abs(X)\n Y = Greater(size, ", t, " ", largest, ")");
  if (up) return text("Y = Greater(X, ", t, " ", largest, ")");
  if (down) return text("Y = Less(X, ", t, " -", largest, ")");
  return text("Y = Less(X, ", t, " -inf)");
}

std::string is_nan_before_9(Lowering& at) {
  const std::string t = name_of(at.type(0));
  return text("top = Constant(; value=", t, " inf)\n finite = Less(X, top)\n more = Greater(X, ", t, " 0)\n number = Or(finite, more)\n Y = Not(number)");
}

std::string sign_before_9(Lowering& at) {
  const std::string t = name_of(at.type(0)), to = type_number(at.type(0));
  if (contains(floats, at.type(0))) return text("up = Greater(input, ", t, " 0)\n down = Less(input, ", t, " 0)\n u = Cast(up; to=", to, ")\n d = Cast(down; to=", to, ")\n output = Sub(u, d)");
  return "";
}

// c * x + (1 - c) * y, which is exact for integers.
std::string where_before_9(Lowering& at) {
  const DataType type = at.type(1);
  if (!contains(i32 | i64 | u8 | i8 | u16 | i16 | b8, type)) at.refuse("a choice between ", name_of(type), " values has no words there");
  const std::string to = type_number(type == DataType::i64 ? DataType::i64 : DataType::i32);
  return text("c = Cast(condition; to=", to, ")\n no = Not(condition)\n n = Cast(no; to=", to, ")\n x = Cast(X; to=", to, ")\n y = Cast(Y; to=", to, ")\n",
              "a = Mul(c, x)\n b = Mul(n, y)\n z = Add(a, b)\n output = Cast(z; to=", type_number(type), ")");
}

// Of floats only what C's fmod gives, with the sign of the dividend.
std::string mod_before_28(Lowering& at) {
  if (!contains(floats, at.type(0)) || at.attribute<int64_t>("fmod", 0)) return "";
  return text("r = Self(A, B; fmod=1)\n nothing = Constant(; value=", name_of(at.type(0)), " 0)\n rn = Less(r, nothing)\n rp = Greater(r, nothing)\n some = Or(rn, rp)\n bn = Less(B, nothing)\n",
              "differ = Xor(rn, bn)\n add = And(differ, some)\n sum = Add(r, B)\n C = Where(add, sum, r)");
}

// Floor division and what is left, of numbers that divide exactly in their own type.
std::string mod_before_10(Lowering& at) {
  if (at.attribute<int64_t>("fmod", 0)) at.refuse("fmod=1 has no words there");
  if (!contains(i32 | i64, at.type(0))) at.refuse("remainders of ", name_of(at.type(0)), " have no words there");
  const std::string t = name_of(at.type(0)), to = type_number(at.type(0));
  return text("q = Div(A, B)\n p = Mul(q, B)\n r = Sub(A, p)\n rn = Less(r, ", t, " 0)\n bn = Less(B, ", t, " 0)\n rz = Equal(r, ", t, " 0)\n",
              "differ = Xor(rn, bn)\n some = Not(rz)\n add = And(differ, some)\n m = Cast(add; to=", to, ")\n more = Mul(m, B)\n C = Add(r, more)");
}

// With the constants of the older form typed as the data.
std::string gemm_before_11(Lowering& at) {
  if (at.has(2)) return "";
  return text("Y = ", called(at.node, text("A, B, ", scalar(at.type(0), "0"))));
}

std::string gelu(Lowering& at) {
  const std::string t = name_of(at.type(0));
  if (at.attribute("approximate", std::string("none")) == "tanh")
    return text("cube = Mul(X, X)\n x3 = Mul(cube, X)\n scaled = Mul(x3, ", t, " 0.044715)\n sum = Add(X, scaled)\n inner = Mul(sum, ", t, " 0.7978845608028654)\n",
                "tanh = Tanh(inner)\n one = Add(tanh, ", t, " 1)\n half = Mul(X, ", t, " 0.5)\n Y = Mul(half, one)");
  return text("x = Mul(X, ", t, " 0.7071067811865476)\n erf = Erf(x)\n one = Add(erf, ", t, " 1)\n half = Mul(X, ", t, " 0.5)\n Y = Mul(half, one)");
}

constexpr LoweringRule rules[] = {
    {"Softmax", 13, along_the_last_axis}, {"LogSoftmax", 13, along_the_last_axis}, {"Hardmax", 13, along_the_last_axis},
    {"Max", 12, extreme_before_12}, {"Min", 12, extreme_before_12}, {"Max", 8, extreme_before_8}, {"Min", 8, extreme_before_8},
    {"Sum", 8, sum_before_8}, {"Mean", 8, sum_before_8}, {"Clip", 12, clip_before_12}, {"Clip", 11, clip_before_11},
    {"Pow", 12, pow_before_12}, {"Round", 11, round_before_11}, {"Equal", 19, equal_before_19}, {"Equal", 11, equal_before_11},
    {"IsInf", 10, is_inf_before_10}, {"IsNaN", 9, is_nan_before_9}, {"Sign", 9, sign_before_9}, {"Where", 9, where_before_9}, {"Mod", 28, mod_before_28}, {"Mod", 10, mod_before_10},
    {"Gemm", 11, gemm_before_11}, {"Gelu", 20, gelu},
};

}  // namespace

std::span<const LoweringRule> arithmetic_rules() { return rules; }

}  // namespace onward
