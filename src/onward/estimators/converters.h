// Converters that a caller brings along for classes of its own. They come before the built-in ones and belong to one conversion.
#pragma once
#include "onward/estimators/estimator.h"

namespace onward {

// What a file says of one object: plain values, with nothing imported and nothing called.
struct Fitted {
  plain::Value value;
  std::shared_ptr<const plain::Document> document;  // what the value points into
  Facts facts;                                      // of an estimator; empty for anything else
  Fitted part(const plain::Value& v) const { return {v, document, {}}; }
};

struct CustomConverter {
  std::string class_name;  // "package.module.Class", as pickle writes it
  std::function<Outputs(const Fitted&, const Frame&)> convert;
};
Definition definition_of(CustomConverter converter);

// The array that a part is: float64, int64, bool or text. Throws Error{unsupported_estimator, bad_file}.
Tensor tensor_of(const Fitted& part);

// A built-in or registered estimator that a converter found in what it was given, called on `x`. Throws with every problem of it.
Outputs convert_part(const Fitted& part, const Frame& x);

}  // namespace onward
