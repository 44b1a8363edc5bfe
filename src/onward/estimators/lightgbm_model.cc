#include "onward/estimators/lightgbm_model.h"

#include "onward/estimators/numpy_arrays.h"

namespace onward {
namespace {

using plain::Kind;
using Link = LightgbmObjective::Link;
using Task = LightgbmObjective::Task;

constexpr int64_t most_features = 1'000'000, most_outputs = 100'000;

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

// "binary sigmoid:1", "regression sqrt".
LightgbmObjective objective_of(const BoosterRecord& file) {
  LightgbmObjective o;
  const std::vector<std::string> words = file.has("objective") ? words_of(file.word("objective")) : std::vector<std::string>{"custom"};
  const std::string name = words.empty() ? "custom" : words[0];
  const auto given = [&](std::string_view key) -> std::string {
    for (const std::string& w : words)
      if (w.starts_with(key)) return w.substr(key.size());
    return {};
  };
  const auto one_of = [&](std::initializer_list<std::string_view> names) { return std::ranges::find(names, name) != names.end(); };
  if (const std::string s = given("sigmoid:"); !s.empty()) {
    const std::vector<double> number = numbers_of<double>(s);
    if (number.size() != 1) file.bad("objective", "has no number behind sigmoid");
    o.steepness = number[0];
  }
  if (one_of({"regression", "regression_l1", "huber", "fair", "quantile", "mape"}))
    o.link = std::ranges::find(words, "sqrt") != words.end() ? Link::square : Link::none;
  else if (one_of({"poisson", "gamma", "tweedie"})) o.link = Link::exponential;
  else if (name == "binary") o.link = Link::logistic, o.task = Task::two_classes;
  else if (name == "multiclass") o.link = Link::softmax, o.task = Task::many_classes;
  else if (name == "multiclassova") o.link = Link::logistic, o.task = Task::many_classes;
  else if (name == "cross_entropy") o.link = Link::logistic, o.steepness = 1;
  else if (name == "cross_entropy_lambda") o.link = Link::log1p_exp;
  else if (!one_of({"lambdarank", "rank_xendcg", "custom", "none"}))
    fail(Code::unsupported_estimator, "objective is '", clipped(name), "'; convertible: those of LightGBM 4.7");
  return o;
}

Tensor labels_of(const BoosterRecord& file, const plain::Value& list) {
  const std::span<const plain::Value> items = list.items();
  const auto all = [&](Kind kind) { return std::ranges::all_of(items, [&](const plain::Value& v) { return v.is(kind); }); };
  const Dims shape{int64_t(items.size())};
  if (all(Kind::text)) return Array<std::string>::of(shape, [&](int64_t i) { return checked_text(items[size_t(i)].str()); });
  if (all(Kind::integer)) return Array<int64_t>::of(shape, [&](int64_t i) { return items[size_t(i)].integer; });
  if (all(Kind::boolean)) return Array<bool>::of(shape, [&](int64_t i) { return items[size_t(i)].boolean; });
  return Numbers::of(shape, [&](int64_t i) {
    const plain::Value& v = items[size_t(i)];
    if (v.is(Kind::real)) return v.real;
    if (v.is(Kind::integer)) return double(v.integer);
    file.bad("pandas_categorical", "mixes ", plain::name(items[0].kind), " and ", plain::name(v.kind));
  });
}

// The file lists the categories of the columns that had such, but not which columns these were: those that trees take for categories.
ColumnCategories read_categories(const BoosterRecord& file, int64_t features) {
  ColumnCategories out;
  if (!file.has("pandas_categorical") || file.at("pandas_categorical").items().empty()) return out;
  const std::span<const plain::Value> lists = file.at("pandas_categorical").items();
  const std::vector<std::string> infos = words_of(file.word("feature_infos"));
  if (int64_t(infos.size()) != features) file.bad("feature_infos", "has ", infos.size(), " items for ", features, " columns");
  std::vector<size_t> columns;
  for (size_t i = 0; i < infos.size(); ++i)
    if (infos[i] != "none" && infos[i][0] != '[') columns.push_back(i);
  if (columns.size() != lists.size())
    throw Error(Code::unsupported_estimator,
                text("pandas_categorical lists the categories of ", lists.size(), " columns; the trees take ", columns.size(),
                     " columns for categories, so the file does not say which of them these are"),
                "fit with unordered categories of pandas alone, each with two values at least, or with their codes");
  out.resize(size_t(features));
  for (size_t k = 0; k < lists.size(); ++k) {
    if (!lists[k].is(Kind::list)) file.bad("pandas_categorical", "holds ", plain::name(lists[k].kind), "; expected lists");
    out[columns[k]].emplace().values = labels_of(file, lists[k]);
  }
  return out;
}

}  // namespace

LightgbmModel LightgbmModel::read(const plain::Value& state) {
  const BoosterRecord file(state, "");
  LightgbmModel m;
  m.facts = {.class_name = "Booster", .module = "lightgbm.basic", .library = "lightgbm", .version = file.word("version")};
  const int64_t last = file.integer("max_feature_idx");
  if (last < 0 || last >= most_features) file.bad("max_feature_idx", "is ", last);
  m.facts.n_features_in = last + 1;
  if (file.has("feature_names")) {
    m.facts.feature_names_in = real_names(words_of(file.word("feature_names")), "Column_");
    if (!m.facts.feature_names_in.empty() && int64_t(m.facts.feature_names_in.size()) != last + 1)
      file.bad("feature_names", "has ", m.facts.feature_names_in.size(), " items for ", last + 1, " columns");
  }
  m.objective = objective_of(file);
  m.outputs = file.integer("num_tree_per_iteration", file.integer("num_class", 1));
  if (m.outputs < 1 || m.outputs > most_outputs) file.bad("num_tree_per_iteration", "is ", m.outputs);
  m.averaged = file.has("average_output");
  for (const BoosterRecord& tree : file.records("trees"))
    m.trees.push_back(read_lightgbm_tree(tree, int64_t(m.trees.size()) % m.outputs, last + 1));
  if (int64_t(m.trees.size()) % m.outputs) file.bad("trees", "are ", m.trees.size(), " for ", m.outputs, " outputs");
  // The header says how long each tree's text is, so it knows how many there are.
  if (file.has("tree_sizes") && file.integers("tree_sizes").size() != m.trees.size())
    file.bad("tree_sizes", "has ", file.integers("tree_sizes").size(), " items for ", m.trees.size(), " trees");
  m.categories = read_categories(file, last + 1);
  return m;
}

void LightgbmModel::keep_rounds(int64_t rounds) {
  if (rounds > 0 && rounds < this->rounds()) trees.resize(size_t(rounds * outputs));
}

}  // namespace onward
