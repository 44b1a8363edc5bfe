#include "onward/model/symbols.h"

#include "onward/base/error.h"

namespace onward {

int64_t Symbols::named(const std::string& name) { return intern({{{name}, 1}}); }

int64_t Symbols::fresh(std::string_view hint) {
  std::string name;
  do name = text(hint, "_", next_fresh_++); while (known_.contains(name));
  return named(name);
}

Symbols::Polynomial Symbols::polynomial(int64_t size) const {
  if (is_symbol(size)) return expressions_.at(size_t(first_symbol - 1 - size));
  if (size == 0) return {};
  return {{{}, size}};
}

int64_t Symbols::intern(const Polynomial& p) {
  if (p.empty()) return 0;
  if (p.size() == 1 && p.begin()->first.empty()) return p.begin()->second;
  const auto [it, added] = known_.emplace(written(p), first_symbol - 1 - int64_t(expressions_.size()));
  if (added) expressions_.push_back(p);
  return it->second;
}

std::string Symbols::written(const Polynomial& p) {
  std::string out;
  for (const bool constants : {false, true})             // "batch + 1" reads better than "1 + batch"
    for (const auto& [monomial, coefficient] : p) {
      if (monomial.empty() != constants) continue;
      const int64_t magnitude = coefficient < 0 ? -coefficient : coefficient;
      out += out.empty() ? (coefficient < 0 ? "-" : "") : coefficient < 0 ? " - " : " + ";
      if (monomial.empty() || magnitude != 1) out += text(magnitude, monomial.empty() ? "" : "*");
      for (size_t i = 0; i < monomial.size(); ++i) out += (i ? "*" : "") + monomial[i];
    }
  return out;
}

// A coefficient that no longer fits is no longer worth following: the result becomes a symbol of its own.
int64_t Symbols::add(int64_t a, int64_t b) {
  Polynomial sum = polynomial(a);
  for (const auto& [monomial, coefficient] : polynomial(b)) {
    int64_t& into = sum[monomial];
    if (__builtin_add_overflow(into, coefficient, &into)) return fresh();
    if (into == 0) sum.erase(monomial);
  }
  return intern(sum);
}

int64_t Symbols::subtract(int64_t a, int64_t b) { return add(a, multiply(b, -1)); }

int64_t Symbols::multiply(int64_t a, int64_t b) {
  Polynomial out;
  const Polynomial p = polynomial(a), q = polynomial(b);
  if (p.size() * q.size() > 64) return fresh();
  for (const auto& [m, c] : p)
    for (const auto& [n, d] : q) {
      Monomial both = m;
      both.insert(both.end(), n.begin(), n.end());
      if (both.size() > 16) return fresh();
      std::sort(both.begin(), both.end());
      int64_t term = 0, &into = out[both];
      if (__builtin_mul_overflow(c, d, &term) || __builtin_add_overflow(into, term, &into)) return fresh();
      if (into == 0) out.erase(both);
    }
  return intern(out);
}

int64_t Symbols::divide(int64_t a, int64_t b) {
  if (!is_symbol(a) && !is_symbol(b)) return b == 0 ? fresh() : a / b - ((a % b != 0) && ((a < 0) != (b < 0)));
  if (a == b) return 1;
  const Polynomial q = polynomial(b);
  if (q.size() == 1) {                                   // by one term: exact when it divides every term
    const auto& [by, divisor] = *q.begin();
    Polynomial out;
    bool exact = true;
    for (const auto& [monomial, coefficient] : polynomial(a)) {
      Monomial rest;
      std::set_difference(monomial.begin(), monomial.end(), by.begin(), by.end(), std::back_inserter(rest));
      exact = exact && coefficient % divisor == 0 && rest.size() + by.size() == monomial.size();
      if (exact) out[rest] = coefficient / divisor;
    }
    if (exact) return intern(out);
  }
  return named(text("floor((", name(a), ") / (", name(b), "))"));
}

int64_t Symbols::product(std::span<const int64_t> dims) {
  int64_t out = 1;
  for (int64_t d : dims) out = multiply(out, d);
  return out;
}

std::string Symbols::name(int64_t size) const { return is_symbol(size) ? written(polynomial(size)) : text(size); }

std::string Symbols::shown(std::span<const int64_t> dims) const {
  std::string s = "[";
  for (int64_t d : dims) s += (s.size() > 1 ? ", " : "") + name(d);
  return s + "]";
}

}  // namespace onward
