#include "onward/graph/expression.h"

#include <charconv>
#include <cmath>

#include "onward/base/suggest.h"

namespace onward {

using Term = Expression::Term;
using Kind = Term::Kind;

[[noreturn]] static void wrong(const std::string& text, size_t column, const std::string& message, const std::string& hint = "") {
  throw Error(Code::usage, onward::text("the expression '", text.substr(0, 200), "', column ", column, ": ", message), hint);
}

class ExpressionParser {
 public:
  explicit ExpressionParser(Expression& into) : into_(into), text_(into.text_) {}

  void parse() {
    if (text_.size() > longest) wrong("…", longest, onward::text("expressions have at most ", longest, " characters"));
    disjunction();
    skip();
    if (at_ < text_.size()) fail(onward::text("expected an operator or the end, found '", found(), "'"));
  }

 private:
  static constexpr size_t longest = 10'000;
  static constexpr int deepest = 200;

  [[noreturn]] void fail(const std::string& message, const std::string& hint = "") const { wrong(text_, at_ + 1, message, hint); }
  std::string found() const {
    size_t end = at_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0) == 0x80) ++end;   // a whole character
    return text_.substr(at_, end - at_);
  }

  int add(Term node) {
    into_.terms_.push_back(std::move(node));
    return int(into_.terms_.size()) - 1;
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }
  static bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  bool accept(std::string_view symbol) {
    skip();
    if (text_.compare(at_, symbol.size(), symbol) != 0) return false;
    const size_t end = at_ + symbol.size();
    if (is_letter(symbol[0]) && end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) return false;
    at_ = end;
    return true;
  }

  // Each level asks the next; what it returns is the last node.
  int binary(std::initializer_list<std::pair<std::string_view, std::string_view>> operators, int (ExpressionParser::*next)(), bool once = false) {
    int left = (this->*next)();
    for (bool again = true; again;) {
      again = false;
      for (const auto& [symbol, word] : operators) {
        skip();
        const size_t column = at_ + 1;
        if (!accept(symbol)) continue;
        left = add({Kind::binary, column, 0, std::string(word), nullptr, {left, (this->*next)()}});
        again = !once;
        break;
      }
    }
    return left;
  }
  int disjunction() {
    if (++depth_ > deepest) fail("the expression is nested too deeply");
    const int made = binary({{"or", "or"}}, &ExpressionParser::conjunction);
    return --depth_, made;
  }
  int conjunction() { return binary({{"and", "and"}}, &ExpressionParser::inversion); }
  int inversion() {
    skip();
    const size_t column = at_ + 1;
    if (!accept("not")) return comparison();
    if (++depth_ > deepest) fail("the expression is nested too deeply");
    const int operand = inversion();
    return --depth_, add({Kind::logical_not, column, 0, "", nullptr, {operand}});
  }
  int comparison() {
    return binary({{"<=", "<="}, {">=", ">="}, {"==", "=="}, {"!=", "!="}, {"<", "<"}, {">", ">"}}, &ExpressionParser::sum, true);
  }
  int sum() { return binary({{"+", "+"}, {"-", "-"}}, &ExpressionParser::product); }
  int product() {
    const int left = sign();
    return product_after(left);
  }
  int product_after(int left) {
    for (;;) {
      skip();
      const size_t column = at_ + 1;
      if (text_.compare(at_, 2, "**") == 0 || !(accept("*") || accept("/"))) return left;
      const std::string word(1, text_[at_ - 1]);
      left = add({Kind::binary, column, 0, word, nullptr, {left, sign()}});
    }
  }
  int sign() {
    skip();
    const size_t column = at_ + 1;
    if (accept("+")) return sign_again();
    if (!accept("-")) return power();
    const int operand = sign_again();
    return add({Kind::negative, column, 0, "", nullptr, {operand}});
  }
  int sign_again() {
    if (++depth_ > deepest) fail("the expression is nested too deeply");
    const int made = sign();
    return --depth_, made;
  }
  // To the right first, and before a sign on its left: -a ** b is -(a ** b).
  int power() {
    const int base = atom();
    skip();
    const size_t column = at_ + 1;
    if (!accept("**")) return base;
    return add({Kind::binary, column, 0, "**", nullptr, {base, sign_again()}});
  }

  int atom() {
    skip();
    if (at_ == text_.size()) fail("expected a number, a column, a function or '(', found the end");
    const size_t column = at_ + 1;
    const char c = text_[at_];
    if (accept("(")) {
      const int inner = disjunction();
      if (!accept(")")) at_ == text_.size() ? fail("expected ')', found the end") : fail(onward::text("expected ')', found '", found(), "'"));
      return inner;
    }
    if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) return number(column);
    if (c == '"' || c == '\'') return add({Kind::text, column, 0, quoted(c)});
    if (c == '`') return name(quoted(c), column);
    if (!is_letter(c)) fail(onward::text("expected a number, a column, a function or '(', found '", found(), "'"));
    const size_t start = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    const std::string word = text_.substr(start, at_ - start);
    if (accept("(")) return call(word, column);
    if (word == "pi" || word == "e" || word == "nan" || word == "inf")
      return add({Kind::number, column, word == "pi" ? M_PI : word == "e" ? M_E : word == "nan" ? std::nan("") : HUGE_VAL});
    return name(word, column);
  }

  int number(size_t column) {
    double value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) fail("a number that no double holds");
    at_ = size_t(end - text_.data());
    if (at_ < text_.size() && (is_letter(text_[at_]) || text_[at_] == '.')) fail(onward::text("expected an operator behind the number, found '", found(), "'"), "write `name` where a column's name begins with a digit");
    return add({Kind::number, column, value});
  }
  std::string quoted(char quote) {
    const size_t start = at_++;
    std::string out;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_];
    }
    if (at_ == text_.size()) at_ = start, fail(onward::text("the closing ", quote, " is missing"));
    ++at_;
    return out;
  }
  int name(const std::string& word, size_t column) {
    if (word.empty()) wrong(text_, column, "a column needs a name");
    if (std::find(into_.names_.begin(), into_.names_.end(), word) == into_.names_.end()) into_.names_.push_back(word);
    return add({Kind::name, column, 0, word});
  }
  int call(const std::string& word, size_t column) {
    const NamedFunction* function = named_function(word);
    const bool where = word == "where";
    if (!function && !where) {
      std::vector<std::string> names{"where"};
      for (const NamedFunction& f : named_functions()) names.emplace_back(f.name);
      std::string list;
      for (const std::string& n : names) list += (list.empty() ? "" : ", ") + n;
      wrong(text_, column, onward::text("there is no function '", word, "'", suggestion(word, names)), "functions: " + list);
    }
    std::vector<int> operands;
    if (!accept(")")) {
      do operands.push_back(disjunction());
      while (accept(","));
      if (!accept(")")) at_ == text_.size() ? fail("expected ',' or ')', found the end") : fail(onward::text("expected ',' or ')', found '", found(), "'"));
    }
    const size_t expected = where ? 3 : size_t(function->arguments);
    if (operands.size() != expected) wrong(text_, column, onward::text(word, " takes ", expected, expected == 1 ? " argument" : " arguments", ", given ", operands.size()));
    return add({where ? Kind::where : Kind::function, column, 0, word, function, std::move(operands)});
  }

  Expression& into_;
  const std::string& text_;
  size_t at_ = 0;
  int depth_ = 0;
};

