// Voting: several estimators of one table, the mean of what they say or the label that most of them give.
#include "onward/estimators/delegation.h"

namespace onward {
namespace {

struct Voting {
  static constexpr bool takes_missing = true, takes_infinity = true;  // each part says what it refuses
  Parts parts;
  std::vector<std::string> names;  // of the parts, without those dropped
  Numbers weights;                 // one a part; empty: all alike

  void learned(Fields& f) {
    f("estimators_", parts);
    takes_what_its_parts_take(f, parts);
    const Numbers all = numbers_of(f, "weights");
    std::vector<double> kept;
    int64_t i = 0;
    for (const auto& part : f.named("estimators")) {
      const bool dropped = part.value.str() == "drop" || part.value.is(plain::Kind::none);
      if (!dropped) names.push_back(part.name);
      if (!dropped && all) kept.push_back(all[i]);
      ++i;
    }
    if (all) weights = Numbers({int64_t(kept.size())}, kept);
    if (parts.empty() || names.size() != parts.size())
      f.bad("estimators_", text("holds ", parts.size(), " for ", names.size(), " names"));
  }
  // Added one by one, as numpy adds along an axis that is not the innermost.
  Expr mean(std::vector<Expr> said) const {
    if (!weights) {
      said = of_one_type(std::move(said));
      return sum_in_order(said) / double(said.size());
    }
    double total = 0;
    for (size_t i = 0; i < said.size(); ++i) {
      said[i] = cast(said[i], DataType::f64) * weights[int64_t(i)];
      total += weights[int64_t(i)];
    }
    if (total == 0) fail(Code::bad_file, "the weights sum to zero");
    return sum_in_order(said) / total;
  }
  std::string called(std::string_view of, size_t i) const { return text(of, "_", names[i]); }
};

}  // namespace

struct VotingClassifier : Voting {
  Tensor classes;
  bool hard = true, flat = true;

  void learned(Fields& f) {
    Voting::learned(f);
    f("classes_", classes, {"classes"});
    f.choice("voting", hard, {{"hard", true}, {"soft", false}});
    f("flatten_transform", flat);
    for (const double w : weights)
      if (hard && !(w >= 0)) return f.refuse("weights", text("hold ", w), "a vote counts from 0");
  }
  Outputs operator()(const Frame& x) const { return hard ? voted(x) : averaged(x); }

 private:
  Outputs voted(const Frame& x) const {
    std::vector<Expr> votes, labels;
    std::vector<std::string> columns;
    for (size_t i = 0; i < parts.size(); ++i) {
      // The parts were fitted on places among the classes, not on the classes.
      const Expr place = cast(vector_of(predicted(ask(parts[i], x, names[i]))), DataType::i64);
      labels.push_back(column_of(place)), columns.push_back(called("votingclassifier", i));
      const Expr vote = one_hot(place, classes.size());
      votes.push_back(weights ? vote * weights[int64_t(i)] : vote);
    }
    Outputs out = classifier(classes, argmax(sum_in_order(votes)), {});
    out.transform = Frame(concat(labels), columns);
    return out;
  }
  Outputs averaged(const Frame& x) const {
    std::vector<Expr> said;
    std::vector<std::string> columns;
    for (size_t i = 0; i < parts.size(); ++i) {
      const Outputs out = ask(parts[i], x, names[i]);
      probabilities_of(out);
      said.push_back(*out.predict_proba);
      if (said.back().columns() != classes.size())
        fail(Code::bad_file, "a part gives ", said.back().columns(), " probabilities of ", classes.size());
      for (int64_t k = 0; k < classes.size(); ++k) columns.push_back(text(called("votingclassifier", i), k));
    }
    const Expr p = mean(said);
    Outputs out = classifier(classes, argmax(p), {.predict_proba = p});
    if (flat) out.transform = Frame(concat(of_one_type(said)), columns);  // else three dimensions, which are no table
    return out;
  }
};

struct VotingRegressor : Voting {
  Outputs operator()(const Frame& x) const {
    std::vector<Expr> said, beside;
    std::vector<std::string> columns;
    for (size_t i = 0; i < parts.size(); ++i) {
      said.push_back(vector_of(predicted(ask(parts[i], x, names[i]))));
      columns.push_back(called("votingregressor", i));
    }
    for (const Expr& y : of_one_type(said)) beside.push_back(column_of(y));
    Outputs out = regressor(mean(said));
    out.transform = Frame(concat(beside), columns);
    return out;
  }
};

Definitions voting_estimators() {
  constexpr std::string_view even =  // trees that disagree two against two
      "([(str(i), DecisionTreeClassifier(max_depth=2 + i, random_state=i)) for i in range(4)])";
  constexpr std::string_view dropped =
      "([('a', DecisionTreeClassifier(max_depth=2)), ('b', 'drop'), ('c', KNeighborsClassifier(2)),"
      " ('d', DecisionTreeClassifier(max_depth=4))],"
      " weights=[2, 9, 1, 1])";
  constexpr std::string_view fractions =
      "([(str(i), DecisionTreeClassifier(max_depth=2 + i, random_state=i)) for i in range(4)], weights=[.1, .2, .3, .6])";
  constexpr std::string_view soft =
      "([('a', LogisticRegression()), ('b', make_pipeline(StandardScaler(), GaussianNB())), ('c', DecisionTreeClassifier(max_depth=3))],"
      " voting='soft', weights=[1, 2, 1.5])";
  constexpr std::string_view soft_trees =
      "([(str(i), DecisionTreeClassifier(random_state=i, max_features=1)) for i in range(4)], voting='soft', flatten_transform=False)";
  constexpr std::string_view regressors =
      "([('a', Ridge()), ('b', DecisionTreeRegressor(max_depth=4)), ('c', 'drop'), ('d', KNeighborsRegressor())], weights=[1, 2, 3, .5])";
  return {
      reads<VotingClassifier>("sklearn.ensemble.VotingClassifier", {.cases = {even, fractions}, .outputs = "label transformed"}),
      reads<VotingClassifier>("sklearn.ensemble.VotingClassifier", {.cases = {dropped}, .data = "clean"}),
      reads<VotingClassifier>("sklearn.ensemble.VotingClassifier", {.cases = {soft_trees}, .data = "ratings missing"}),
      reads<VotingClassifier>("sklearn.ensemble.VotingClassifier",
                              {.cases = {soft}, .data = "clean ratings", .tolerance = 1e-12, .outputs = "label probabilities transformed"}),
      reads<VotingRegressor>("sklearn.ensemble.VotingRegressor",
                             {.cases = {"([(str(i), DecisionTreeRegressor(max_depth=2 + i)) for i in range(3)])"},
                              .data = "ratings missing"}),
      reads<VotingRegressor>("sklearn.ensemble.VotingRegressor",
                             {.cases = {regressors}, .data = "clean prices", .tolerance = 1e-12, .outputs = "variable transformed"}),
  };
}

}  // namespace onward
