// A CatBoost model out of a .cbm, whose FlatBuffer the file reader has made plain values of.
#include <bit>
#include <map>

#include "onward/estimators/catboost_model.h"
#include "onward/estimators/catboost_values.h"

namespace onward::catboost {
namespace {

using plain::Kind;
using plain::Value;

enum class Nan : int64_t { as_is, as_false, as_true };

class Binary {
 public:
  Binary(const Value& file, std::shared_ptr<const void> owner) : file_(file), owner_(std::move(owner)) {}

  Model read() {
    const auto core = file_.find("core");
    const auto trees = core ? core->find("trees") : std::nullopt;
    if (!trees) fail(Code::bad_file, "the model holds no trees");
    if (const auto info = file_.find("model_info")) model_.info = *info;
    read_features(*trees);
    for (const Value& table : list(file_, "ctr_tables")) read_table(table);
    for (const Value& c : list(*trees, "ctrs")) read_ctr(c);
    read_trees(*trees);
    check(model_);
    return std::move(model_);
  }

 private:
  template <class T>
  std::vector<T> items(const Value& in, std::string_view name) const {
    using Wide = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;
    const auto v = in.find(name);
    if (!v || !v->is(Kind::array)) return {};
    const Array<Wide> all = as_array<Wide>(*v->array, owner_);
    std::vector<T> out;
    out.reserve(size_t(all.size()));
    for (Wide x : all) out.push_back(T(x));
    return out;
  }

  void read_features(const Value& trees) {
    for (const char* kind : {"texts", "embeddings"})
      if (!list(trees, kind).empty()) refuse_features(kind[0] == 't' ? "text" : "embedding");
    for (const Value& f : list(trees, "floats")) {
      float_places_.emplace(integer(f, "index", -1), int64_t(model_.floats.size()));
      const auto nan = Nan(integer(f, "nan_value_treatment", 0));
      model_.floats.push_back({integer(f, "flat_index", -1), word(f, "name"), nan == Nan::as_true, items<float>(f, "borders")});
    }
    for (const Value& c : list(trees, "categories")) {
      category_places_.emplace(integer(c, "index", -1), int64_t(model_.categories.size()));
      model_.categories.push_back({integer(c, "flat_index", -1), word(c, "name")});
    }
    for (const Value& o : list(trees, "one_hots"))
      model_.one_hots.push_back({place(category_places_, integer(o, "index", -1)), items<int32_t>(o, "values")});
  }

  // Features are called by their index among those of their kind.
  static int64_t place(const std::map<int64_t, int64_t>& places, int64_t index) {
    const auto found = places.find(index);
    if (found == places.end()) fail(Code::bad_file, "feature ", index, " does not exist");
    return found->second;
  }

  struct Base {
    Combination by;
    int64_t type = 0, classifier = 0;
    auto operator<=>(const Base&) const = default;
  };
  Base base_of(const Value& v) const {
    Base base;
    base.type = integer(v, "type", 0), base.classifier = integer(v, "classifier", 0);
    if (base.type < 0 || base.type > int64_t(CtrType::feature_freq))
      fail(Code::unsupported_estimator, "CTR type ", base.type, " is not known");
    const auto by = v.find("combination");
    if (!by) return base;
    for (int64_t c : items<int64_t>(*by, "categories")) base.by.categories.push_back(place(category_places_, c));
    const auto floats = items<int64_t>(*by, "float_splits"), one_hots = items<int64_t>(*by, "one_hot_splits");
    for (size_t i = 0; i + 1 < floats.size(); i += 2)
      base.by.floats.push_back({place(float_places_, floats[i]), std::bit_cast<float>(int32_t(floats[i + 1]))});
    for (size_t i = 0; i + 1 < one_hots.size(); i += 2)
      base.by.one_hots.push_back({place(category_places_, one_hots[i]), int32_t(one_hots[i + 1])});
    return base;
  }

  std::string_view raw(const Value& in, std::string_view name) const {
    const auto v = in.find(name);
    return v && v->is(Kind::array) ? v->array->bytes : std::string_view();
  }
  template <class T>
  static T at(std::string_view bytes, size_t i) {  // the bytes need not be aligned
    T value;
    std::memcpy(&value, bytes.data() + i, sizeof value);
    return value;
  }

