// CatBoost: symmetric and branching trees over numbers, categories and the target's statistics by category, summed in double.
#include <cmath>

#include "onward/estimators/catboost_columns.h"
#include "onward/estimators/catboost_values.h"

namespace onward {
namespace {

using plain::Kind;
using plain::Value;

// Which of the library's classes was saved decides what predict answers; a file of its own says nothing of that.
enum class As { file, model, classifier, regressor, ranker };

// "… Branch: tags/v1.2.10 …"
std::string version_of(const Value& info) {
  const auto said = info.find("catboost_version_info");
  const std::string_view all = said ? said->str() : std::string_view(), mark = "tags/v";
  const size_t at = all.find(mark);
  if (at == all.npos) return {};
  const std::string_view rest = all.substr(at + mark.size(), 20);
  return std::string(rest.substr(0, rest.find_first_not_of("0123456789.")));
}

// "" and the column's number are what CatBoost writes for a column without a name.
bool is_named(const auto& feature) { return !feature.name.empty() && feature.name != text(feature.column); }

std::vector<std::string> names_of(const catboost::Model& m) {
  const bool named = std::ranges::any_of(m.floats, [](const auto& f) { return is_named(f); }) ||
                     std::ranges::any_of(m.categories, [](const auto& c) { return is_named(c); });
  if (!named && m.categories.empty()) return {};  // words and numbers cannot share a matrix
  std::vector<std::string> names(size_t(m.columns()));
  for (size_t i = 0; i < names.size(); ++i) names[i] = text("x", i);
  const auto keep = [&](const auto& f) {  // beside names a number is one, too
    if (named && !f.name.empty()) names[size_t(f.column)] = f.name;
  };
  for (const auto& f : m.floats) keep(f);
  for (const auto& c : m.categories) keep(c);
  return names;
}

Tensor numbered(int64_t n) {
  return Array<int64_t>::of({n}, [](int64_t k) { return k; });
}

Tensor classes_of(const Value& info, int64_t expected) {
  const auto stated = info.find("class_params");
  const std::span<const Value> names = stated ? catboost::list(*stated, "class_names") : std::span<const Value>();
  // Scores stand in the order of the classes, unless one was missing in training.
  const std::span<const Value> places = stated ? catboost::list(*stated, "class_to_label") : std::span<const Value>();
  for (size_t i = 0; i < places.size(); ++i)
    if (catboost::number(places[i], "class_to_label") != double(i))
      fail(Code::unsupported_estimator, "the model scores class ", catboost::number(places[i], "class_to_label"), " in place ", i,
           ": a class was missing in training");
  const auto n = int64_t(names.size()), counted = stated ? catboost::integer(*stated, "classes_count", 0) : 0;
  if (n == 0 && (counted == 0 || counted == expected)) return numbered(expected);
  if (n != expected)
    fail(Code::unsupported_estimator, "the model knows ", std::max(n, counted), " classes and scores ", expected,
         "; convertible: as many of both");
  const auto all = [&](auto is) { return std::all_of(names.begin(), names.end(), is); };
  if (all([](const Value& v) { return v.is(Kind::text); }))
    return Array<std::string>::of({n}, [&](int64_t i) { return checked_text(names[size_t(i)].str()); });
  if (all([](const Value& v) { return v.is(Kind::boolean); }))
    return Array<bool>::of({n}, [&](int64_t i) { return names[size_t(i)].boolean; });
  const bool whole = catboost::word(*stated, "class_label_type") == "Integer";
  if (whole && all([](const Value& v) { return v.is(Kind::integer); }))
    return Array<int64_t>::of({n}, [&](int64_t i) { return names[size_t(i)].integer; });
  return Numbers::of({n}, [&](int64_t i) { return catboost::number(names[size_t(i)], "class_names"); });
}

}  // namespace

struct CatBoostModel {
  static constexpr bool takes_missing = true, takes_infinity = true;
  catboost::Model model;
  std::vector<int64_t> used;  // columns that some tree tests
  std::string loss;
  Tensor classes;     // of a classifier
  double border = 0;  // a score above it is the second class
  As as = As::file;

  void learned(Fields& f, As kind = As::file) {
    as = kind;
    auto stored = f.get("__model");
    plain::Document inner;
    if (stored && stored->is(Kind::bytes) && f.reading().document->inner)
      inner = f.reading().document->inner(stored->str()), stored = inner.root.find("__model");
    if (!stored || !stored->is(Kind::dict)) return f.bad("__model", "is missing: the estimator is not fitted");
    model = stored->find("core") ? catboost::read_binary(*stored, f.reading().owner) : catboost::read_json(*stored);
    catboost::keep_words(model);
    keep_used();
    if (catboost::hashes_words(model, used)) f.needs_own(catboost::hash_operator, catboost::hash_need);
    const auto params = model.info.find("params");
    const auto function = params ? params->find("loss_function") : std::nullopt;
    if (function) loss = catboost::word(*function, "type");
    if (is_classifier()) read_classes();
    Facts facts;
    facts.n_features_in = model.columns(), facts.feature_names_in = names_of(model), facts.version = version_of(model.info);
    f.same_input_as(facts);
    model.info = {};  // of the document, which ends here
  }

  Outputs operator()(const Frame& x) const {
    const Expr z = raw(x);
    Outputs out = !is_classifier() ? predicted(z) : multi_label() ? labels(z) : classified(z);
    out.margin = true;
    if (!used.empty() && model.first_leaves.size() == model.trees->trees.size()) out.apply = leaves(x);
    return out;
  }

