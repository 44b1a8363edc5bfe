// Matching. How a pattern is read: python_regex_parser.cc.
#include "onward/base/python_regex.h"

#include <algorithm>
#include <utility>

#include "onward/base/error.h"
#include "onward/base/python_text.h"

namespace onward::python {
namespace {

constexpr int64_t most_steps = 20'000'000;  // for one text
constexpr int deepest = 3'000;              // calls within calls: a sanitizer's build takes more than a kilobyte of the stack for each

bool is_ascii_word(uint32_t c) { return c < 0x80 && is_word(c); }

}  // namespace

bool Regex::Set::holds(uint32_t c) const {
  bool in = std::any_of(ranges.begin(), ranges.end(), [&](const auto& r) { return c >= r.first && c <= r.second; });
  for (size_t i = 0; !in && i < classes.size(); ++i) {
    const char lower = char(classes[i] | 32);
    const bool of_class = ascii_only && c >= 0x80 ? false : lower == 'w' ? is_word(c) : lower == 'd' ? is_decimal(c) : is_space(c);
    const bool ascii_space = !(ascii_only && lower == 's' && c >= 0x1C && c <= 0x1F);  // bytes have four spaces less
    in = (of_class && ascii_space) == (classes[i] == lower);
  }
  return in != negated;
}

// One search for matches in one text.
class RegexMatch {
 public:
  RegexMatch(const Regex& r, std::span<const uint32_t> text)
      : r_(r), text_(text), loops_(size_t(r.loops_)), captured_(size_t(r.groups_) + 1, Capture{none, none}), starts_(captured_.size()) {}

  // The first match at or behind `from`; not an empty one at `from` where that is asked for.
  bool find(size_t from, bool must_advance) {
    for (size_t at = from; at <= text_.size(); ++at) {
      std::fill(captured_.begin(), captured_.end(), Capture{none, none});
      begin = at, not_empty_ = must_advance && at == from;
      if (match(r_.start_, at)) return true;
    }
    return false;
  }
  size_t begin = 0, end = 0;
  std::pair<size_t, size_t> group(int i) const {
    const Capture& c = captured_[size_t(i)];
    return c.end == none ? std::pair<size_t, size_t>(0, 0) : std::pair(c.begin, c.end);
  }

 private:
  static constexpr size_t none = SIZE_MAX;
  struct Capture {
    size_t begin, end;
  };
  struct Loop {
    int64_t count = 0;
    size_t last = none;
  };
  using Node = Regex::Node;
  using Kind = Regex::Kind;

  bool match(int node, size_t at) {
    if (++depth_ > deepest) fail(Code::limit_size, "a pattern goes more than ", deepest, " steps deep into a text of ", text_.size(), " characters");
    const bool found = follow(node, at);
    --depth_;
    return found;
  }
  bool follow(int node, size_t at) {
    for (;;) {
      if (++steps_ > most_steps) fail(Code::limit_size, "a pattern takes more than ", most_steps, " steps on a text of ", text_.size(), " characters");
      const Node& n = r_.nodes_[size_t(node)];
      switch (n.kind) {
        case Kind::accept:
          if (not_empty_ && at == begin) return false;
          end = at;
          return true;
        case Kind::end_of_part:
          return true;
        case Kind::nothing:
          break;
        case Kind::set:
          if (at >= text_.size() || !r_.sets_[size_t(n.index)].holds(text_[at])) return false;
          ++at;
          break;
        case Kind::repeat_set:
          return repeat(n, at);
        case Kind::alternatives:
          for (const int branch : n.branches)
            if (match(branch, at)) return true;
          return false;
        case Kind::loop_start: {
          const Loop before = loops_[size_t(n.index)];
          loops_[size_t(n.index)] = Loop();
          const bool found = match(n.next, at);
          loops_[size_t(n.index)] = before;
          return found;
        }
        case Kind::loop:
          return loop(n, at);
        case Kind::group_start: {
          const size_t before = std::exchange(starts_[size_t(n.index)], at);
          if (match(n.next, at)) return true;
          starts_[size_t(n.index)] = before;
          return false;
        }
        case Kind::group_end: {
          const Capture before = std::exchange(captured_[size_t(n.index)], Capture{starts_[size_t(n.index)], at});
          if (match(n.next, at)) return true;
          captured_[size_t(n.index)] = before;
          return false;
        }
        case Kind::back_reference: {
          const auto [from, to] = captured_[size_t(n.index)];
          if (to == none || to - from > text_.size() - at || !std::equal(text_.begin() + long(from), text_.begin() + long(to), text_.begin() + long(at)))
            return false;
          at += to - from;
          break;
        }
        case Kind::ahead:
        case Kind::behind: {
          const size_t back = n.kind == Kind::behind ? size_t(n.least) : 0;
          if ((back <= at && match(n.part, at - back)) == n.negated) return false;
          break;
        }
        default:
          if (!holds(n, at)) return false;
      }
      node = n.next;
    }
  }

