// Estimators made of estimators: a pipeline is one after the other, a column transformer and a union are side by side.
#include "onward/estimators/fields.h"
#include "onward/estimators/sampler.h"
#include "onward/estimators/side_by_side.h"

namespace onward {
namespace {

struct Step {
  enum class Does { fit, pass, drop } does = Does::fit;
  std::string name;
  Estimator estimator;
  double weight = 1;

  Outputs operator()(const Frame& x) const {
    if (does == Does::pass) return transformed(x);
    const GraphBuilder::Scope scope(x.graph(), name);
    try {
      Outputs out = estimator(x);
      if (weight != 1 && out.transform && out.transform->size() > 0) out.transform = out.transform->all_replaced(out.transform->numbers() * weight, Frame::Keeps::infinity);
      return out;
    } catch (Error& e) {
      throw_within(e, text("step '", name.substr(0, 80), "'"));
    }
  }
  Frame transform(const Frame& x) const {
    Outputs out = (*this)(x);
    if (!out.transform)
      fail(Code::unsupported_estimator, "step '", name.substr(0, 80), "' does not transform; only the last step may predict");
    return *out.transform;
  }
};

Step read_step(Fields& f, const std::string& name, const plain::Value& v) {
  Step step{.name = name};
  if (v.is(plain::Kind::none) || v.str() == "passthrough") step.does = Step::Does::pass;
  else if (v.str() == "drop") step.does = Step::Does::drop;
  else step.estimator = f.estimator(v, name);
  if (step.estimator.as<Sampler>()) step.does = Step::Does::pass;  // its part ended with fitting
  if (const auto weights = f.get("transformer_weights"))
    if (const auto w = weights->find(name)) f.assign("transformer_weights", *w, step.weight, {});
  return step;
}

// get_feature_names_out of parts that stand side by side.
struct VerboseNames {
  bool verbose = true;
  std::string format = "{transformer_name}__{feature_name}";

  void learned(Fields& f, std::string_view otherwise) {
    const auto v = f.get("verbose_feature_names_out");
    if (!v) verbose = otherwise == "verbose";
    else if (v->is(plain::Kind::text)) format = v->str();
    else if (v->is(plain::Kind::boolean)) verbose = v->boolean;
  }
  Frame operator()(const Frame& part, const std::string& step) const {
    if (!verbose) return part;
    std::vector<std::string> names;
    for (int64_t i = 0; i < part.size(); ++i) names.push_back(filled(step, part.name(i)));
    return part.renamed(names);
  }

 private:
  std::string filled(const std::string& step, const std::string& feature) const {
    std::string out = format;
    for (const auto& [slot, value] : {std::pair{"{transformer_name}", &step}, {"{feature_name}", &feature}})
      if (const size_t at = out.find(slot); at != std::string::npos) out.replace(at, std::string_view(slot).size(), *value);
    return out;
  }
};

}  // namespace

struct Pipeline {
  static constexpr bool takes_missing = true, takes_infinity = true;
  std::vector<Step> steps;

  void learned(Fields& f) {
    for (const auto& s : f.named("steps")) steps.push_back(read_step(f, s.name, s.value));
    if (!steps.empty() && steps.back().estimator.as<Sampler>())
      f.refuse("steps", text("end with '", steps.back().name, "', which resamples"), "a pipeline ends with an estimator or a transformer");
    for (const Step& s : steps)
      if (s.estimator && (s.does == Step::Does::fit || s.estimator.facts().n_features_in >= 0)) return f.same_input_as(s.estimator.facts());
  }
  Outputs operator()(Frame x) const {
    if (steps.empty()) return transformed(x);
    for (size_t i = 0; i + 1 < steps.size(); ++i) x = steps[i].transform(x);
    return steps.back()(x);
  }
  std::optional<Expr> inverse(Expr y) const {
    std::optional<Expr> before = y;
    for (size_t i = steps.size(); i-- > 0 && before;)
      if (steps[i].does == Step::Does::fit) before = steps[i].estimator.inverse(*before);
    return before;
  }
};

struct FeatureUnion {
  static constexpr bool takes_missing = true, takes_infinity = true;
  std::vector<Step> steps;
  VerboseNames names;

  void learned(Fields& f) {
    for (const auto& s : f.named("transformer_list")) steps.push_back(read_step(f, s.name, s.value));
    names.learned(f, "verbose");
    for (const Step& s : steps)
      if (s.estimator) return f.same_input_as(s.estimator.facts());
  }
  Outputs operator()(const Frame& x) const {
    Frame out;
    SideBySide each;
    for (const Step& s : steps)
      if (s.does != Step::Does::drop) each.attempt([&] { out.append(names(s.transform(x), s.name)); });
    each.refuse();
    return transformed(out);
  }
};

struct ColumnTransformer {
  static constexpr bool takes_missing = true, takes_infinity = true;
  struct Part {
    Step step;
    std::vector<int64_t> columns;
  };
  std::vector<Part> parts;
  VerboseNames names;
  bool sparse = false;

