// A CatBoost model out of its JSON export.
#include <charconv>
#include <map>
#include <set>

#include "onward/estimators/catboost_model.h"
#include "onward/estimators/catboost_values.h"

namespace onward::catboost {
namespace {

using plain::Kind;
using plain::Value;

constexpr std::string_view type_names[] = {"Borders", "Buckets",    "BinarizedTargetMeanValue", "FloatTargetMeanValue",
                                           "Counter", "FeatureFreq"};

int64_t index(const Value& v, std::string_view name) {
  const auto found = v.find(name);
  if (!found) fail(Code::bad_file, name, " is missing");
  return integer(*found, name);
}

uint64_t hash(const Value& v) {
  uint64_t key = 0;
  const std::string_view digits = v.str();
  if (v.is(Kind::integer)) return uint64_t(v.integer);
  if (digits.empty() || std::from_chars(digits.data(), digits.data() + digits.size(), key).ptr != digits.data() + digits.size())
    fail(Code::bad_file, "a CTR's hash_map holds the hash '", digits.substr(0, 40), "'");
  return key;
}

class Json {
 public:
  explicit Json(const Value& file) : file_(file) {}

  Model read() {
    const auto features = file_.find("features_info");
    if (!features) fail(Code::bad_file, "the model holds no features_info");
    if (const auto info = file_.find("model_info")) model_.info = *info;
    read_features(*features);
    if (const auto data = file_.find("ctr_data"))
      for (size_t i = 0; i + 1 < data->items().size(); i += 2) ctr_data_.emplace(data->items()[i].str(), data->items()[i + 1]);
    for (const Value& c : list(*features, "ctrs")) read_ctr(c);
    refuse_lost_tables();
    model_.trees->features = int64_t(model_.floats.size() + model_.one_hots.size() + model_.ctrs.size());
    read_scale();
    read_trees();
    check(model_);
    return std::move(model_);
  }

 private:
  void read_features(const Value& v) {
    for (const char* kind : {"text", "embedding"})
      if (!list(v, text(kind, "_features")).empty()) refuse_features(kind);
    for (const Value& f : list(v, "float_features")) {
      float_places_.emplace(index(f, "feature_index"), int64_t(model_.floats.size()));
      model_.floats.push_back(
          {index(f, "flat_feature_index"), name_of(f), word(f, "nan_value_treatment") == "AsTrue", numbers<float>(f, "borders")});
    }
    for (const Value& c : list(v, "categorical_features")) {
      const auto place = int64_t(model_.categories.size());
      category_places_.emplace(index(c, "feature_index"), place);
      model_.categories.push_back({index(c, "flat_feature_index"), name_of(c)});
      if (c.find("values")) model_.one_hots.push_back({place, numbers<int32_t>(c, "values")});
    }
    for (const Value& h : list(v, "cat_features_hash")) model_.known_words.emplace_back(word(h, "value"), uint32_t(index(h, "hash")));
  }
  static std::string name_of(const Value& v) {
    const std::string name = word(v, "feature_id");
    return name.empty() ? word(v, "feature_name") : name;
  }

  static int64_t place(const std::map<int64_t, int64_t>& places, int64_t index) {
    const auto found = places.find(index);
    if (found == places.end()) fail(Code::bad_file, "feature ", index, " does not exist");
    return found->second;
  }

