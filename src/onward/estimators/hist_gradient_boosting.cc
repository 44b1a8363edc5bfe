// HistGradientBoosting: float64 throughout, missing values and categories in the trees, an ordinal encoder in front of them.
#include "onward/estimators/fields.h"
#include "onward/estimators/tree_ensemble.h"

namespace onward {
namespace {

constexpr int64_t words_in_set = 8, most_categories = 32 * words_in_set;

// `predictor`: {nodes: records, raw_left_cat_bitsets: (sets, 8) uint32}.
Tree read_predictor(Fields& f, const plain::Value& predictor, int64_t target) {
  const auto nodes = predictor.find("nodes"), bitsets = predictor.find("raw_left_cat_bitsets");
  if (!nodes || !nodes->is(plain::Kind::array)) fail(Code::bad_file, "holds no nodes: the estimator is not fitted");
  const plain::NdArray& r = *nodes->array;
  const auto value = record_field<double>(r, "value"), threshold = record_field<double>(r, "num_threshold");
  const auto feature = record_field<int32_t>(r, "feature_idx"), left = record_field<int32_t>(r, "left"),
             right = record_field<int32_t>(r, "right"), set = record_field<int32_t>(r, "bitset_idx");
  const auto leaf = record_field<uint8_t>(r, "is_leaf"), missing_left = record_field<uint8_t>(r, "missing_go_to_left"),
             categorical = record_field<uint8_t>(r, "is_categorical");
  Array<int64_t> words;
  if (bitsets && bitsets->is(plain::Kind::array)) words = as_array<int64_t>(*bitsets->array, f.reading().owner);

  Tree out;
  out.target = target;
  for (int64_t i = 0; i < value.size(); ++i) {
    if (leaf[i]) {
      out.nodes.push_back({.split = value[i]});
      continue;
    }
    out.nodes.push_back({threshold[i], feature[i], left[i], right[i], categorical[i] ? Test::member : Test::le, missing_left[i] != 0});
    if (!categorical[i]) continue;
    if (set[i] < 0 || (int64_t{set[i]} + 1) * words_in_set > words.size()) fail(Code::bad_file, "node ", i, " has no set of categories");
    std::vector<double>& in = out.sets[int32_t(i)];
    for (int64_t c = 0; c < most_categories; ++c)
      if (words[set[i] * words_in_set + c / 32] >> (c % 32) & 1) in.push_back(double(c));
  }
  return out;
}

}  // namespace

struct HistGradientBoosting {
  static constexpr bool takes_missing = true, takes_infinity = true;
  std::shared_ptr<TreeEnsemble> trees = std::make_shared<TreeEnsemble>();
  std::optional<Estimator> encoder;           // since 1.4: categories to numbers, categorical columns first
  std::vector<std::optional<Numbers>> known;  // until then: the categories of each such column, which hold numbers already

  void learned(Fields& f) {
    f("_preprocessor", encoder);
    Numbers baseline;
    f("_baseline_prediction", baseline);
    std::vector<std::vector<plain::Value>> rounds;
    f("_predictors", rounds);
    trees->features = f.facts().n_features_in;
    trees->targets = std::max<int64_t>(baseline.size(), 1);
    try {
      for (int64_t k = 0; k < baseline.size(); ++k) trees->trees.push_back(constant_tree(baseline[k], k));
      for (const auto& round : rounds)
        for (size_t k = 0; k < round.size(); ++k) trees->trees.push_back(read_predictor(f, round[k], int64_t(k)));
      check(*trees);
    } catch (Error& e) {
      return f.bad("_predictors", e.message);
    }
    if (!encoder) read_known(f);
  }
  Expr raw(const Frame& x) const {
    Frame seen = x;
    if (encoder) {
      const GraphBuilder::Scope scope(x.graph(), "encoder");
      const Outputs encoded = (*encoder)(x);
      if (!encoded.transform) fail(Code::bad_file, "_preprocessor does not transform");
      seen = *encoded.transform;
    }
    return tree_sum(known.empty() ? seen.numbers() : with_known_only(seen), trees);
  }

