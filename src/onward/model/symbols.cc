#include "onward/model/symbols.h"

#include <cctype>
#include <charconv>

#include "onward/base/error.h"

namespace onward {

namespace {

bool is_number(const std::string& s) { return s.find_first_not_of("-0123456789") == s.npos; }

// {a, b} of "f(a, b)", itself of anything else.
std::vector<std::string> operands_of(std::string_view function, const std::string& form) {
  const size_t from = function.size() + 1;
  if (!form.starts_with(function) || form.size() <= from || form[from - 1] != '(') return {form};
  std::vector<std::string> out(1);
  int depth = 1;
  for (size_t i = from; i < form.size(); ++i) {
    depth += form[i] == '(' ? 1 : form[i] == ')' ? -1 : 0;
    if (depth == 0) return i + 1 == form.size() ? out : std::vector<std::string>{form};
    if (depth == 1 && form[i] == ',') out.emplace_back(), ++i;
    else out.back() += form[i];
  }
  return {form};
}

}  // namespace

int64_t Symbols::named(const std::string& name) { return intern({{{name}, 1}}); }

namespace {

// A sum of products of names and numbers, with spaces around + and - so that "batch-size" stays one name.
struct SumReader {
  Symbols& symbols;
  std::string_view rest;
  bool ok = true;

