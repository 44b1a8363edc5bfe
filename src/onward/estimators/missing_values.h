// What an imputer takes for missing: NaN, None, a number or a word.
#pragma once
#include "onward/estimators/fields.h"

namespace onward {

struct MissingValues {
  enum class Kind { nan, none, number, word } kind = Kind::nan;
  double number = 0;
  std::string word;

  void learned(Fields& f);  // the parameter missing_values
  // Where a number or a word stands for it, NaN is an error; where None does, among numbers, too.
  bool takes_missing(bool any_text) const { return kind == Kind::none ? any_text : kind == Kind::nan; }
  void tell_imputed(const Frame& x) const;  // the columns' gaps are filled
  Expr among_numbers(Expr x) const;         // bool, of the same shape
  Expr among_words(const Frame& x, int64_t i) const;
};

// "missingindicator_age": whether a column was missing, for the chosen columns.
Frame missing_indicators(const Frame& x, Expr gone, const Array<int64_t>& which);
// The columns of a fitted indicator: its features_.
void read_indicated(Fields& f, std::optional<Array<int64_t>>& indicated, int64_t columns);

}  // namespace onward