  void read_table(const Value& v) {
    constexpr size_t bucket = 12, mean = 8;
    constexpr uint64_t unused = UINT64_MAX;
    const auto stated = v.find("base");
    if (!stated) fail(Code::bad_file, "a CTR's table does not say what it counts");
    const Base base = base_of(*stated);
    const auto type = CtrType(base.type);
    const bool means = type == CtrType::binarized_target_mean || type == CtrType::float_target_mean;
    const bool histogram = type == CtrType::borders || type == CtrType::buckets;
    const std::string_view index = raw(v, "index"), blob = raw(v, "blob");
    CtrTable table;
    table.classes = histogram ? integer(v, "classes", 0) : 1;
    table.denominator = int32_t(integer(v, "denominator", 0));
    if (table.classes < 1 || table.classes > int64_t(blob.size())) fail(Code::bad_file, "a CTR's table counts ", table.classes, " classes");
    const size_t row = means ? mean : 4 * size_t(table.classes), known = blob.size() / row;
    for (size_t i = 0; i + bucket <= index.size(); i += bucket) {
      const auto key = at<uint64_t>(index, i);
      if (key == unused) continue;
      const size_t number = at<uint32_t>(index, i + 8);
      if (number >= known || table.keys.size() >= known) fail(Code::bad_file, "a CTR's table asks for row ", number, " of ", known);
      table.keys.push_back(key);
      if (means) table.sums.push_back(at<float>(blob, number * row)), table.counts.push_back(at<int32_t>(blob, number * row + 4));
      else
        for (size_t k = 0; k < size_t(table.classes); ++k) table.counts.push_back(at<int32_t>(blob, number * row + 4 * k));
    }
    tables_.emplace(base, int64_t(model_.tables.size()));
    model_.tables.push_back(std::move(table));
  }

  void read_ctr(const Value& v) {
    const auto ctr = v.find("ctr");
    const auto stated = ctr ? ctr->find("base") : std::nullopt;
    if (!stated) fail(Code::bad_file, "a CTR does not say what it counts");
    const Base base = base_of(*stated);
    const auto table = tables_.find(base);
    if (table == tables_.end()) fail(Code::bad_file, "the file holds no table for a CTR of its trees");
    model_.ctrs.push_back({base.by, CtrType(base.type), table->second, integer(*ctr, "target_border_idx", 0),
                           float(number(*ctr, "prior_numerator", 0)), float(number(*ctr, "prior_denominator", 1)),
                           float(number(*ctr, "shift", 0)), float(number(*ctr, "scale", 1)), items<float>(v, "borders")});
  }