 private:
  bool multi_label() const { return loss == "MultiLogloss" || loss == "MultiCrossEntropy"; }
  bool is_classifier() const {
    const bool for_classes = loss == "Logloss" || loss == "CrossEntropy" || loss == "Focal" || loss == "MultiClass" ||
                             loss == "MultiClassOneVsAll" || multi_label();
    return as == As::classifier || (as == As::file && for_classes);
  }
  int64_t outputs() const { return model.trees->targets; }

  void keep_used() {
    std::map<int32_t, int32_t> places;
    for (const Tree& tree : model.trees->trees)
      for (const TreeNode& node : tree.nodes)
        if (!node.is_leaf()) places.emplace(node.feature, 0);
    for (auto& [column, place] : places) place = int32_t(used.size()), used.push_back(column);
    for (Tree& tree : model.trees->trees)
      for (TreeNode& node : tree.nodes)
        if (!node.is_leaf()) node.feature = places.at(node.feature);
    model.trees->features = int64_t(used.size());
  }

  void read_classes() {
    classes = classes_of(model.info, outputs() == 1 ? 2 : outputs());
    const auto threshold = model.info.find("binclass_probability_threshold");
    if (!threshold) return;
    const double p = threshold->is(Kind::text) ? std::atof(std::string(threshold->str()).c_str())
                                               : catboost::number(*threshold, "binclass_probability_threshold");
    if (!(p > 0 && p < 1)) fail(Code::bad_file, "binclass_probability_threshold is ", p);
    border = -std::log(1 / p - 1);
  }

  Expr raw(const Frame& x) const {
    Expr z = used.empty() ? constant(x) : tree_sum(catboost::tested_columns(model, used, x), model.trees);
    if (model.scale != 1) z = z * model.scale;
    if (std::any_of(model.bias.begin(), model.bias.end(), [](double b) { return b != 0; }))
      z = z + Numbers({int64_t(model.bias.size())}, std::span<const double>(model.bias));
    return z;
  }
  // Trees that test nothing add up to the same for every row.
  Expr constant(const Frame& x) const {
    std::vector<double> sums(static_cast<size_t>(outputs()));
    for (const Tree& tree : model.trees->trees)
      for (size_t k = 0; k < sums.size(); ++k) sums[k] += tree.values ? tree.values(0, int64_t(k)) : tree.nodes[0].split;
    const Expr any = x.is_text(0) ? x.string(0) : x.number(0), same = reshaped(cast(equal(any, any), DataType::f64), {rows, 1}) * 0.0;
    return same + Numbers({1, outputs()}, std::span<const double>(sums));
  }

  // As the library numbers them, which it does tree by tree.
  Expr leaves(const Frame& x) const {
    const auto n = int64_t(model.first_leaves.size());
    return leaf_index(catboost::tested_columns(model, used, x), model.trees) -
           Array<int64_t>({n}, std::span<const int64_t>(model.first_leaves));
  }
  Outputs predicted(const Expr& z) const {
    const Expr y = linked(z);
    Outputs out = regressor(y.columns() == 1 ? reshaped(y, {rows}) : y);
    out.decision_function = z;
    return out;
  }
  static Expr log_sigmoid(const Expr& z) { return negated(log(1.0 + exp(negated(z)))); }
  Outputs labels(const Expr& z) const {
    Outputs out{.role = Outputs::Role::classifier, .predict = cast(z > border, DataType::i64), .predict_proba = sigmoid(z)};
    out.predict_log_proba = log_sigmoid(z), out.decision_function = z, out.classes = {classes};
    return out;
  }
  Outputs classified(const Expr& z) const {
    Outputs out;
    if (z.columns() == 1) {
      const Expr p = sigmoid(z), second = cast(reshaped(z, {rows}) > border, DataType::i64);
      out = classifier(classes, second, {.predict_proba = concat({1.0 - p, p}), .decision_function = z});
      out.predict_log_proba = concat({log_sigmoid(negated(z)), log_sigmoid(z)});
      return out;
    }
    const bool each = loss == "MultiClassOneVsAll";
    const Expr below = z - max(z);
    out = classifier(classes, argmax(z), {.predict_proba = each ? sigmoid(z) : softmax(z), .decision_function = z});
    out.predict_log_proba = each ? log_sigmoid(z) : below - log(sum(exp(below)));
    return out;
  }
  // What predict makes of the scores.
  Expr linked(const Expr& z) const {
    if (as == As::model || as == As::ranker) return z;
    if (loss == "Poisson" || loss == "Tweedie") return exp(z);
    if (loss == "RMSEWithUncertainty" && z.columns() == 2) return concat({columns(z, {0}), exp(columns(z, {1}) * 2.0)});
    return z;
  }
};

template <As saved>
struct CatBoostObject : CatBoostModel {
  void learned(Fields& f) { CatBoostModel::learned(f, saved); }
};

Definitions catboost_estimators() {
  Definitions all = {reads<CatBoostModel>("catboost.CatBoostModel", {.cases = {}}),
                     reads<CatBoostObject<As::model>>("catboost.CatBoost", {.cases = {}}),
                     reads<CatBoostObject<As::classifier>>("catboost.CatBoostClassifier", {.cases = {}}),
                     reads<CatBoostObject<As::regressor>>("catboost.CatBoostRegressor", {.cases = {}}),
                     reads<CatBoostObject<As::ranker>>("catboost.CatBoostRanker", {.cases = {}})};
  for (Definition& d : all) d.may_be_stateless = true;  // what fitting leaves is one model
  return all;
}

}  // namespace onward
