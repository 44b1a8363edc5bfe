// Reading a pattern into a graph of nodes, each followed by its next.
#include <algorithm>
#include <climits>
#include <optional>

#include "onward/base/error.h"
#include "onward/base/python_regex.h"
#include "onward/base/python_text.h"

namespace onward::python {

class RegexParser {
 public:
  RegexParser(Regex& into, std::string_view pattern) : r_(into), text_(characters(pattern)) {}

  void parse() {
    if (text_.size() > longest) wrong(text("is longer than ", longest, " characters"));
    global_flags();
    Part all = alternatives();
    if (at_ < text_.size()) wrong("has a ) without its (");
    const int end = add({Regex::Kind::accept});
    connect(all, end);
    r_.start_ = all.first;
    r_.groups_ = groups_;
  }

 private:
  using Kind = Regex::Kind;
  using Node = Regex::Node;
  static constexpr size_t longest = 10'000;
  static constexpr int deepest = 100;
  static constexpr int64_t no_limit = INT64_MAX;

  // Nodes in a row: where they start, and those whose next is still open.
  struct Part {
    int first;
    std::vector<int> open;
    int64_t least = 0, most = 0;  // how many characters it takes
    bool single = false;          // one set, and nothing else
  };

  [[noreturn]] void wrong(const std::string& message) const {
    throw Error(Code::usage, text("the pattern ", message, " (at character ", at_ + 1, ")"));
  }
  int add(Node n) {
    r_.nodes_.push_back(std::move(n));
    return int(r_.nodes_.size()) - 1;
  }
  void connect(const Part& p, int to) {
    for (const int n : p.open) r_.nodes_[size_t(n)].next = to;
  }
  Part one(Node n, int64_t width) {
    const int at = add(std::move(n));
    return {at, {at}, width, width};
  }
  bool more() const { return at_ < text_.size(); }
  uint32_t peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : UINT32_MAX; }
  bool take(char c) {
    if (peek() != uint32_t(c)) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view s) {
    for (size_t i = 0; i < s.size(); ++i)
      if (peek(i) != uint32_t(s[i])) return false;
    at_ += s.size();
    return true;
  }

  // (?u) and its like at the start hold for the whole pattern.
  void global_flags() {
    while (peek() == '(' && peek(1) == '?' && peek(2) < 0x80 && peek(2) >= 'a' && peek(2) <= 'z' ) {
      at_ += 2;
      for (; !take(')'); ++at_) {
        switch (peek()) {
          case 'u':
            break;
          case 'a':
            ascii_ = true;
            break;
          case 's':
            dot_takes_lines_ = true;
            break;
          case 'm':
            many_lines_ = true;
            break;
          case 'x':
            verbose_ = true;
            break;
          default:
            wrong("has a flag other than a, m, s, u and x; spell out both cases instead of (?i)");
        }
      }
    }
  }

  Part alternatives() {
    if (++depth_ > deepest) wrong(text("is nested more than ", deepest, " deep"));
    std::vector<Part> branches{sequence()};
    while (take('|')) branches.push_back(sequence());
    --depth_;
    if (branches.size() == 1) return branches[0];
    Part all{add({Kind::alternatives}), {}, no_limit, 0};
    for (const Part& b : branches) {
      r_.nodes_[size_t(all.first)].branches.push_back(b.first);
      all.open.insert(all.open.end(), b.open.begin(), b.open.end());
      all.least = std::min(all.least, b.least), all.most = std::max(all.most, b.most);
    }
    return all;
  }

  Part sequence() {
    Part all{-1, {}};
    size_t items = 0;
    for (skip_comments(); more() && peek() != '|' && peek() != ')'; skip_comments(), ++items) {
      const Part next = repeated(item());
      if (all.first < 0) {
        all = next;
        continue;
      }
      connect(all, next.first);
      all = {all.first, next.open, plus(all.least, next.least), plus(all.most, next.most)};
    }
    if (all.first < 0) return one({Kind::nothing}, 0);
    if (items > 1) all.single = false;
    return all;
  }
  static int64_t plus(int64_t a, int64_t b) { return a > INT_MAX || b > INT_MAX ? no_limit : a + b; }
  static int64_t times(int64_t a, int64_t b) { return a == 0 || b == 0 ? 0 : a > INT_MAX || b > INT_MAX ? no_limit : std::min<int64_t>(a * b, no_limit); }

