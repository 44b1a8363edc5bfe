// The two sides of a rule, parsed.
#pragma once
#include "onward/model/graph.h"

namespace onward {

struct Term {
  enum class Kind { any, number, node } kind = Kind::any;
  std::string name;                      // of a value, or of the operator
  double number = 0;
  std::vector<Term> inputs;
  Attributes attributes;
};

Term parse_pattern(std::string_view text);               // see rules.h; a mistake is a bug

}  // namespace onward
