// Everything that stands in the way of one job, found before it gives up: one error that lists all of it.
#pragma once
#include <vector>

#include "onward/base/error.h"

namespace onward {

struct Problem {
  Code code;
  std::string where, message;             // "model (Pipeline) > step 'scale' (StandardScaler)", "mean_ is missing"
  std::string hint = {};                  // what to do about it; may be empty
  std::vector<std::string> also = {};     // other places where the same is wrong
};

// Equal problems of several places as one with those places, in the order in which they were found.
std::vector<Problem> grouped(const std::vector<Problem>&);
// "here, there and 3 more places: message"
std::string shown(const Problem&);

// Has the code of its first problem and names them all, one a line. Who adds context and throws on must do so by `throw;`, which keeps
// the list.
class Refusal : public Error {
 public:
  explicit Refusal(const std::vector<Problem>& all);  // at least one
  std::vector<Problem> problems;          // grouped
};

}  // namespace onward