Expression::Expression(std::string text) : text_(std::move(text)) { ExpressionParser(*this).parse(); }

namespace {

// The nodes of one expression as values of a graph; texts stay texts until they meet a column.
class Evaluation {
 public:
  Evaluation(GraphBuilder& graph, const std::vector<Term>& nodes, const std::string& text, const std::function<Expr(const std::string&)>& value)
      : graph_(graph), terms_(nodes), text_(text), value_(value) {}

  Expr value(int i) {
    const Term& n = terms_[size_t(i)];
    switch (n.kind) {
      case Kind::number: return graph_.constant(Tensor::scalar(n.number));
      case Kind::text: wrong(text_, n.column, "a text may only be compared with == and !=");
      case Kind::name: return value_(n.word);
      case Kind::negative: return negated(number(n.operands[0]));
      case Kind::logical_not: return negation(truth(n.operands[0]));
      case Kind::where: return chosen(n);
      case Kind::function: {
        std::vector<Expr> given;
        for (int operand : n.operands) given.push_back(number(operand));
        return n.function->formula(given);
      }
      case Kind::binary: return binary(n);
    }
    ONWARD_CHECK(false);
    return {};
  }

 private:
  bool is_text(int i) const { return terms_[size_t(i)].kind == Kind::text; }

  Expr number(int i) { return as_number(i, value(i)); }
  Expr as_number(int i, Expr e) {
    if (!graph_.open(e) && e.type() == DataType::str) wrong(text_, terms_[size_t(i)].column, "text where a number is expected");
    return as_numbers(e);
  }
  Expr truth(int i) {
    const Expr e = value(i);
    if (!graph_.open(e) && e.type() == DataType::b8) return e;
    return negation(equal(as_number(i, e), 0.0));
  }
  // One after the other: the order of nodes is the text's, whatever the compiler.
  Expr chosen(const Term& n) {
    const Expr condition = truth(n.operands[0]), yes = number(n.operands[1]), no = number(n.operands[2]);
    return where(condition, yes, no);
  }