  void read_ctr(const Value& v) {
    Ctr ctr;
    for (const Value& e : list(v, "elements")) {
      const std::string kind = word(e, "combination_element");
      if (kind == "cat_feature_value") ctr.by.categories.push_back(place(category_places_, index(e, "cat_feature_index")));
      else if (kind == "float_feature")
        ctr.by.floats.push_back({place(float_places_, index(e, "float_feature_index")), float(number(e, "border", 0))});
      else if (kind == "cat_feature_exact_value")
        ctr.by.one_hots.push_back({place(category_places_, index(e, "cat_feature_index")), int32_t(index(e, "value"))});
      else fail(Code::unsupported_estimator, "a CTR counts by '", kind, "', which is not known");
    }
    const std::string type = word(v, "ctr_type");
    const auto known = std::find(std::begin(type_names), std::end(type_names), type);
    if (known == std::end(type_names)) fail(Code::unsupported_estimator, "CTR type '", type, "' is not known");
    ctr.type = CtrType(known - std::begin(type_names));
    ctr.target_border = index(v, "target_border_idx");
    ctr.prior = float(number(v, "prior_numerator", 0)), ctr.prior_weight = float(number(v, "prior_denomerator", 1));
    ctr.shift = float(number(v, "shift", 0)), ctr.scale = float(number(v, "scale", 1));
    ctr.borders = numbers<float>(v, "borders");
    ctr.table = table(word(v, "identifier"), ctr.type);
    model_.ctrs.push_back(std::move(ctr));
  }

  // hash_map: for each key its hash and as many numbers as hash_stride leaves.
  int64_t table(const std::string& identifier, CtrType type) {
    const auto [known, fresh] = tables_.try_emplace(identifier, int64_t(model_.tables.size()));
    if (!fresh) return known->second;
    const auto data = ctr_data_.find(identifier);
    if (data == ctr_data_.end()) fail(Code::bad_file, "ctr_data holds no table for a CTR of the trees");
    const bool means = type == CtrType::binarized_target_mean || type == CtrType::float_target_mean;
    const std::span<const Value> map = list(data->second, "hash_map");
    const int64_t stride = integer(data->second, "hash_stride", 0);
    if (stride < 2 || (means && stride != 3)) fail(Code::bad_file, "a CTR's hash_stride is ", stride);
    CtrTable made;
    made.classes = means ? 1 : stride - 1;
    made.denominator = int32_t(integer(data->second, "counter_denominator", 0));
    for (size_t i = 0; i + size_t(stride) <= map.size(); i += size_t(stride)) {
      const uint64_t key = hash(map[i]);
      if (key == UINT64_MAX) continue;  // an empty bucket
      made.keys.push_back(key);
      if (means)
        made.sums.push_back(float(number(map[i + 1], "hash_map"))), made.counts.push_back(int32_t(integer(map[i + 2], "hash_map")));
      else
        for (int64_t k = 1; k < stride; ++k) made.counts.push_back(int32_t(integer(map[i + size_t(k)], "hash_map")));
    }
    model_.tables.push_back(std::move(made));
    return known->second;
  }

  // The export names a CTR's table by what it counts by, not by which target it counts: of several targets one table is left, and
  // CatBoost itself answers otherwise once it has read the file back.
  void refuse_lost_tables() const {
    static constexpr std::string_view of_several_targets[] = {"MultiRMSE", "MultiRMSEWithMissingValues", "MultiLogloss",
                                                              "MultiCrossEntropy", "SurvivalAft"};
    const auto params = model_.info.find("params");
    const auto loss = params ? params->find("loss_function") : std::nullopt;
    bool several = loss && std::ranges::count(of_several_targets, word(*loss, "type")) > 0, counts_target = false;
    std::set<std::tuple<int64_t, int64_t, float, float>> seen;
    for (const Ctr& c : model_.ctrs) {
      if (c.type == CtrType::counter || c.type == CtrType::feature_freq) continue;
      counts_target = true;
      several |= !seen.emplace(c.table, c.target_border, c.prior, c.prior_weight).second;
    }
    if (several && counts_target)
      throw Error(Code::unsupported_estimator,
                  "the model's CTRs count several targets, and CatBoost's JSON export keeps the table of one alone",
                  "convert the .cbm instead: model.save_model(\"model.cbm\")");
  }

  void read_scale() {
    const std::span<const Value> both = list(file_, "scale_and_bias");
    if (both.empty()) return;
    model_.scale = number(both[0], "scale_and_bias");
    if (both.size() < 2) return;
    if (both[1].is(Kind::list))
      for (const Value& b : both[1].items()) model_.bias.push_back(number(b, "scale_and_bias"));
    else model_.bias.push_back(number(both[1], "scale_and_bias"));
  }