  void read_trees(const Value& v) {
    const int64_t dimension = integer(v, "dimension", 0);
    if (dimension < 1 || dimension > 100'000) fail(Code::bad_file, "the model has ", dimension, " outputs");
    model_.trees->targets = dimension;
    model_.trees->features = int64_t(model_.floats.size() + model_.one_hots.size() + model_.ctrs.size());
    model_.scale = number(v, "scale", 1);
    model_.bias = items<double>(v, "biases");
    if (const double bias = number(v, "bias", 0); model_.bias.empty()) {
      if (bias != 0 && dimension > 1) fail(Code::bad_file, "the model has one bias for ", dimension, " outputs");
      model_.bias.assign(size_t(dimension), bias);
    }
    splits_ = items<int64_t>(v, "splits"), sizes_ = items<int64_t>(v, "sizes");
    leaf_ids_ = items<int64_t>(v, "leaf_ids"), steps_ = items<int64_t>(v, "steps");
    leaves_ = items<double>(v, "leaf_values");
    leaf_ids_.empty() && steps_.empty() ? read_symmetric() : read_branching();
  }

  void read_symmetric() {
    const Splits known(model_);
    const int64_t width = model_.trees->targets;
    size_t split = 0, leaf = 0;
    for (int64_t depth : sizes_) {
      if (depth < 0 || depth > 30 || size_t(depth) > splits_.size() - split)
        fail(Code::bad_file, "a tree of ", depth, " levels where ", splits_.size() - split, " splits are left");
      const size_t n = (size_t{1} << depth) * size_t(width);
      if (n > leaves_.size() - leaf) fail(Code::bad_file, "a tree of ", n, " leaf values where ", leaves_.size() - leaf, " are left");
      model_.trees->trees.push_back(
          symmetric_tree(known, std::span(splits_).subspan(split, size_t(depth)),
                         Numbers({int64_t{1} << depth, width}, std::span<const double>(leaves_).subspan(leaf, n))));
      model_.first_leaves.push_back((int64_t{1} << depth) - 1);
      split += size_t(depth), leaf += n;
    }
  }

  // A node's steps lead to its children, which follow it; a step of 0 ends there, at the node's own leaf.
  void read_branching() {
    const Splits known(model_);
    const size_t all = leaf_ids_.size();
    if (steps_.size() != 2 * all || splits_.size() != all)
      fail(Code::bad_file, "the trees have ", splits_.size(), " splits, ", steps_.size() / 2, " steps and ", all, " leaves");
    size_t start = 0;
    for (int64_t size : sizes_) {
      if (size < 1 || size_t(size) > all - start) fail(Code::bad_file, "a tree of ", size, " nodes where ", all - start, " are left");
      model_.trees->trees.push_back(branching_tree(known, start, size_t(size)));
      start += size_t(size);
    }
  }
  Tree branching_tree(const Splits& known, size_t start, size_t size) const {
    Tree tree;
    tree.nodes.resize(size);
    std::vector<size_t> leaf_of(size);  // by node: where its leaf's values begin
    const auto end_here = [&](size_t node) {
      tree.nodes.emplace_back();
      leaf_of.push_back(size_t(leaf_ids_[start + node]));
      return int32_t(tree.nodes.size() - 1);
    };
    for (size_t i = 0; i < size; ++i) {
      const auto left = size_t(steps_[2 * (start + i)]), right = size_t(steps_[2 * (start + i) + 1]);
      leaf_of[i] = size_t(leaf_ids_[start + i]);
      if (left == 0 && right == 0) continue;
      if (left >= size - i || right >= size - i)
        fail(Code::bad_file, "a tree of ", size, " nodes steps from node ", i, " to ", i + std::max(left, right));
      TreeNode node = known.node(splits_[start + i]);
      node.yes = left ? int32_t(i + left) : end_here(i);
      node.no = right ? int32_t(i + right) : end_here(i);
      tree.nodes[i] = node;
    }
    const auto width = size_t(model_.trees->targets);
    // Every leaf has values of its own, so few values cannot become many.
    leaves_used_ += (tree.nodes.size() - size / 2) / 2 * width;
    if (leaves_used_ > leaves_.size()) fail(Code::bad_file, "the trees have more leaves than the ", leaves_.size(), " leaf values fill");
    const auto value = [&](size_t node, size_t k) {
      if (!tree.nodes[node].is_leaf()) return 0.0;
      if (leaf_of[node] >= leaves_.size() || leaves_.size() - leaf_of[node] < width)
        fail(Code::bad_file, "leaf value ", leaf_of[node], " of ", leaves_.size());
      return leaves_[leaf_of[node] + k];
    };
    if (width > 1)
      tree.values =
          Numbers::of({int64_t(tree.nodes.size()), int64_t(width)}, [&](int64_t i) { return value(size_t(i) / width, size_t(i) % width); });
    else
      for (size_t i = 0; i < tree.nodes.size(); ++i)
        if (tree.nodes[i].is_leaf()) tree.nodes[i].split = value(i, 0);
    return tree;
  }

  const Value& file_;
  std::shared_ptr<const void> owner_;
  Model model_;
  std::map<int64_t, int64_t> float_places_, category_places_;
  std::map<Base, int64_t> tables_;
  std::vector<int64_t> splits_, sizes_, leaf_ids_, steps_;
  std::vector<double> leaves_;
  mutable size_t leaves_used_ = 0;
};

}  // namespace

Model read_binary(const Value& file, const std::shared_ptr<const void>& owner) { return Binary(file, owner).read(); }

}  // namespace onward::catboost
