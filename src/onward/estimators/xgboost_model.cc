#include "onward/estimators/xgboost_model.h"

#include <cmath>

#include "onward/estimators/numpy_arrays.h"
#include "onward/estimators/xgboost_tree.h"

namespace onward {
namespace {

using plain::Kind;
using Base = XgboostObjective::Base;
using Link = XgboostObjective::Link;
using Task = XgboostObjective::Task;

constexpr int64_t most_outputs = 100'000, most_features = 1'000'000;

constexpr XgboostObjective objectives[] = {
    {"reg:squarederror"},
    {"reg:linear"},
    {"reg:squaredlogerror"},
    {"reg:pseudohubererror"},
    {"reg:absoluteerror"},
    {"reg:quantileerror"},
    {"reg:expectileerror"},
    {"reg:logistic", Base::logit, Link::logistic},
    {"reg:gamma", Base::log, Link::exponential},
    {"reg:tweedie", Base::log, Link::exponential},
    {"count:poisson", Base::log, Link::exponential},
    {"survival:cox", Base::log, Link::exponential},
    {"survival:aft", Base::log, Link::exponential},
    {"rank:pairwise"},
    {"rank:ndcg"},
    {"rank:map"},
    {"binary:logistic", Base::logit, Link::logistic, Task::two_classes},
    {"binary:logitraw", Base::as_is, Link::none, Task::two_classes},
    {"binary:hinge", Base::as_is, Link::step, Task::two_classes},
    {"multi:softmax", Base::as_is, Link::softmax, Task::many_classes},
    {"multi:softprob", Base::as_is, Link::softmax, Task::many_classes},
};

XgboostObjective objective_of(const std::string& name) {
  std::string known;
  for (const XgboostObjective& o : objectives) {
    if (o.name == name) return o;
    known += (known.empty() ? "" : ", ") + std::string(o.name);
  }
  fail(Code::unsupported_estimator, "objective.name is '", clipped(name), "'; convertible: ", known);
}

// As XGBoost computes it, in float32.
float margin_of(Base base, float score) {
  switch (base) {
    case Base::logit:
      if (!(score > 0 && score < 1)) fail(Code::bad_file, "learner_model_param.base_score is ", score, "; expected a probability");
      return -std::log(1.0f / score - 1.0f);
    case Base::log:
      return std::log(score);
    default:
      return score;
  }
}

// "5E-1", or since 3.1 "[1E-1,2E-1]".
std::vector<float> base_margins(const BoosterRecord& parameters, const XgboostObjective& objective, int64_t outputs) {
  std::string given = parameters.word("base_score");
  for (char& c : given) c = c == '[' || c == ']' || c == ',' ? ' ' : c;
  const std::vector<double> scores = numbers_of<double>(given);
  if (scores.size() != 1 && int64_t(scores.size()) != outputs)
    parameters.bad("base_score", "has ", scores.size(), " numbers for ", outputs, " outputs");
  std::vector<float> margins;
  for (int64_t k = 0; k < outputs; ++k) margins.push_back(margin_of(objective.base, float(scores[scores.size() == 1 ? 0 : size_t(k)])));
  return margins;
}

// {"offsets": [0, 1, 2], "values": the bytes of the words} or {"type": …, "values": numbers}; without values for a column of numbers.
std::optional<CategoryList> read_encoder(const BoosterRecord& r) {
  CategoryList c;
  if (r.has("offsets")) {
    const std::vector<int64_t> offsets = r.integers("offsets"), bytes = r.integers("values");
    if (offsets.size() < 2) return {};
    std::vector<std::string> words;
    for (size_t i = 0; i + 1 < offsets.size(); ++i) {
      if (offsets[i] < 0 || offsets[i + 1] < offsets[i] || uint64_t(offsets[i + 1]) > bytes.size())
        r.bad("offsets", "goes beyond the ", bytes.size(), " bytes");
      std::string& word = words.emplace_back();
      for (int64_t at = offsets[i]; at < offsets[i + 1]; ++at) word += char(bytes[size_t(at)]);
      checked_text(word);
    }
    // It numbers the words' ends by characters and cuts what they point into to as many bytes (3.2, from pandas), so words cannot be told apart.
    if (std::ranges::any_of(bytes, [](int64_t b) { return b < 0 || b > 127; }))
      throw Error(Code::unsupported_estimator,
                  text(r.place("values"), " holds categories beyond ASCII, whose ends XGBoost counts in characters or in bytes, and the file does not say which"),
                  "name the categories in ASCII and fit again, or fit on their codes");
    c.values = Array<std::string>({int64_t(words.size())}, words);
    return c;
  }
  const plain::Value values = r.at("values");
  const bool whole = values.is(Kind::array)
                         ? values.array->type->kind != 'f'
                         : std::ranges::all_of(values.items(), [](const plain::Value& v) { return v.is(Kind::integer); });
  if (whole) {
    const std::vector<int64_t> all = r.integers("values");
    c.values = Array<int64_t>({int64_t(all.size())}, all);
  } else {
    const std::vector<double> all = r.reals("values");
    c.values = Numbers({int64_t(all.size())}, all);
  }
  return c;
}

ColumnCategories read_categories(const BoosterRecord& model, int64_t features) {
  ColumnCategories out;
  if (!model.has("cats")) return out;  // since 3.1
  const BoosterRecord cats = model.record("cats");
  if (!cats.has("enc")) return out;
  for (const BoosterRecord& encoder : cats.records("enc")) out.push_back(read_encoder(encoder));
  if (!out.empty() && int64_t(out.size()) != features) cats.bad("enc", "has ", out.size(), " items for ", features, " columns");
  return out;
}

void read_linear(const BoosterRecord& model, XgboostModel& into) {
  const std::vector<double> all = model.reals("weights");
  const int64_t rows_of_weights = into.facts.n_features_in + 1;
  if (int64_t(all.size()) != rows_of_weights * into.outputs)
    model.bad("weights", "has ", all.size(), " numbers for ", into.facts.n_features_in, " columns and ", into.outputs, " outputs");
  into.weights = Array<float>::of({rows_of_weights, into.outputs}, [&](int64_t i) { return float(all[size_t(i)]); });
}

// The base margin, then the trees. Dropout gives each tree a weight. Prediction in place adds the base to a tree's leaf and takes it
// off again before the weight, and both of these round.
std::shared_ptr<const TreeEnsemble> ensemble_of(const BoosterRecord& model, const std::optional<std::vector<double>>& weights,
                                                bool in_place, XgboostModel& into) {
  auto ensemble = std::make_shared<TreeEnsemble>();
  ensemble->targets = into.outputs, ensemble->features = into.facts.n_features_in;
  for (int64_t k = 0; k < into.outputs; ++k)
    if (into.base[size_t(k)] != 0) ensemble->trees.push_back(constant_tree(double(into.base[size_t(k)]), k));
  into.leading = int64_t(ensemble->trees.size());
  const std::vector<BoosterRecord> trees = model.records("trees");
  const std::vector<int64_t> group = model.integers("tree_info");
  if (group.size() != trees.size()) model.bad("tree_info", "has ", group.size(), " items for ", trees.size(), " trees");
  if (weights && weights->size() != trees.size()) model.bad("weight_drop", "has ", weights->size(), " items for ", trees.size(), " trees");
  for (size_t i = 0; i < trees.size(); ++i) {
    if (group[i] < 0 || group[i] >= into.outputs) model.bad("tree_info", "holds ", group[i], " for ", into.outputs, " outputs");
    std::optional<Dropout> dropout;
    if (weights) dropout = {float((*weights)[i]), in_place ? into.base[size_t(group[i])] : 0};
    ensemble->trees.push_back(read_xgboost_tree(trees[i], group[i], into.outputs, dropout));
  }
  check(*ensemble);
  return ensemble;
}

// Where rounds end among the trees. Since 2.0 the file says so; before, it says how many trees a round has for each output.
std::vector<int64_t> ends_of_rounds(const BoosterRecord& model, int64_t trees, int64_t outputs) {
  std::vector<int64_t> ends;
  if (model.has("iteration_indptr")) {
    ends = model.integers("iteration_indptr");
    for (int64_t end : ends)
      if (end < 0 || end > trees) model.bad("iteration_indptr", "holds ", end, " for ", trees, " trees");
    if (!ends.empty()) ends.erase(ends.begin());
    return ends;
  }
  const int64_t parallel = std::max<int64_t>(model.record("gbtree_model_param").integer("num_parallel_tree", 1), 1);
  for (int64_t end = 0; parallel <= trees && end + parallel * outputs <= trees;) ends.push_back(end += parallel * outputs);
  return ends;
}

void read_trees(const BoosterRecord& model, const std::optional<std::vector<double>>& weights, XgboostModel& into) {
  into.trees = ensemble_of(model, weights, false, into);
  if (weights) into.in_place_trees = ensemble_of(model, weights, true, into);
  into.rounds = ends_of_rounds(model, int64_t(into.trees->trees.size()) - into.leading, into.outputs);
}

// What save_model of scikit-learn's classes leaves behind: {"_estimator_type": "classifier", …}.
std::string wrapper_of(const BoosterRecord& attributes) {
  if (!attributes.has("scikit_learn")) return {};
  const std::string said = attributes.word("scikit_learn");
  for (const char* kind : {"classifier", "regressor", "ranker"})
    if (said.find(text("\"_estimator_type\": \"", kind, "\"")) != said.npos) return kind;
  return "booster";
}

}  // namespace

XgboostModel XgboostModel::read(const plain::Value& state) {
  const BoosterRecord file(state, ""), learner = file.record("learner"), parameters = learner.record("learner_model_param"),
                                       booster = learner.record("gradient_booster");
  XgboostModel m;
  std::string version;
  for (int64_t part : file.integers("version")) version += (version.empty() ? "" : ".") + std::to_string(part);
  m.facts = {.class_name = "Booster", .module = "xgboost.core", .library = "xgboost", .version = version};
  m.objective = objective_of(learner.record("objective").word("name"));
  const int64_t classes = parameters.integer("num_class", 0), targets = parameters.integer("num_target", 1);
  m.outputs = std::max<int64_t>({classes, targets, 1});
  if (m.outputs > most_outputs) parameters.bad("num_class", "is ", m.outputs);
  m.facts.n_features_in = parameters.integer("num_feature");
  if (m.facts.n_features_in < 1 || m.facts.n_features_in > most_features) parameters.bad("num_feature", "is ", m.facts.n_features_in);
  if (learner.has("feature_names")) m.facts.feature_names_in = learner.words("feature_names");
  if (!m.facts.feature_names_in.empty() && int64_t(m.facts.feature_names_in.size()) != m.facts.n_features_in)
    learner.bad("feature_names", "has ", m.facts.feature_names_in.size(), " items for ", m.facts.n_features_in, " columns");
  m.base = base_margins(parameters, m.objective, m.outputs);
  if (learner.has("attributes")) {
    const BoosterRecord attributes = learner.record("attributes");
    if (attributes.has("best_iteration")) m.best_iteration = attributes.integer("best_iteration");
    m.wrapper = wrapper_of(attributes);
  }
  const std::string kind = booster.word("name");
  if (kind == "gblinear") return read_linear(booster.record("model"), m), m;
  if (kind != "gbtree" && kind != "dart") booster.bad("name", "is '", clipped(kind), "'; expected gbtree, dart or gblinear");
  std::optional<std::vector<double>> weights;
  if (kind == "dart") weights = booster.reals("weight_drop");
  const BoosterRecord model = (kind == "dart" ? booster.record("gbtree") : booster).record("model");
  m.categories = read_categories(model, m.facts.n_features_in);
  read_trees(model, weights, m);
  return m;
}

XgboostModel XgboostModel::for_wrapper() const {
  XgboostModel out = *this;
  if (in_place_trees) out.trees = in_place_trees;
  if (!trees || !best_iteration) return out;
  if (*best_iteration < 0 || *best_iteration >= int64_t(rounds.size()))
    fail(Code::bad_file, "attributes.best_iteration is ", *best_iteration, " of ", rounds.size(), " rounds");
  auto kept = std::make_shared<TreeEnsemble>(*out.trees);
  kept->trees.resize(size_t(leading + rounds[size_t(*best_iteration)]));
  out.trees = std::move(kept);
  return out;
}

// Numbers become float32 before all else.
Expr XgboostModel::input(const Frame& x, double missing) const {
  const Expr given = with_codes(x, categories, Unknown::refuse);
  Expr in = cast(given, DataType::f32);
  if (x.sparse) in = where(equal(given, 0.0), __builtin_nan(""), in);  // what a sparse matrix does not hold is missing
  if (missing == missing) in = where(equal(in, double(float(missing))), __builtin_nan(""), in);
  // A category is the number without its fraction; one below zero is none.
  std::vector<bool> categorical(size_t(x.size()));
  if (trees)
    for (const Tree& tree : trees->trees)
      for (const auto& [node, set] : tree.sets) categorical[size_t(tree.nodes[size_t(node)].feature)] = true;
  for (size_t i = 0; i < categorical.size() && i < categories.size(); ++i)
    if (categories[i]) categorical[i] = false;
  for (int64_t i = 0; i < x.size(); ++i)  // until 3.1 the file does not say which categories the codes mean
    if (ColumnFacts* facts = categorical[size_t(i)] ? x.origin(i) : nullptr) facts->category_codes = true;
  return replaced_where(in, categorical, [](Expr e) { return unary("Floor", e); });
}

Expr XgboostModel::margin(Expr in) const {
  if (trees) return tree_sum(in, trees);
  // Bias and base, then weight after weight; what is missing adds nothing. A running sum keeps that order. The base is the first
  // output's for all of them, as XGBoost 3.2 has it.
  const Expr known = where(is_nan(in), 0.0, in);
  std::vector<Expr> sums;
  for (int64_t k = 0; k < outputs; ++k) {
    const int64_t n = facts.n_features_in;
    const Array<float> slope = Array<float>::of({1, n}, [&](int64_t i) { return weights(i, k); });
    const Array<float> start = Array<float>::of({1, 1}, [&](int64_t) { return weights(n, k) + base[0]; });
    const Expr first = columns(known, {0}) * 0.0 + Operand(start);
    const Expr terms = concat({first, known * Operand(slope)});
    const Expr running =
        in.graph->add("CumSum", {terms, in.graph->constant(Array<int64_t>::scalar(1))}, {}, Result{terms.type(), terms.shape()});
    sums.push_back(columns(running, {n}));
  }
  return concat(sums);
}

std::optional<Expr> XgboostModel::leaves(Expr in) const {
  if (!trees) return {};
  auto only = std::make_shared<TreeEnsemble>(*trees);
  only->trees.erase(only->trees.begin(), only->trees.begin() + leading);
  if (only->trees.empty()) return {};
  return leaf_index(in, only);
}

}  // namespace onward