  Expr binary(const Term& n) {
    const int a = n.operands[0], b = n.operands[1];
    if (n.word == "and" || n.word == "or") {
      const Expr x = truth(a), y = truth(b);
      return n.word == "and" ? both(x, y) : either(x, y);
    }
    if (n.word == "==" || n.word == "!=") {
      const Expr same = equality(n, a, b);
      return n.word == "==" ? same : negation(same);
    }
    const Expr x = number(a), y = number(b);
    if (n.word == "+") return x + y;
    if (n.word == "-") return x - y;
    if (n.word == "*") return x * y;
    if (n.word == "/") return x / y;
    if (n.word == "**") return power(x, y);
    if (n.word == "<") return x < y;
    if (n.word == "<=") return x <= y;
    if (n.word == ">") return x > y;
    return x >= y;
  }
  Expr equality(const Term& n, int a, int b) {
    if (!is_text(a) && !is_text(b)) {
      const Expr x = value(a), y = value(b);
      const bool texts = !graph_.open(x) && !graph_.open(y) && x.type() == DataType::str && y.type() == DataType::str;
      if (texts) return equal(x, y);
      const Expr p = as_number(a, x), q = as_number(b, y);
      return equal(p, q);
    }
    if (is_text(a) && is_text(b)) wrong(text_, n.column, "both sides are texts");
    const int column = is_text(a) ? b : a;
    const Expr x = value(column);
    if (!graph_.open(x) && x.type() != DataType::str) wrong(text_, terms_[size_t(column)].column, onward::text("a text is compared with ", shown(x)));
    return equal(as_strings(x), graph_.constant(Tensor::scalar(terms_[size_t(is_text(a) ? a : b)].word)));
  }

  GraphBuilder& graph_;
  const std::vector<Term>& terms_;
  const std::string& text_;
  const std::function<Expr(const std::string&)>& value_;
};

}  // namespace

Expr Expression::in(GraphBuilder& graph, const std::function<Expr(const std::string& name)>& value) const {
  try {
    return Evaluation(graph, terms_, text_, value).value(int(terms_.size()) - 1);
  } catch (const Error& e) {
    if (e.code != Code::internal) throw;
    throw Error(Code::usage, onward::text("the expression '", text_.substr(0, 200), "': ", e.message), e.hint);
  }
}

}  // namespace onward
