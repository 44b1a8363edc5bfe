// Classifiers of two classes, made into one of many: one against the rest, one against one, and error-correcting codes.
#include "onward/estimators/delegation.h"
#include "onward/estimators/winner.h"

namespace onward {
namespace {

// How much a part of two classes is for its second: (batch).
Expr binary_score(const Outputs& out) {
  if (out.role == Outputs::Role::regressor) return cast(vector_of(predicted(out)), DataType::f64);
  if (decides(out)) {
    const Expr z = decision_of(out);
    if (z.shape().size() != 1) fail(Code::unsupported_estimator, "a part of two classes gives ", z.columns(), " scores");
    return z;
  }
  const Expr p = probabilities_of(out);
  if (p.columns() < 2) fail(Code::unsupported_estimator, "a part knows one class only");
  return column(p, 1);
}

// From where a score means the second class.
double threshold_of(const Outputs& out) { return out.role == Outputs::Role::classifier && decides(out) ? 0.0 : 0.5; }

Expr beside_each_other(const std::vector<Expr>& vectors) {
  std::vector<Expr> all;
  for (const Expr& v : vectors) all.push_back(column_of(v));
  return concat(all);
}

}  // namespace

Expr place_of_winner(Expr scores, int version) {
  if (version >= 108) return argmax(scores);
  std::vector<int64_t> last_first;
  for (int64_t k = scores.columns(); k-- > 0;) last_first.push_back(k);
  return double(scores.columns() - 1) - argmax(columns(scores, last_first));
}

// Stands for a classifier of a class that every training row had, or none. To the library it is no classifier, so no role is told:
// a threshold among its like is 0.5.
struct ConstantPredictor {
  static constexpr bool takes_missing = true, takes_infinity = true;
  double value = 0;

  void learned(Fields& f) { f("y_", value); }
  Outputs operator()(const Frame& x) const {
    const Expr none = row_zeros(x);
    Outputs out;
    out.predict = pick(Array<int64_t>{int64_t(value)}, none);
    out.predict_proba = pick(Numbers({1, 2}, std::vector{1 - value, value}), none);
    out.decision_function = pick(Numbers{value}, none);
    return out;
  }
};

struct OneVsRestClassifier {
  static constexpr bool takes_missing = true, takes_infinity = true;  // each part says what it refuses
  Parts parts;
  Tensor classes;
  bool multilabel = false, many = false;
  int version = 0;

  void learned(Fields& f) {
    version = f.version();
    f("estimators_", parts);
    takes_what_its_parts_take(f, parts);
    std::string kind;
    if (const auto binarizer = f.get("label_binarizer_")) {
      if (const auto v = binarizer->find("y_type_")) f.assign("label_binarizer_.y_type_", *v, kind, {});
      if (const auto v = binarizer->find("classes_")) f.assign("label_binarizer_.classes_", *v, classes, {"classes"});
    }
    multilabel = kind.starts_with("multilabel"), many = kind == "multiclass";
    const bool fits = many || multilabel ? int64_t(parts.size()) == classes.size() : parts.size() == 1 && classes.size() <= 2;
    if (!classes || parts.empty() || !fits)
      f.bad("estimators_", text("holds ", parts.size(), " for ", classes ? classes.size() : 0, " classes"));
  }
  Outputs operator()(const Frame& x) const {
    const std::vector<Outputs> said = ask_all(parts, x);
    std::vector<Expr> scores;
    for (const Outputs& out : said) scores.push_back(binary_score(out));
    Outputs out{.role = Outputs::Role::classifier};
    if (many) {
      out = classifier(classes, place_of_winner(beside_each_other(scores), version), {});
    } else {
      const Expr yes = cast(beside_each_other(scores) > threshold_of(said[0]), DataType::i64);
      if (multilabel) out.predict = yes;
      else if (classes.size() == 2) out = classifier(classes, vector_of(yes), {});
      else out = classifier(classes, row_zeros(x), {});
    }
    if (std::ranges::all_of(said, [](const Outputs& o) { return o.predict_proba && o.predict_proba->columns() == 2; }))
      out.predict_proba = shares(said);
    if (std::ranges::all_of(said, decides)) {
      std::vector<Expr> each;
      for (const Outputs& o : said) each.push_back(decision_of(o));
      out.decision_function = each.size() == 1 ? each[0] : beside_each_other(each);
    }
    return out;
  }

 private:
  Expr shares(const std::vector<Outputs>& said) const {
    std::vector<Expr> each;
    for (const Outputs& o : said) each.push_back(columns(probabilities_of(o), {1}));
    if (each.size() == 1) each.insert(each.begin(), 1.0 - each[0]);
    const Expr p = concat(each);
    if (multilabel) return p;
    const Expr total = sum_in_order(each);
    return where(equal(total, 0.0), p, p / total);  // rows of nothing stay so
  }
};

struct OneVsOneClassifier {
  static constexpr bool takes_missing = true, takes_infinity = true;  // each part says what it refuses
  Parts parts;  // a classifier for each pair of classes
  Tensor classes;
  bool zero_decides = false;  // of two classes, until 1.1, whatever the parts' scores are