  bool repeat(const Node& n, size_t at) {
    const Regex::Set& set = r_.sets_[size_t(n.index)];
    const int64_t room = std::min<int64_t>(n.most, int64_t(text_.size() - at));
    int64_t count = 0;
    const auto grow = [&](int64_t to) {
      while (count < to && set.holds(text_[at + size_t(count)])) ++count, ++steps_;
      return count == to;
    };
    if (n.lazy) {
      for (int64_t want = n.least; want <= room; ++want) {
        if (!grow(want)) return false;
        if (match(n.next, at + size_t(want))) return true;
      }
      return false;
    }
    grow(room);
    if (n.possessive) return count >= n.least && match(n.next, at + size_t(count));
    for (; count >= n.least; --count)
      if (match(n.next, at + size_t(count))) return true;
    return false;
  }

  bool loop(const Node& n, size_t at) {
    const Loop now = loops_[size_t(n.index)];
    const auto again = [&](size_t last) {
      loops_[size_t(n.index)] = {now.count + 1, last};
      const bool found = match(n.part, at);
      if (!found) loops_[size_t(n.index)] = now;
      return found;
    };
    if (now.count < n.least) return again(now.last);
    // A round that took nothing is not followed by another, except as far as rounds are prescribed.
    const bool may_go_on = now.count < n.most && now.last != at;
    if (!n.lazy && may_go_on && again(at)) return true;
    if (match(n.next, at)) return true;
    return n.lazy && may_go_on && again(at);
  }

  bool holds(const Node& n, size_t at) const {
    const size_t size = text_.size();
    const auto word = [&](size_t i) { return i < size && (n.ascii_only ? is_ascii_word(text_[i]) : is_word(text_[i])); };
    switch (n.kind) {
      case Kind::text_start:
        return at == 0;
      case Kind::text_end:
        return at == size;
      case Kind::text_end_or_line_end:
        return at == size || (at + 1 == size && text_[at] == '\n');
      case Kind::line_start:
        return at == 0 || text_[at - 1] == '\n';
      case Kind::line_end:
        return at == size || text_[at] == '\n';
      default:
        return size > 0 && ((at > 0 && word(at - 1)) != word(at)) == (n.kind == Kind::word_edge);
    }
  }

  const Regex& r_;
  std::span<const uint32_t> text_;
  std::vector<Loop> loops_;
  std::vector<Capture> captured_;
  std::vector<size_t> starts_;
  int64_t steps_ = 0;
  int depth_ = 0;
  bool not_empty_ = false;
};

void Regex::each_match(std::span<const uint32_t> text, const std::function<void(size_t, size_t)>& f) const {
  RegexMatch m(*this, text);
  bool must_advance = false;
  for (size_t at = 0; at <= text.size() && m.find(at, must_advance);) {
    const auto [from, to] = groups_ ? m.group(1) : std::pair(m.begin, m.end);
    f(from, to);
    at = m.end, must_advance = m.begin == m.end;
  }
}

}  // namespace onward::python