  void skip_comments() {
    for (;;) {
      if (take("(?#")) {
        while (more() && !take(')')) ++at_;
      } else if (verbose_ && more() && is_space(peek()) && peek() < 0x80) {
        ++at_;
      } else if (verbose_ && peek() == '#') {
        while (more() && peek() != '\n') ++at_;
      } else {
        return;
      }
    }
  }

  Part repeated(Part inner) {
    skip_comments();
    int64_t least = 0, most = 0;
    if (!bounds(least, most)) return inner;
    if (most < least) wrong("has bounds of which the second is smaller");
    const bool lazy = take('?'), possessive = !lazy && take('+');
    skip_comments();
    int64_t again_least, again_most;
    if (const size_t here = at_; bounds(again_least, again_most)) at_ = here, wrong("has a repeat of a repeat");
    if (inner.single) {
      Node& n = r_.nodes_[size_t(inner.first)];
      n.kind = Kind::repeat_set, n.least = least, n.most = most, n.lazy = lazy, n.possessive = possessive;
      return {inner.first, {inner.first}, least, most};
    }
    if (possessive) wrong("has a possessive repeat of a group; such are supported of single characters and classes");
    const int index = r_.loops_++;
    const int start = add({Kind::loop_start});
    const int loop = add({.kind = Kind::loop, .part = inner.first, .index = index, .least = least, .most = most, .lazy = lazy});
    r_.nodes_[size_t(start)].index = index, r_.nodes_[size_t(start)].next = loop;
    connect(inner, loop);
    return {start, {loop}, times(inner.least, least), times(inner.most, most)};
  }

  // *, +, ?, {m}, {m,}, {,n}, {m,n}; any other { is itself.
  bool bounds(int64_t& least, int64_t& most) {
    if (take('*')) return least = 0, most = no_limit, true;
    if (take('+')) return least = 1, most = no_limit, true;
    if (take('?')) return least = 0, most = 1, true;
    if (peek() != '{') return false;
    const size_t before = at_++;
    const auto number = [&]() -> int64_t {
      int64_t n = -1;
      for (; peek() >= '0' && peek() <= '9'; ++at_) n = std::min<int64_t>(std::max<int64_t>(n, 0) * 10 + int64_t(peek() - '0'), INT_MAX);
      return n;
    };
    const int64_t first = number();
    int64_t second = first;
    const bool comma = take(',');
    if (comma) second = number();
    if (!take('}') || (!comma && first < 0)) return at_ = before, false;
    least = std::max<int64_t>(first, 0), most = second < 0 ? no_limit : second;
    return true;
  }

  Part item() {
    const uint32_t c = text_[at_];
    if (c == '(') return group();
    if (c == '[') return of_set(bracket());
    if (c == '*' || c == '+' || c == '?') wrong("has nothing to repeat");
    ++at_;
    switch (c) {
      case '.':
        return of_set({.ranges = dot_takes_lines_ ? std::vector<std::pair<uint32_t, uint32_t>>{} : std::vector<std::pair<uint32_t, uint32_t>>{{'\n', '\n'}},
                       .negated = true});
      case '^':
        return one({many_lines_ ? Kind::line_start : Kind::text_start}, 0);
      case '$':
        return one({many_lines_ ? Kind::line_end : Kind::text_end_or_line_end}, 0);
      case '\\':
        return escape();
      default:
        return of_set({.ranges = {{c, c}}});
    }
  }
  Part of_set(Regex::Set s) {
    s.ascii_only = ascii_;
    r_.sets_.push_back(std::move(s));
    Part p = one({.kind = Kind::set, .index = int(r_.sets_.size()) - 1}, 1);
    p.single = true;
    return p;
  }

  Part group() {
    at_ += 1;
    if (!take('?')) return captured();
    if (take(':')) return closed(alternatives());
    if (take("P<")) {
      while (more() && !take('>')) ++at_;
      return captured();
    }
    const bool behind = peek() == '<';
    if (behind && (peek(1) == '=' || peek(1) == '!')) ++at_;
    if (peek() == '=' || peek() == '!') return look(behind);
    wrong("has a group of a kind that is not supported; (…), (?:…), (?P<name>…), (?=…), (?!…), (?<=…) and (?<!…) are");
  }
  Part closed(Part p) {
    if (!take(')')) wrong("has a ( without its )");
    p.single = false;
    return p;
  }
  Part captured() {
    const int index = ++groups_;
    const Part inner = closed(alternatives());
    const int start = add({.kind = Kind::group_start, .next = inner.first, .index = index}), end = add({.kind = Kind::group_end, .index = index});
    connect(inner, end);
    return {start, {end}, inner.least, inner.most};
  }
  Part look(bool behind) {
    const bool negated = peek() == '!';
    ++at_;
    const Part inner = closed(alternatives());
    if (behind && inner.least != inner.most) wrong("looks behind for more than one length");
    connect(inner, add({Kind::end_of_part}));
    return one({.kind = behind ? Kind::behind : Kind::ahead, .part = inner.first, .least = inner.least, .negated = negated}, 0);
  }

