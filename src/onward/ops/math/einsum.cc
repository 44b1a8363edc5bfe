// Einsum: sums over products of elements whose axes are named by letters. Operands are joined from left to right, each time as a batch of
// matrix products over the letters that no later term needs.
#include <map>
#include <numeric>
#include "onward/ops/matmul.h"
#include "onward/ops/transpose.h"
#include "onward/ops/typed.h"
#include "onward/ops/wrapping.h"

namespace onward::ops {
namespace {

// Letters as numbers: characters, and from 256 on the axes that an ellipsis stands for, the last of them first.
using Letters = std::vector<int>;
constexpr int hidden_axis = 256;

struct Equation {
  std::vector<std::string> terms;
  std::string output;
  bool explicit_output = false;
};

void check_term(std::string term) {
  if (const size_t dots = term.find("..."); dots != term.npos) term.erase(dots, 3);
  for (char c : term) if (!std::isalpha(static_cast<unsigned char>(c))) invalid("the equation has '", std::string(1, c), "' where a letter was expected");
}

Equation parsed(std::string text) {
  std::erase(text, ' ');
  Equation e;
  const size_t arrow = text.find("->");
  if (arrow != text.npos) e.output = text.substr(arrow + 2), e.explicit_output = true, text.resize(arrow);
  for (size_t from = 0, comma; from <= text.size(); from = comma + 1) {
    comma = std::min(text.find(',', from), text.size());
    e.terms.push_back(text.substr(from, comma - from));
  }
  for (std::string term : e.terms) check_term(term);
  check_term(e.output);
  return e;
}

// The letter of every axis of a tensor of this rank.
Letters letters(const std::string& term, size_t rank) {
  const size_t dots = term.find("..."), named = dots == term.npos ? term.size() : term.size() - 3;
  if (named > rank || (dots == term.npos && named != rank)) invalid("term '", term, "' for an operand of rank ", rank);
  Letters out;
  for (size_t i = 0; i < term.size(); ++i) {
    if (i != dots) { out.push_back(term[i]); continue; }
    for (size_t k = rank - named; k-- > 0;) out.push_back(hidden_axis + int(k));
    i += 2;
  }
  return out;
}

struct Plan {
  std::vector<Letters> terms;
  Letters output;
  std::map<int, int64_t> sizes;
};

Plan plan(const Equation& e, std::span<const Dims> operands, Symbols* symbols) {
  if (operands.size() != e.terms.size()) invalid("the equation has ", e.terms.size(), " terms for ", operands.size(), " operands");
  Plan p;
  int hidden = 0;
  for (size_t i = 0; i < operands.size(); ++i) {
    p.terms.push_back(letters(e.terms[i], operands[i].size()));
    for (size_t axis = 0; axis < operands[i].size(); ++axis) {
      const int letter = p.terms[i][axis];
      if (letter >= hidden_axis) hidden = std::max(hidden, letter - hidden_axis + 1);
      const auto [at, added] = p.sizes.emplace(letter, operands[i][axis]);
      if (!added) at->second = broadcast(Dims{at->second}, Dims{operands[i][axis]}, symbols)[0];
    }
  }
  if (e.explicit_output) {
    const size_t named = e.output.size() - (e.output.find("...") == e.output.npos ? 0 : 3);
    p.output = letters(e.output, named + (named == e.output.size() ? 0 : size_t(hidden)));
  } else {
    for (int k = hidden; k-- > 0;) p.output.push_back(hidden_axis + k);
    std::map<int, int> uses;
    for (const Letters& term : p.terms) for (int letter : term) if (letter < hidden_axis) ++uses[letter];
    for (const auto& [letter, n] : uses) if (n == 1) p.output.push_back(letter);
  }
  for (int letter : p.output) {
    if (!p.sizes.contains(letter)) invalid("the output names '", std::string(1, char(letter)), "', which no operand has");
    if (std::count(p.output.begin(), p.output.end(), letter) > 1) invalid("the output names '", std::string(1, char(letter)), "' twice");
  }
  return p;
}

// A tensor whose axes have letters, each once.
struct Named { Tensor tensor; Letters letters; };

bool has(const Letters& all, int letter) { return std::find(all.begin(), all.end(), letter) != all.end(); }

// Axes of one letter become their diagonal.
template <class T> Named diagonal(const Call& call, const Tensor& x, const Letters& term) {
  Named out{{}, {}};
  Dims dims, stride;
  int64_t step = x.size();
  for (size_t i = 0; i < term.size(); ++i) {
    step = x.dims()[i] ? step / x.dims()[i] : 0;
    const auto at = std::find(out.letters.begin(), out.letters.end(), term[i]);
    if (at != out.letters.end()) {
      const auto k = size_t(at - out.letters.begin());
      if (dims[k] != x.dims()[i]) invalid("a letter stands for axes of ", dims[k], " and ", x.dims()[i], " elements in one term");
      stride[k] += step;
    } else out.letters.push_back(term[i]), dims.push_back(x.dims()[i]), stride.push_back(step);
  }
  if (out.letters.size() == term.size()) return {x, term};
  out.tensor = call.scratch(x.type(), dims);
  Dims place(dims.size());
  for (int64_t i = 0; i < out.tensor.size(); ++i) {
    out.tensor.data<T>()[i] = x.data<T>()[std::inner_product(place.begin(), place.end(), stride.begin(), int64_t(0))];
    for (size_t k = dims.size(); k-- > 0;) {
      if (++place[k] < dims[k]) break;
      place[k] = 0;
    }
  }
  return out;
}

Dims permuted(const Dims& dims, const Dims& perm) {
  Dims out;
  for (int64_t p : perm) out.push_back(dims[size_t(p)]);
  return out;
}

// Axes in the order of `wanted`, those it lacks summed away. In `into` where axes are only moved and it has their form.
template <class T> Named arranged(const Call& call, const Named& x, const Letters& wanted, const Tensor* into = nullptr) {
  Dims perm, dims;
  Letters kept;
  int64_t summed = 1;
  for (int letter : wanted) if (const auto at = std::find(x.letters.begin(), x.letters.end(), letter); at != x.letters.end()) perm.push_back(at - x.letters.begin()), kept.push_back(letter);
  for (int64_t p : perm) dims.push_back(x.tensor.dims()[size_t(p)]);
  for (size_t i = 0; i < x.letters.size(); ++i) if (!has(kept, x.letters[i])) perm.push_back(int64_t(i)), summed *= x.tensor.dims()[i];
  Tensor moved = x.tensor;
  if (!std::is_sorted(perm.begin(), perm.end())) {
    moved = kept.size() == x.letters.size() && into && into->dims() == dims ? *into : call.scratch(x.tensor.type(), permuted(x.tensor.dims(), perm));
    transpose(x.tensor, perm, moved);
  }
  if (kept.size() == x.letters.size()) return {moved, kept};
  Tensor out = call.scratch(x.tensor.type(), dims);
  for (int64_t i = 0; i < out.size(); ++i) {
    T total = 0;
    for (int64_t k = 0; k < summed; ++k) total = sum(total, moved.data<T>()[i * summed + k]);
    out.data<T>()[i] = total;
  }
  return {out, kept};
}

// a and b multiplied, letters that are not in `needed` summed. In `into` where it has the letters `wanted` and their product the same.
template <class T> Named joined(const Call& call, const Named& first, const Named& second, const Letters& needed, const Tensor* into, const Letters& wanted) {
  const auto size = [](const Named& x, int letter) { return x.tensor.dims()[size_t(std::find(x.letters.begin(), x.letters.end(), letter) - x.letters.begin())]; };
  Letters batch, summed, left, right;
  for (int letter : first.letters) {
    if (!has(second.letters, letter)) { if (has(needed, letter)) left.push_back(letter); }
    else if (has(needed, letter) || size(first, letter) != size(second, letter)) batch.push_back(letter);
    else summed.push_back(letter);
  }
  for (int letter : second.letters) if (!has(first.letters, letter) && has(needed, letter)) right.push_back(letter);
  const auto order = [](std::initializer_list<const Letters*> parts) { Letters out; for (const Letters* part : parts) out.insert(out.end(), part->begin(), part->end()); return out; };
  const Tensor a = arranged<T>(call, first, order({&batch, &left, &summed})).tensor, b = arranged<T>(call, second, order({&batch, &summed, &right})).tensor;
  const auto shape = [&](const Named& x, const Letters& of) { Dims out; for (int letter : of) out.push_back(size(x, letter)); return out; };
  const int64_t m = count(shape(first, left)), k = count(shape(first, summed)), n = count(shape(second, right));
  Dims a_dims = shape(first, batch), b_dims = shape(second, batch);
  Dims dims = broadcast(a_dims, b_dims);
  a_dims.push_back(m), a_dims.push_back(k), b_dims.push_back(k), b_dims.push_back(n);
  for (int letter : left) dims.push_back(size(first, letter));
  for (int letter : right) dims.push_back(size(second, letter));
  const Letters letters = order({&batch, &left, &right});
  const Tensor out = into && letters == wanted && into->dims() == dims ? *into : call.scratch(a.type(), dims);
  if (k == 0) std::fill_n(out.data<T>(), out.size(), T(0));
  else if (out.size()) matmul(call.context, MatMulShape(a_dims, b_dims), a.data<T>(), b.data<T>(), out.data<T>());
  return {out, letters};
}

struct Einsum : standard::Einsum {
  Equation parts;

