// The expression language: "log1p(fare) / age" over columns by name. docs/expressions.md holds its grammar.
#pragma once
#include "onward/graph/named_functions.h"

namespace onward {

class Expression {
 public:
  // Throws Error{usage} that points at the column of the text.
  explicit Expression(std::string text);

  const std::string& text() const { return text_; }
  const std::vector<std::string>& names() const { return names_; }      // each once, in the order they stand
  // `value` gives what stands for a name, of any type and perhaps open. What is compared with a text is taken as text, all else as
  // numbers. Throws Error{usage} where operands do not fit.
  Expr in(GraphBuilder& graph, const std::function<Expr(const std::string& name)>& value) const;

  struct Term {
    enum class Kind : uint8_t { number, text, name, function, negative, logical_not, binary, where } kind;
    size_t column;                                         // from 1, where it stands
    double number = 0;
    std::string word = {};                                 // the text, the name, or the operator
    const NamedFunction* function = nullptr;
    std::vector<int> operands = {};
  };

 private:
  friend class ExpressionParser;
  std::string text_;
  std::vector<Term> terms_;                                // operands before who uses them; the last is the whole
  std::vector<std::string> names_;
};

}  // namespace onward
