// One conversion under way: the graph, and what its formulas found out about the columns a caller will give.
#pragma once
#include <set>

#include "onward/graph/math.h"
#include "onward/model/schema.h"

namespace onward {

// How missing text looks in a string tensor. ONNX strings know no "missing"; these are what Python prints for NaN and None, so an
// object array goes in as it is. Where a model has such a category as ordinary text, others are taken: see convert.cc.
struct MissingWords {
  std::string nan = "nan", none = "None";
};

// What is known of a column of the table that the model was fitted on.
struct ColumnFacts {
  Missing missing = Missing::nan;
  Unknown unknown = Unknown::ignore;
  std::string name;
  Tensor categories;                 // as learned by the first encoder that met the column; may be empty
  bool tells_missing_apart = false;  // NaN and None mean different things to the model
  Infinity infinity = Infinity::accept;
  Written numbers = Written::refuse, true_false = Written::text;  // where the column is text
  bool category_codes = false;                                    // the model takes a category's place among the table's own

  void refuse_missing() {
    if (missing == Missing::nan) missing = Missing::refuse;
  }
};

// Text that a model knows as ordinary text is what MissingWords says for missing: convert again with other texts.
struct MissingWordsClash {};

class Registry;

// How the refusal of an operator of com.onward reads, wherever it is met.
std::string needs_own_operator(std::string_view op, std::string_view need);
inline constexpr std::string_view allow_own_operators = "allow it by --own-ops (own_ops=True in Python); only onward runs such a file";

class Conversion : public GraphBuilder {
 public:
  explicit Conversion(MissingWords missing = {}) : missing_words(std::move(missing)) {}
  MissingWords missing_words;
  const Registry* registry = nullptr;  // for estimators that a custom converter finds in what it was given
  bool own_ops = false;                // the caller allows operators of the domain com.onward
  // A node of com.onward, for what standard operators cannot say: `need`, such as "hashing words". Throws where it is not allowed.
  Expr own(const std::string& op, std::vector<Expr> inputs, Attributes attributes, Result result, std::string_view need);
  std::vector<ColumnFacts> table;  // in the order of the fitted table
  std::set<int> numbers_needed;    // columns of the table of which a step wanted numbers where there were words
  // A file may use one estimator in many places, and those in many: what is read once may be called without end.
  void count_call() {
    if (++calls_ > most_calls) fail(Code::limit_size, "the model calls estimators more than ", most_calls, " times");
  }

 private:
  static constexpr int most_calls = 200'000;
  int calls_ = 0;
};

}  // namespace onward