  bool take(std::string_view word) {
    if (!rest.starts_with(word)) return false;
    rest.remove_prefix(word.size());
    return true;
  }
  int64_t factor() {
    size_t n = 0;
    while (n < rest.size() && (std::isalnum(static_cast<unsigned char>(rest[n])) || rest[n] == '_' || rest[n] == '.')) ++n;
    const std::string_view word = rest.substr(0, n);
    rest.remove_prefix(n);
    int64_t number = 0;
    if (n && std::isdigit(static_cast<unsigned char>(word[0]))) ok = ok && std::from_chars(word.data(), word.data() + n, number).ptr == word.data() + n && number < int64_t(1) << 40;
    else if (n) return symbols.named(std::string(word));
    else ok = false;
    return number;
  }
  int64_t term() {
    int64_t out = factor();
    while (ok && (take(" * ") || take("*"))) out = symbols.multiply(out, factor());
    return out;
  }
  int64_t sum() {
    int64_t out = term();
    while (ok && !rest.empty()) {
      if (take(" + ")) out = symbols.add(out, term());
      else if (take(" - ")) out = symbols.subtract(out, term());
      else ok = false;
    }
    return out;
  }
};

}  // namespace

int64_t Symbols::declared(const std::string& text) {
  constexpr size_t longest = 200;
  if (text.size() > longest || text.find_first_of("+-*") == text.npos) return named(text);
  SumReader reader{*this, text};
  const int64_t sum = reader.sum();
  return reader.ok && is_symbol(sum) ? sum : named(text);
}

int64_t Symbols::fresh(std::string_view hint) {
  std::string name;
  do name = text(hint, "_", next_fresh_++); while (known_.contains(name));
  fresh_.insert(name);
  return named(name);
}

int64_t Symbols::fresh_item() {
  const int64_t made = fresh("item");
  items_.insert(name(made));
  return made;
}

Symbols::Polynomial Symbols::polynomial(int64_t size) const {
  if (is_symbol(size)) return expressions_.at(size_t(first_symbol - 1 - size));
  if (size == 0) return {};
  return {{{}, size}};
}

// What no reader could follow any more becomes a symbol of its own; that also bounds what a hostile graph can make this hold.
int64_t Symbols::intern(const Polynomial& p) {
  if (p.empty()) return 0;
  if (p.size() == 1 && p.begin()->first.empty()) return is_symbol(p.begin()->second) ? fresh_item() : p.begin()->second;
  constexpr size_t most_terms = 32, longest = 400;
  std::string form = p.size() > most_terms ? std::string() : written(p);
  if (form.empty() || (form.size() > longest && !(p.size() == 1 && p.begin()->first.size() == 1 && p.begin()->second == 1))) return mentions(p, items_) ? fresh_item() : fresh();
  const auto [it, added] = known_.emplace(std::move(form), first_symbol - 1 - int64_t(expressions_.size()));
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

// What no longer fits is no longer worth following: the result becomes a symbol of its own.
int64_t Symbols::unknown_of(int64_t a, int64_t b) { return at_least(a, 0) && at_least(b, 0) ? fresh() : fresh_item(); }

int64_t Symbols::add(int64_t a, int64_t b) {
  Polynomial sum = polynomial(a);
  for (const auto& [monomial, coefficient] : polynomial(b)) {
    int64_t& into = sum[monomial];
    if (__builtin_add_overflow(into, coefficient, &into)) return unknown_of(a, b);
    if (into == 0) sum.erase(monomial);
  }
  return intern(sum);
}

int64_t Symbols::subtract(int64_t a, int64_t b) { return add(a, multiply(b, -1)); }

int64_t Symbols::multiply(int64_t a, int64_t b) {
  Polynomial out;
  const Polynomial p = polynomial(a), q = polynomial(b);
  if (p.size() * q.size() > 64) return unknown_of(a, b);
  for (const auto& [m, c] : p)
    for (const auto& [n, d] : q) {
      Monomial both = m;
      both.insert(both.end(), n.begin(), n.end());
      if (both.size() > 16) return unknown_of(a, b);
      std::sort(both.begin(), both.end());
      int64_t term = 0, &into = out[both];
      if (__builtin_mul_overflow(c, d, &term) || __builtin_add_overflow(into, term, &into)) return unknown_of(a, b);
      if (into == 0) out.erase(both);
    }
  return intern(out);
}

// Terms that the divisor divides leave the quotient, and so do whole multiples of it in the constant: floor((2*n + 5)/2) is n + 2,
// and floor((n + 3)/2) is floor((n + 1)/2) + 1, whichever way it came about.
int64_t Symbols::divide_by_number(int64_t a, int64_t divisor) {
  Polynomial whole, rest;
  for (const auto& [monomial, coefficient] : polynomial(a)) {
    const int64_t quotient = coefficient / divisor - (coefficient % divisor < 0);
    const bool take = coefficient % divisor == 0 || monomial.empty();
    if (take && quotient) whole[monomial] = quotient;
    if (const int64_t left = take ? coefficient - quotient * divisor : coefficient) rest[monomial] = left;
  }
  const int64_t left = intern(rest);
  if (!is_symbol(left)) return intern(whole);            // a constant below the divisor
  return add(intern(whole), opaque("floor", left, divisor, !at_least(left, 0)));
}

int64_t Symbols::divide(int64_t a, int64_t b) {
  if (!is_symbol(a) && !is_symbol(b)) return b == 0 ? fresh() : a / b - ((a % b != 0) && ((a < 0) != (b < 0)));
  if (a == b) return 1;
  if (!is_symbol(b)) return b > 0 ? divide_by_number(a, b) : fresh_item();
  const Polynomial q = polynomial(b);
  if (q.size() == 1) {
    const auto& [by, divisor] = *q.begin();
    Polynomial out;
    bool shared = divisor > 0;                           // its names are in every term
    for (const auto& [monomial, coefficient] : polynomial(a)) {
      Monomial rest;
      std::set_difference(monomial.begin(), monomial.end(), by.begin(), by.end(), std::back_inserter(rest));
      shared = shared && rest.size() + by.size() == monomial.size();
      if (shared) out[rest] = coefficient;
    }
    if (shared) return divide_by_number(intern(out), divisor);
  }
  if (const int64_t whole = quotient(polynomial(a), q)) return whole;
  return opaque("floor", a, b, !at_least(a, 0) || !at_least(b, 0));
}

// Of polynomials that differ by a whole factor: (2*a + 2*b) / (a + b). 0: they do not.
int64_t Symbols::quotient(const Polynomial& p, const Polynomial& q) {
  if (p.size() != q.size() || p.begin()->second % q.begin()->second != 0) return 0;
  const int64_t factor = p.begin()->second / q.begin()->second;
  for (auto [a, b] = std::pair(p.begin(), q.begin()); a != p.end(); ++a, ++b) {
    int64_t term = 0;
    if (a->first != b->first || __builtin_mul_overflow(b->second, factor, &term) || a->second != term) return 0;
  }
  return factor;
}

int64_t Symbols::divide_up(int64_t a, int64_t b) {
  if (a == b || b == 1) return a == b ? 1 : a;
  return divide(subtract(add(a, b), 1), b);
}

int64_t Symbols::smaller(int64_t a, int64_t b) {
  if (at_least(b, a)) return a;
  if (at_least(a, b)) return b;
  return opaque("min", a, b, !at_least(a, 0) || !at_least(b, 0));
}

int64_t Symbols::larger(int64_t a, int64_t b) {
  if (at_least(a, b)) return a;
  if (at_least(b, a)) return b;
  return opaque("max", a, b, !at_least(a, 0) && !at_least(b, 0));
}

int64_t Symbols::broadcast(int64_t a, int64_t b) {
  if (a == b || b == 1) return a;
  if (a == 1 || !is_symbol(b)) return b;
  return is_symbol(a) ? opaque("broadcast", a, b, false) : a;
}

// "f(a, b)", or "floor(a/b)". Of anything else neither order nor nesting nor repetition matters: f(b, f(b, a)) is f(a, b).
int64_t Symbols::opaque(const char* function, int64_t a, int64_t b, bool may_be_negative) {
  std::string form = text("floor(", operand(a), "/", operand(b), ")");
  if (std::string_view(function) != "floor") {
    std::vector<std::string> operands = operands_of(function, name(a));
    for (std::string& more : operands_of(function, name(b))) operands.push_back(std::move(more));
    std::sort(operands.begin(), operands.end(), [](const std::string& x, const std::string& y) { return std::pair(is_number(x), x) < std::pair(is_number(y), y); });
    operands.erase(std::unique(operands.begin(), operands.end()), operands.end());
    form = text(function, "(");
    for (const std::string& operand : operands) form += (form.back() == '(' ? "" : ", ") + operand;
    form += ")";
  }
  constexpr size_t longest = 200;
  if (form.size() > longest) return may_be_negative ? fresh_item() : fresh();
  if (may_be_negative) items_.insert(form);
  if (is_fresh(a) || is_fresh(b)) fresh_.insert(form);
  return named(form);
}

std::string Symbols::operand(int64_t size) const {
  const std::string form = name(size);
  const Polynomial p = polynomial(size);
  return p.size() == 1 && p.begin()->second >= 0 && (p.begin()->first.empty() || (p.begin()->first.size() == 1 && p.begin()->second == 1)) ? form : "(" + form + ")";
}

bool Symbols::mentions(const Polynomial& p, const Names& names) {
  return std::any_of(p.begin(), p.end(), [&](const auto& term) { return std::any_of(term.first.begin(), term.first.end(), [&](const auto& n) { return names.contains(n); }); });
}

bool Symbols::is_item(int64_t a) const { return mentions(polynomial(a), items_); }

bool Symbols::is_fresh(int64_t a) const { return mentions(polynomial(a), fresh_); }

// The difference has no negative term but, at most, the constant; and the names in it are sizes.
bool Symbols::at_least(int64_t a, int64_t b) const {
  if (a == b) return true;
  Polynomial difference = polynomial(a);
  for (const auto& [monomial, coefficient] : polynomial(b)) {
    int64_t& into = difference[monomial];
    if (__builtin_sub_overflow(into, coefficient, &into)) return false;
  }
  return std::all_of(difference.begin(), difference.end(), [](const auto& term) { return term.second >= 0; }) && !mentions(difference, items_);
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