 private:
  void read_known(Fields& f) {
    std::vector<bool> categorical(size_t(std::max<int64_t>(trees->features, 0)));
    bool any = false;
    for (const Tree& tree : trees->trees)
      for (const TreeNode& node : tree.nodes)
        if (!node.is_leaf() && node.test == Test::member) categorical[size_t(node.feature)] = any = true;
    if (!any) return;
    const auto mapper = f.get("_bin_mapper");
    const auto thresholds = mapper ? mapper->find("bin_thresholds_") : std::nullopt;
    if (!thresholds) return f.bad("_bin_mapper", "is missing; it holds the known categories");
    const std::span<const plain::Value> each = f.items_of("_bin_mapper.bin_thresholds_", *thresholds);
    if (each.size() != categorical.size())
      return f.bad("_bin_mapper.bin_thresholds_", text("has ", each.size(), " items for ", categorical.size(), " columns"));
    known.resize(categorical.size());
    for (size_t i = 0; i < categorical.size(); ++i)
      if (categorical[i]) {
        f.assign("_bin_mapper.bin_thresholds_", each[i], known[i].emplace(), {});
        if (known[i]->shape().size() != 1)
          f.bad("_bin_mapper.bin_thresholds_", text("has shape ", shown(known[i]->shape()), " for column ", i));
      }
  }
  // An unknown category goes where missing values go.
  Expr with_known_only(const Frame& x) const {
    std::vector<Expr> parts;
    for (int64_t i = 0; i < x.size(); ++i) {
      const Expr item = x.number(i);
      parts.push_back(item);
      if (!known[size_t(i)]) continue;
      const Numbers& categories = *known[size_t(i)];
      const int64_t n = categories.size();
      const Numbers table = Numbers::of({n + 1, 1}, [&](int64_t k) { return k == n ? __builtin_nan("") : categories[k]; });
      const Array<int64_t> places = Array<int64_t>::of({n}, [](int64_t k) { return k; });
      parts.back() = pick(table, reshaped(lookup(unary("Floor", item), categories, places, n), {rows}));
    }
    return concat(parts);
  }
};

struct HistGradientBoostingClassifier : HistGradientBoosting {
  Tensor classes;

  void learned(Fields& f) {
    HistGradientBoosting::learned(f);
    f("classes_", classes, {"classes"});
    if (f.ok() && trees->targets != (classes.size() == 2 ? 1 : classes.size()))
      f.bad("_baseline_prediction", text("has ", trees->targets, " items for ", classes.size(), " classes"));
  }
  Outputs operator()(const Frame& x) const {
    const Expr z = raw(x);
    if (z.columns() > 1) return classifier(classes, argmax(z), {.predict_proba = softmax(z), .decision_function = z});
    const Expr p = sigmoid(z);
    Outputs out = classifier(classes, {.decision_function = z});
    out.predict_proba = concat({1.0 - p, p});
    return out;
  }
};

struct HistGradientBoostingRegressor : HistGradientBoosting {
  bool log_link = false;

  void learned(Fields& f) {
    HistGradientBoosting::learned(f);
    f.choice("loss", log_link,
             {{"squared_error", false},
              {"absolute_error", false},
              {"quantile", false},
              {"least_squares", false},
              {"least_absolute_deviation", false},
              {"poisson", true},
              {"gamma", true}});
  }
  Outputs operator()(const Frame& x) const {
    const Expr z = reshaped(raw(x), {rows});
    return regressor(log_link ? exp(z) : z);
  }
};

Definitions hist_gradient_boosting_estimators() {
  constexpr std::string_view everything = "clean ratings prices missing";
  return {
      reads<HistGradientBoostingClassifier>(
          "sklearn.ensemble.HistGradientBoostingClassifier",
          {.cases = {"(max_iter=20)", "(max_iter=20, max_bins=8)"}, .data = everything, .tolerance = 1e-12}),
      reads<HistGradientBoostingClassifier>(
          "sklearn.ensemble.HistGradientBoostingClassifier",
          {.cases = {"(max_iter=20, categorical_features=[0])"}, .data = "ratings missing counts", .tolerance = 1e-12}),
      reads<HistGradientBoostingClassifier>(
          "sklearn.ensemble.HistGradientBoostingClassifier",
          {.cases = {"(max_iter=20, categorical_features='from_dtype')"}, .data = "mixed", .tolerance = 1e-12}),
      reads<HistGradientBoostingRegressor>(
          "sklearn.ensemble.HistGradientBoostingRegressor",
          {.cases = {"(max_iter=20)", "(max_iter=20, loss='absolute_error')", "(max_iter=20, loss='quantile', quantile=.3)"},
           .data = everything}),
      reads<HistGradientBoostingRegressor>("sklearn.ensemble.HistGradientBoostingRegressor",
                                           {.cases = {"(max_iter=20, categorical_features=[0])"}, .data = "ratings missing counts"}),
      reads<HistGradientBoostingRegressor>(
          "sklearn.ensemble.HistGradientBoostingRegressor",
          {.cases = {"(max_iter=20, loss='poisson')", "(max_iter=20, loss='gamma')"}, .targets = "positive", .tolerance = 1e-12}),
      reads<HistGradientBoostingRegressor>("sklearn.ensemble.HistGradientBoostingRegressor", {.cases = {"(max_iter=20)"}, .data = "mixed"}),
  };
}

}  // namespace onward