  void learned(Fields& f) {
    f("estimators_", parts);
    f("classes_", classes, {"classes"});
    zero_decides = f.version() > 0 && f.version() < 101;
    if (f.given("pairwise_indices_"))
      f.refuse("pairwise_indices_", "are given: the parts take a precomputed kernel", "convertible: a named kernel");
    if (!f.ok()) return;
    const int64_t n = classes.size();
    if (n < 2 || int64_t(parts.size()) != n * (n - 1) / 2) f.bad("estimators_", text("holds ", parts.size(), " for ", n, " classes"));
  }
  Outputs operator()(const Frame& x) const {
    const std::vector<Outputs> said = ask_all(parts, x);
    const int64_t n = classes.size();
    std::vector<Expr> confidence(static_cast<size_t>(n)), votes = confidence;
    const auto add = [](Expr& sum, Expr e) { sum = sum.graph ? sum + e : e; };
    size_t k = 0;
    for (size_t i = 0; i < size_t(n); ++i) {
      for (size_t j = i + 1; j < size_t(n); ++j, ++k) {
        const Expr score = column_of(binary_score(said[k])), label = cast(column_of(predicted(said[k])), DataType::f64);
        add(confidence[i], negated(score)), add(confidence[j], score);
        add(votes[i], cast(equal(label, 0.0), DataType::f64)), add(votes[j], cast(equal(label, 1.0), DataType::f64));
      }
    }
    const Expr sums = concat(confidence);
    const Expr z = concat(votes) + sums / (3.0 * (abs(sums) + 1.0));
    if (n > 2) return classifier(classes, argmax(z), {.decision_function = z});
    const Expr second = column(z, 1);
    const double threshold = zero_decides ? 0.0 : threshold_of(said[0]);
    return classifier(classes, cast(second > threshold, DataType::i64), {.decision_function = second});
  }
};

struct OutputCodeClassifier {
  static constexpr bool takes_missing = true, takes_infinity = true;  // each part says what it refuses
  Parts parts;
  Tensor classes;
  Numbers codes;  // (classes, parts): what the parts would say of each class

  void learned(Fields& f) {
    f("estimators_", parts, {"parts"});
    f("classes_", classes, {"classes"});
    f("code_book_", codes, {"classes", "parts"});
    takes_what_its_parts_take(f, parts);
    if (parts.empty()) f.bad("estimators_", "is empty");
  }
  Outputs operator()(const Frame& x) const {
    std::vector<Expr> scores;
    for (const Outputs& out : ask_all(parts, x)) scores.push_back(binary_score(out));
    // |score - code|² without what is the same for every code; of equal ones the first.
    const Numbers squares = Numbers::of({codes.dim(0)}, [&](int64_t i) {
      double sum = 0;
      for (int64_t j = 0; j < codes.dim(1); ++j) sum += codes(i, j) * codes(i, j);
      return sum;
    });
    return classifier(classes, argmin(-2.0 * matmul(beside_each_other(scores), codes.transposed()) + squares), {});
  }
};

Definitions multiclass_estimators() {
  return {
      reads<ConstantPredictor>("sklearn.multiclass._ConstantPredictor"),
      reads<OneVsRestClassifier>("sklearn.multiclass.OneVsRestClassifier",
                                 {.cases = {"(LogisticRegression())", "(make_pipeline(StandardScaler(), GaussianNB()))"},
                                  .data = "clean ratings",
                                  .tolerance = 1e-12}),
      reads<OneVsRestClassifier>("sklearn.multiclass.OneVsRestClassifier",
                                 {.cases = {"(DecisionTreeClassifier(max_depth=4))"}, .data = "ratings missing"}),
      reads<OneVsRestClassifier>("sklearn.multiclass.OneVsRestClassifier",
                                 {.cases = {"(LinearSVC(random_state=0))", "(Ridge())"}, .data = "clean", .tolerance = 1e-12}),
      reads<OneVsRestClassifier>("sklearn.multiclass.OneVsRestClassifier",
                                 {.cases = {"(LogisticRegression())", "(KNeighborsClassifier(4))"},
                                  .data = "clean",
                                  .targets = "multilabel",
                                  .tolerance = 1e-12}),
      reads<OneVsOneClassifier>("sklearn.multiclass.OneVsOneClassifier",
                                {.cases = {"(LinearSVC(random_state=0))", "(GaussianNB())"}, .data = "clean ratings", .tolerance = 1e-12}),
      reads<OneVsOneClassifier>("sklearn.multiclass.OneVsOneClassifier",
                                {.cases = {"(DecisionTreeClassifier(max_depth=2))"}, .data = "ratings prices missing",
                                 .outputs = "label scores"}),
      reads<OutputCodeClassifier>("sklearn.multiclass.OutputCodeClassifier",
                                  {.cases = {"(LinearSVC(random_state=0), code_size=3, random_state=0)",
                                             "(DecisionTreeClassifier(max_depth=3), code_size=4, random_state=1)"},
                                   .data = "clean ratings"}),
  };
}

}  // namespace onward