  void read_trees() {
    const Splits known(model_);
    int64_t& targets = model_.trees->targets = 0;
    for (const Value& t : list(file_, "oblivious_trees")) {
      std::vector<int64_t> splits;
      for (const Value& s : list(t, "splits")) splits.push_back(index(s, "split_index"));
      const std::vector<double> leaves = numbers<double>(t, "leaf_values");
      if (splits.size() > 30) fail(Code::limit_size, "a tree is ", splits.size(), " levels deep");
      const int64_t n = int64_t{1} << splits.size(), width = int64_t(leaves.size()) / n;
      if (width < 1 || width * n != int64_t(leaves.size()) || (targets && targets != width))
        fail(Code::bad_file, "a tree of ", splits.size(), " levels has ", leaves.size(), " leaf values");
      targets = width;
      model_.first_leaves.push_back(n - 1);
      model_.trees->trees.push_back(symmetric_tree(known, splits, Numbers({n, width}, std::span<const double>(leaves))));
    }
    for (const Value& t : list(file_, "trees")) {
      Tree tree;
      std::vector<double> values;
      branch(known, t, tree, values, 0);
      set_values(tree, std::move(values));
      model_.trees->trees.push_back(std::move(tree));
    }
    if (!targets) targets = std::max<int64_t>(int64_t(model_.bias.size()), 1);
    if (model_.bias.empty()) model_.bias.assign(size_t(targets), 0.0);
  }

  // The node that `v` is, and all below it; its number. `values` holds a row for every node.
  int32_t branch(const Splits& known, const Value& v, Tree& tree, std::vector<double>& values, int depth) {
    if (depth > 300) fail(Code::limit_size, "a tree is more than ", depth, " levels deep");
    const auto at = tree.nodes.size();
    tree.nodes.emplace_back();
    const auto split = v.find("split"), left = v.find("left"), right = v.find("right");
    if (!split) {
      leaf(v, values, at);
      return int32_t(at);
    }
    if (!left || !right) fail(Code::bad_file, "a tree's split has no left or no right");
    TreeNode node = known.node(index(*split, "split_index"));
    node.yes = branch(known, *left, tree, values, depth + 1);
    node.no = branch(known, *right, tree, values, depth + 1);
    tree.nodes[at] = node;
    return int32_t(at);
  }
  void leaf(const Value& v, std::vector<double>& values, size_t node) {
    const auto value = v.find("value");
    if (!value) fail(Code::bad_file, "a tree's leaf has no value");
    const std::span<const Value> several = value->items();
    const int64_t width = value->is(Kind::list) ? int64_t(several.size()) : 1;
    int64_t& targets = model_.trees->targets;
    if (width < 1 || (targets && targets != width)) fail(Code::bad_file, "a leaf has ", width, " values, another ", targets);
    targets = width;
    values.resize((node + 1) * size_t(width));
    for (size_t k = 0; k < size_t(width); ++k)
      values[node * size_t(width) + k] = value->is(Kind::list) ? number(several[k], "value") : number(*value, "value");
  }
  void set_values(Tree& tree, std::vector<double> values) const {
    const int64_t width = model_.trees->targets;
    values.resize(tree.nodes.size() * size_t(width));
    if (width > 1) tree.values = Numbers({int64_t(tree.nodes.size()), width}, std::span<const double>(values));
    else
      for (size_t i = 0; i < tree.nodes.size(); ++i)
        if (tree.nodes[i].is_leaf()) tree.nodes[i].split = values[i];
  }

  const Value& file_;
  Model model_;
  std::map<int64_t, int64_t> float_places_, category_places_;
  std::map<std::string_view, Value> ctr_data_;
  std::map<std::string, int64_t> tables_;
};

}  // namespace

Model read_json(const Value& file) { return Json(file).read(); }

}  // namespace onward::catboost
