// What an attempt at a conversion takes for granted, until something needs the opposite; then it starts again.
#pragma once
#include "onward/estimators/frame.h"

namespace onward {

// An imputer of an array of objects fills with a word whatever the array holds. Such a column holds words; where something then needs its
// numbers, the next attempt takes every such column for numbers, whose gaps the library would refuse.
//
// A step may ask which items of a column are missing before any step has said whether it holds words or numbers. It is given a stand-in, and
// the next attempt knows the types that this one ended with.
class Attempt : public Conversion {
 public:
  Attempt(MissingWords missing, bool word_fills_numbers, bool types_known)
      : Conversion(std::move(missing)), word_fills_numbers(word_fills_numbers), types_known(types_known) {}
  bool word_fills_numbers, assumed_words = false;
  bool types_known, needs_types = false;
};

// Of a frame that convert() made.
inline Attempt& attempt_of(const Frame& x) { return static_cast<Attempt&>(x.graph()); }

// Numbers are needed of a column that was taken for words.
struct AssumedWords {
  Error otherwise;  // what to say where the next attempt does not help
};

// What the inputs turned out to be, by name, in an attempt that needed it sooner.
struct TypesFound {
  std::map<std::string, DataType> types;
};

}  // namespace onward
