// One reading of one file: what stands in the way of converting it, and what was read already.
#pragma once
#include <map>
#include <set>

#include "onward/base/refusal.h"
#include "onward/estimators/estimator.h"

namespace onward {

// Where in the file: a chain up to the root, written out only for a problem.
struct Place {
  const Place* parent = nullptr;
  std::string_view part, class_name;
  int depth = 0;
  std::string shown() const;
};

std::string clipped(std::string_view text);  // for a message: short, and UTF-8 whatever the file holds

struct Reading {
  const Registry& registry;
  std::shared_ptr<const plain::Document> document;
  std::shared_ptr<const void> owner = document;  // of the bytes that arrays view
  std::vector<Problem> problems = {};
  std::map<std::string, std::set<std::string>> newer = {};  // "scikit-learn 1.12.0" -> what it says that no known version did
  std::map<const plain::Object*, Estimator> known = {};  // a file may share an estimator in many places
  std::set<const plain::Object*> under_way = {};
  std::map<std::pair<const plain::NdArray*, DataType>, Tensor> arrays = {};
  std::map<const plain::Object*, Tensor> sparse = {};  // the same for sparse matrices, made dense
  int64_t dense_left = int64_t{1} << 27;               // items that they may still become: a small file states large ones
  bool own_ops = true;                                 // operators of our own domain, com.onward, may be used
  bool nothing_refused() const { return problems.empty(); }
  void report(Code code, const Place& place, std::string message, std::string hint = {});
};

struct ReadModel {
  Estimator estimator;
  std::vector<Problem> problems;  // empty: the estimator is complete
  std::vector<std::string> warnings = {};
};
// Where operators of our own are not allowed, what needs one is a problem.
ReadModel read_estimator(const plain::Document&, const Registry&, bool own_ops = true);

// All problems as one Refusal; does nothing when there are none.
void refuse_problems(const std::vector<Problem>&);

}  // namespace onward