  void prepare(const Preparation&) { parts = parsed(equation); }
  void infer(Inference& io) const {
    std::vector<Dims> operands;
    for (size_t i = 0; i < io.inputs.size(); ++i) operands.push_back(io.dims(i));
    const Plan p = plan(parts, operands, io.symbols);
    Dims out;
    for (int letter : p.output) out.push_back(p.sizes.at(letter));
    io.output(0, out);
  }
  void run(Call& call) const {
    const DataType type = call.tensor(0).type();
    if (contains(small_floats, type)) return detail::run_as_float(call, type, [&](Call& as_float) { contract<float>(as_float); });
    if (contains(i8 | i16 | u8 | u16, type)) return narrow(call);
    for_type<f32 | f64 | i32 | i64 | u32 | u64>(type, [&]<class T>() { contract<T>(call); });
  }

 private:
  // Small integers through int64, whose sums wrap around to the same.
  void narrow(Call& call) const {
    std::vector<Value> wide;
    std::vector<const Value*> inputs;
    for (size_t i = 0; i < call.inputs.size(); ++i) wide.emplace_back(as_type(call, call.tensor(i), DataType::i64));
    for (const Value& v : wide) inputs.push_back(&v);
    std::vector<Value> out{call.scratch(DataType::i64, call.output(0).dims())};
    Call as_wide{inputs, out, call.context, call.scope};
    contract<int64_t>(as_wide);
    store(*out[0].tensor(), call.output(0));
  }

