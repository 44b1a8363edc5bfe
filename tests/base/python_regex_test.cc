#include "onward/base/python_regex.h"

#include <gtest/gtest.h>

#include "onward/base/error.h"
#include "onward/base/python_text.h"
#include "onward/base/unicode.h"

namespace onward::python {
namespace {

std::string found(std::string_view pattern, std::string_view text) {
  const std::vector<uint32_t> all = characters(text);
  std::string out;
  bool first = true;
  Regex(pattern).each_match(all, [&](size_t begin, size_t end) {
    out += first ? "" : "|", first = false;
    for (size_t i = begin; i < end; ++i) append_utf8(out, all[i]);
  });
  return out;
}

constexpr std::string_view sample = "ab a1 été x_y ΣΑΣ don't-stop 12,5 #tag\nline two  ab";

TEST(PythonRegex, FindsWhatFindallFinds) {  // the answers of Python's re
  constexpr std::pair<std::string_view, std::string_view> known[] = {
      {"(?u)\\b\\w\\w+\\b", "ab|a1|été|x_y|ΣΑΣ|don|stop|12|tag|line|two|ab"},
      {"(a|ab)(?:\\s|$)", "ab|ab"},
      {"[^\\W\\d_]+", "ab|a|été|x|y|ΣΑΣ|don|t|stop|tag|line|two|ab"},
      {"\\S+?(?=[,.]|\\s|$)", "ab|a1|été|x_y|ΣΑΣ|don't-stop|12|,5|#tag|line|two|ab"},
      {"(?<=#)\\w+", "tag"},
      {"(?<!\\w)\\w", "a|a|é|x|Σ|d|t|s|1|5|t|l|t|a"},
      {"^\\w+", "ab"},
      {"(?m)^\\w+$", ""},
      {"(?:ab|a){1,2}\\b", "ab|ab"},
      {"x*?y", "y"},
      {"[a-c\\-']+", "ab|a|'|-|a|ab"},
      {"(?:\\w+\\s){2}", "ab a1 |été x_y |tag\nline "},
      {"(?x) \\w+ # word", "ab|a1|été|x_y|ΣΑΣ|don|t|stop|12|5|tag|line|two|ab"},
      {"(?a)\\w+", "ab|a1|t|x_y|don|t|stop|12|5|tag|line|two|ab"},
      {"[]x]+", "x"},
      {"(?s)#.+", "#tag\nline two  ab"},
      {"(?:a{,2}b)+", "ab|ab"},
      {"\\w{3,}?", "été|x_y|ΣΑΣ|don|sto|tag|lin|two"},
      {"\\w++\\b", "ab|a1|été|x_y|ΣΑΣ|don|t|stop|12|5|tag|line|two|ab"},
      {"(?P<n>\\d)\\d", "1"},
      {"\\x61[\\u0031b]", "ab|a1|ab"},
  };
  for (const auto& [pattern, answer] : known) EXPECT_EQ(found(pattern, sample), answer) << pattern;
  EXPECT_EQ(found("(\\w)\\1", "hello aa"), "l|a");
  EXPECT_EQ(found("a*", "baac"), "|aa||");
  EXPECT_EQ(found("(|a)+b", "aab b"), "|");
}

TEST(PythonRegex, WhatItDoesNotReadItNames) {
  for (const std::string_view pattern : {"(", "a)", "[a", "*a", "a**", "(?i)a", "(?P=n)", "(?<=a*)b", "\\q", "\\N{DASH}", "a{3,1}", "[z-a]", "\\2", "\\", "(?:a+)++", "(?"}) {
    EXPECT_THROW(Regex{pattern}, Error) << pattern;
  }
}

TEST(PythonRegex, PatternsThatExplodeAreStopped) {
  const std::string text(100, 'a');
  EXPECT_THROW(found("(?:a+)+b", text), Error);
  EXPECT_THROW(found("(?:a|b)*c", std::string(100'000, 'a')), Error);
  EXPECT_THROW(Regex(std::string(5000, '(') + std::string(5000, ')')), Error);
}

}  // namespace
}  // namespace onward::python
