// Regular expressions with the syntax and the meaning of Python's re, for strings: the first alternative that fits wins, \w, \d, \s and
// \b know Unicode. Matching goes back where it has to; a bound on the steps keeps patterns that explode from running forever.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onward::python {

class Regex {
 public:
  // Throws Error{usage} that says what at which character cannot be read or is not supported: the flags i and L, conditions, names of
  // characters, look-behind of more than one length, possessive groups.
  explicit Regex(std::string_view pattern);

  int groups() const { return groups_; }
  // As re.findall with at most one group: [begin, end) of every match or of its group, in characters. An absent group is [0, 0).
  // Throws Error{limit_size} where matching takes too many steps.
  void each_match(std::span<const uint32_t> text, const std::function<void(size_t begin, size_t end)>& f) const;

 private:
  friend class RegexParser;
  friend class RegexMatch;
  struct Set {
    std::vector<std::pair<uint32_t, uint32_t>> ranges;
    std::string classes;  // of "wWdDsS"
    bool negated = false, ascii_only = false;
    bool holds(uint32_t c) const;
  };
  enum class Kind : uint8_t {
    accept, end_of_part, set, repeat_set, alternatives, loop_start, loop, group_start, group_end, back_reference, ahead, behind,
    text_start, text_end, text_end_or_line_end, line_start, line_end, word_edge, no_word_edge, nothing,
  };
  struct Node {
    Kind kind;
    int next = -1;
    int part = -1;                // of loops and looks: where the inner part starts
    int index = -1;               // of sets, loops and groups
    int64_t least = 0, most = 0;  // repeats; behind: least is the width
    bool lazy = false, possessive = false, negated = false, ascii_only = false;
    std::vector<int> branches = {};
  };
  std::vector<Node> nodes_;
  std::vector<Set> sets_;
  int start_ = -1, groups_ = 0, loops_ = 0;
};

}  // namespace onward::python