  template <class T> void contract(Call& call) const {
    std::vector<Dims> dims;
    for (size_t i = 0; i < call.inputs.size(); ++i) {
      if (call.tensor(i).type() != type_of<T>) detail::wrong_type(type_of<T>, call.tensor(i).type());
      dims.push_back(call.tensor(i).dims());
    }
    const Plan p = plan(parts, dims, nullptr);
    const Tensor& y = call.output(0);
    Named now = diagonal<T>(call, call.tensor(0), p.terms[0]);
    for (size_t i = 1; i < p.terms.size(); ++i) {
      Letters needed = p.output;
      for (size_t later = i + 1; later < p.terms.size(); ++later) needed.insert(needed.end(), p.terms[later].begin(), p.terms[later].end());
      now = joined<T>(call, now, diagonal<T>(call, call.tensor(i), p.terms[i]), needed, i + 1 == p.terms.size() ? &y : nullptr, p.output);
    }
    const Tensor out = arranged<T>(call, now, p.output, &y).tensor;
    if (out.raw() == y.raw()) return;
    if (out.dims() == y.dims()) return std::copy_n(out.data<T>(), out.size(), y.data<T>()), void();
    const std::span<const int64_t> operands[] = {out.dims()};
    const Rows rows(y.dims(), operands);                  // a letter of size 1 here and more elsewhere is already broadcast
    if (y.size()) rows.each([&](int64_t at, std::span<const int64_t> from) {
      for (int64_t k = 0; k < rows.length(); ++k) y.data<T>()[at + k] = out.data<T>()[from[0] + k * rows.advances(0)];
    });
  }
};

}  // namespace

Operators math_einsum() {
  return {define<Einsum>({.tolerance = 1e-5, .examples = {
      "float [[1, 2], [3, 4]]; equation=\"ij->ji\" -> float [[1, 3], [2, 4]]", "float [[1, 2], [3, 4]]; equation=\"ii\" -> float 5", "float [1, 2], float [3, 4]; equation=\"i,i\" -> float 11",
      "int64 [[1, 2]], int64 [[3], [4]]; equation=\"...ij,...jk->...ik\" -> int64 [[11]]", "uint8 [1, 2], uint8 [3]; equation=\"i, j->ij\" -> uint8 [[3], [6]]"}})};
}

}  // namespace onward::ops
