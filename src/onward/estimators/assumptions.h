// What an attempt at a conversion takes for granted, until something needs the opposite; then it starts again.
#pragma once
#include "onward/estimators/frame.h"

namespace onward {

using ColumnsOfNumbers = std::set<int>;  // places in the table; -1 stands for all columns that are made on the way

// An imputer of an array of objects fills with a word whatever the array holds. Such a column holds words; where something then needs its
// numbers, the next attempt takes it for one of numbers, whose gaps the library would refuse.
//
// A step may ask which items of a column are missing before any step has said whether it holds words or numbers. It is given a stand-in, and
// the next attempt knows the types that this one ended with.
class Attempt : public Conversion {
 public:
  Attempt(MissingWords missing, ColumnsOfNumbers numbers, bool types_known)
      : Conversion(std::move(missing)), numbers(std::move(numbers)), types_known(types_known) {}
  bool word_fills_numbers(const Frame& x, int64_t i) const { return numbers.contains(x.place(i)); }
  void assume_words(const Frame& x, int64_t i) { assumed_words.insert(x.place(i)); }
  ColumnsOfNumbers numbers, assumed_words;
  bool types_known, needs_types = false;
};

// Of a frame that convert() made.
inline Attempt& attempt_of(const Frame& x) { return static_cast<Attempt&>(x.graph()); }

// Numbers are needed of columns that were taken for words.
struct AssumedWords {
  Error otherwise;  // what to say where the next attempt does not help
  ColumnsOfNumbers columns;
};

// What the inputs turned out to be, by name, in an attempt that needed it sooner.
struct TypesFound {
  std::map<std::string, DataType> types;
};

}  // namespace onward