  Part escape() {
    const uint32_t c = peek();
    switch (c) {
      case 'A':
        return ++at_, one({Kind::text_start}, 0);
      case 'Z':
        return ++at_, one({Kind::text_end}, 0);
      case 'b':
      case 'B':
        return ++at_, one({.kind = c == 'b' ? Kind::word_edge : Kind::no_word_edge, .ascii_only = ascii_}, 0);
    }
    if (is_class(c)) return ++at_, of_set({.classes = std::string(1, char(c))});
    if (c >= '1' && c <= '9') {
      int index = int(c - '0');
      ++at_;
      if (peek() >= '0' && peek() <= '9') index = index * 10 + int(text_[at_++] - '0');
      if (index > groups_) wrong(text("refers to group ", index, ", which it does not have"));
      Part p = one({.kind = Kind::back_reference, .index = index}, 0);
      p.most = no_limit;
      return p;
    }
    const uint32_t literal = escaped_character();
    return of_set({.ranges = {{literal, literal}}});
  }
  static bool is_class(uint32_t c) { return c < 0x80 && std::string_view("wWdDsS").find(char(c)) != std::string_view::npos; }

  // Behind a backslash, outside and inside of brackets.
  uint32_t escaped_character() {
    if (!more()) wrong("ends in a backslash");
    const uint32_t c = text_[at_++];
    constexpr std::pair<char, char> names[] = {{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'f', '\f'}, {'v', '\v'}, {'a', '\a'}};
    for (const auto& [name, character] : names)
      if (c == uint32_t(name)) return uint32_t(character);
    if (c == 'x') return digits(2, 16);
    if (c == 'u') return digits(4, 16);
    if (c == 'U') return digits(8, 16);
    if (c == '0') {
      uint32_t n = 0;
      for (int i = 0; i < 2 && peek() >= '0' && peek() <= '7'; ++i) n = n * 8 + (text_[at_++] - '0');
      return n;
    }
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) --at_, wrong(text("has the escape \\", char(c), ", which is not supported"));
    return c;
  }
  uint32_t digits(int count, uint32_t base) {
    uint32_t n = 0;
    for (int i = 0; i < count; ++i, ++at_) {
      const uint32_t c = peek(), lower = c | 32;
      const uint32_t digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : base;
      if (digit >= base) wrong(text("has an escape that needs ", count, " digits"));
      n = n * base + digit;
    }
    return n;
  }

  Regex::Set bracket() {
    ++at_;
    Regex::Set s;
    s.negated = take('^');
    for (bool first = true; first || peek() != ']'; first = false) {
      if (!more()) wrong("has a [ without its ]");
      std::optional<uint32_t> from = set_item(s);
      if (peek() != '-' || peek(1) == ']' || peek(1) == UINT32_MAX) {
        if (from) s.ranges.push_back({*from, *from});
        continue;
      }
      ++at_;
      const std::optional<uint32_t> to = set_item(s);
      if (!from || !to || *to < *from) wrong("has a range that is none");
      s.ranges.push_back({*from, *to});
    }
    ++at_;
    return s;
  }
  // A character, or nothing where it was a class, which the set has then.
  std::optional<uint32_t> set_item(Regex::Set& s) {
    const uint32_t c = text_[at_++];
    if (c != '\\') return c;
    if (is_class(peek())) return s.classes += char(text_[at_++]), std::nullopt;
    if (take('b')) return uint32_t('\b');
    if (peek() >= '1' && peek() <= '7') {  // octal, always: there are no groups in here
      uint32_t n = 0;
      for (int i = 0; i < 3 && peek() >= '0' && peek() <= '7'; ++i) n = n * 8 + (text_[at_++] - '0');
      return n;
    }
    return escaped_character();
  }

  Regex& r_;
  std::vector<uint32_t> text_;
  size_t at_ = 0;
  int groups_ = 0, depth_ = 0;
  bool ascii_ = false, dot_takes_lines_ = false, many_lines_ = false, verbose_ = false;
};

Regex::Regex(std::string_view pattern) { RegexParser(*this, pattern).parse(); }

}  // namespace onward::python