  void learned(Fields& f) {
    names.learned(f, f.version() >= 100 ? "verbose" : "plain");
    f.since("sparse_output_", sparse);
    // Names, masks, slices and selectors were resolved to numbers when the transformer was fitted.
    const auto resolved = f.get("_transformer_to_input_indices");
    for (const auto& s : f.named("transformers_")) {
      Part part{{.name = s.name}, {}};
      const auto columns = resolved ? resolved->find(s.name) : s.rest;
      if (!columns) continue;
      if (resolved) f.assign(text("columns of '", s.name, "'"), *columns, part.columns, {});
      else part.columns = resolve(f, s.name, *columns);
      for (int64_t c : part.columns)
        if (c < 0 || (f.facts().n_features_in >= 0 && c >= f.facts().n_features_in))
          return f.bad("transformers_", text("takes column ", c, " of ", f.facts().n_features_in));
      if (part.columns.empty()) continue;
      part.step = read_step(f, s.name, s.value);
      parts.push_back(std::move(part));
    }
  }
  Outputs operator()(const Frame& x) const {
    Frame out;
    SideBySide each;
    for (const Part& p : parts)
      if (p.step.does != Step::Does::drop) each.attempt([&] { out.append(names(p.step.transform(x.select(p.columns)), p.step.name)); });
    each.refuse();
    out.sparse = sparse;
    return transformed(out);
  }

 private:
  // Columns as the user wrote them: until 0.24 nothing else is kept.
  static std::vector<int64_t> resolve(Fields& f, const std::string& step, const plain::Value& v) {
    const std::vector<std::string>& known = f.facts().feature_names_in;
    std::vector<int64_t> out;
    const auto one = [&](const plain::Value& item) {
      const auto named = std::find(known.begin(), known.end(), item.str());
      if (item.is(plain::Kind::integer)) out.push_back(item.integer < 0 ? item.integer + f.facts().n_features_in : item.integer);
      else if (item.is(plain::Kind::text) && named != known.end()) out.push_back(named - known.begin());
      else f.bad("transformers_", text("takes column ", f.said(item), " for '", step, "', which the fitted table does not have"));
    };
    if (v.is(plain::Kind::integer) || v.is(plain::Kind::text)) return one(v), out;
    if (v.is(plain::Kind::object))
      return f.refuse("transformers_", text("takes ", f.said(v), " as the columns of '", step, "'"),
                      "convertible: names and numbers; fit with a newer release"),
             out;
    const std::span<const plain::Value> items = f.items_of("transformers_", v);
    const bool mask = !items.empty() && items[0].is(plain::Kind::boolean);
    for (size_t i = 0; i < items.size(); ++i) {
      if (!mask) one(items[i]);
      else if (items[i].boolean) out.push_back(int64_t(i));
    }
    return out;
  }
};

// A search is the best of what it tried.
struct Search {
  static constexpr bool takes_missing = true, takes_infinity = true;
  Estimator best;

  void learned(Fields& f) {
    if (!f.get("best_estimator_")) return f.refuse("refit", "is False, so the search kept no fitted estimator", "search with refit=True");
    f("best_estimator_", best);
    f.same_input_as(best.facts());
  }
  Outputs operator()(const Frame& x) const { return best(x); }
};

Definitions compose_estimators() {
  return {
      reads<Pipeline>("sklearn.pipeline.Pipeline",
                      {.cases = {"([('a', StandardScaler()), ('b', 'passthrough'), ('c', Ridge())])", "([('a', StandardScaler())])"},
                       .tolerance = 1e-12}),
      reads<Pipeline>("sklearn.pipeline.Pipeline",
                      {.cases = {"([('t', TfidfVectorizer()), ('m', LogisticRegression())])",
                                 "([('t', CountVectorizer(ngram_range=(1, 2))), ('w', TfidfTransformer()), ('m', LinearSVC(random_state=0))])",
                                 "([('t', CountVectorizer()), ('m', MultinomialNB())])",
                                 "([('t', HashingVectorizer(n_features=256)), ('m', LogisticRegression())])"},
                       .data = "documents",
                       .tolerance = 1e-12}),
      extends<Pipeline>("imblearn.pipeline.Pipeline"),
      extends<Pipeline>("feature_engine.pipeline.Pipeline"),
      reads<FeatureUnion>("sklearn.pipeline.FeatureUnion",
                          {.cases = {"([('a', StandardScaler()), ('b', 'passthrough'), ('c', 'drop')], transformer_weights={'a': 3.0})"}}),
      reads<ColumnTransformer>("sklearn.compose.ColumnTransformer",
                               {.cases = {"([('a', StandardScaler(), [0, 2]), ('b', 'drop', [1])], remainder='passthrough')",
                                          "([('a', 'passthrough', slice(1, 3))], remainder=MaxAbsScaler())",
                                          "([('a', 'passthrough', [True, False, True, False, False])])"}}),
      reads<Search>("sklearn.model_selection.GridSearchCV", {.cases = {"(Ridge(), {'alpha': [1, 2]})"}, .tolerance = 1e-12}),
      reads<Search>("sklearn.model_selection.RandomizedSearchCV",
                    {.cases = {"(DecisionTreeClassifier(random_state=0), {'max_depth': [1, 2, 3, 4]}, n_iter=2, random_state=0)"}}),
      reads<Search>("sklearn.model_selection.HalvingGridSearchCV",
                    {.cases = {"(DecisionTreeClassifier(random_state=0), {'max_depth': [1, 2, 3, 4]}, random_state=0)"}}),
      reads<Search>("sklearn.model_selection.HalvingRandomSearchCV",
                    {.cases = {"(DecisionTreeClassifier(random_state=0), {'max_depth': [1, 2, 3, 4]}, random_state=0)"}}),
  };
}

}  // namespace onward
