// Parts that stand side by side are each tried: one refusal names what keeps any of them from being written.
#pragma once
#include "onward/base/refusal.h"

namespace onward {

class SideBySide {
 public:
  template <class F>
  void attempt(F part) {
    try {
      part();
    } catch (const Refusal& e) {
      for (const Problem& p : e.problems) add(p);
    } catch (const Error& e) {
      if (int(e.code) / 100 != int(Code::unsupported_estimator) / 100) throw;
      add({e.code, {}, e.message, e.hint});
    }
  }
  void refuse() const {
    if (!problems_.empty()) throw Refusal(problems_);
  }

 private:
  static constexpr size_t most_problems = 1000;
  void add(const Problem& p) {
    if (problems_.size() < most_problems) problems_.push_back(p);
  }
  std::vector<Problem> problems_;
};

// The error with where it was met in front: a refusal keeps its list, each of it with the place.
[[noreturn]] inline void throw_within(Error& e, const std::string& place) {
  const auto* refusal = dynamic_cast<const Refusal*>(&e);
  if (!refusal) throw e.within(place);
  std::vector<Problem> problems = refusal->problems;
  for (Problem& p : problems) p.where = p.where.empty() ? place : text(place, ": ", p.where);
  throw Refusal(problems);
}

}  // namespace onward
