#include "onward/estimators/importances.h"

#include <algorithm>
#include <cmath>

#include "onward/estimators/dense_algebra.h"

namespace onward {
namespace {

constexpr int64_t most_shares = int64_t{1} << 33;  // of a feature in a tree

std::string class_of(const plain::Value& v) {
  return v.is(plain::Kind::object) && v.object->callee.is(plain::Kind::global) ? std::string(v.object->callee.global->name) : "?";
}

// A tree's share of each feature: what the splits on it took from the impurity.
std::vector<double> of_tree(const plain::Value& tree, bool normalised, int64_t features) {
  const auto nodes = tree.find("nodes");
  if (!nodes || !nodes->is(plain::Kind::array)) fail(Code::bad_file, "holds a tree without nodes");
  const plain::NdArray& records = *nodes->array;
  const auto left = record_field<int32_t>(records, "left_child"), right = record_field<int32_t>(records, "right_child"),
             feature = record_field<int32_t>(records, "feature");
  const auto weight = record_field<double>(records, "weighted_n_node_samples"), impurity = record_field<double>(records, "impurity");
  std::vector<double> share(size_t(features), 0.0);
  for (int64_t i = 0; i < left.size(); ++i) {
    if (left[i] < 0) continue;
    if (feature[i] < 0 || feature[i] >= features) fail(Code::bad_file, "holds a tree that splits on feature ", feature[i], " of ", features);
    share[size_t(feature[i])] += weight[i] * impurity[i] - weight[left[i]] * impurity[left[i]] - weight[right[i]] * impurity[right[i]];
  }
  for (double& s : share) s /= weight[0];
  const double total = normalised ? sum_in_pairs(share) : 0;
  if (total > 0)
    for (double& s : share) s /= total;
  return share;
}

void each_tree(const plain::Value& list, const std::function<void(const plain::Value&)>& use, int depth = 0) {
  const auto own = list.find("tree_");
  if (own) return use(*own);
  const std::span<const plain::Value> items =
      list.is(plain::Kind::array) && list.array->type->kind == 'O' ? list.array->objects : list.is(plain::Kind::list) ? list.items() : std::span<const plain::Value>();
  if (depth > 2) return;
  for (const plain::Value& item : items) each_tree(item, use, depth + 1);
}

Numbers of_trees(const plain::Value& estimator, int64_t features) {
  if (const auto tree = estimator.find("tree_")) return Numbers({features}, of_tree(*tree, true, features));
  const bool boosted = class_of(estimator).starts_with("GradientBoosting");
  std::vector<double> mean(size_t(features), 0.0);
  int64_t count = 0;
  each_tree(*estimator.find("estimators_"), [&](const plain::Value& tree) {
    const auto nodes = tree.find("nodes");
    if (nodes && nodes->is(plain::Kind::array) && nodes->array->size() <= 1) return;
    if (features > most_shares / (count + 1)) fail(Code::limit_size, "importances of ", features, " features in more than ", count, " trees");
    const std::vector<double> share = of_tree(tree, !boosted, features);
    for (size_t i = 0; i < mean.size(); ++i) mean[i] += share[i];
    ++count;
  });
  if (count == 0) return Numbers({features}, mean);
  for (double& m : mean) m /= double(count);
  const double total = sum_in_pairs(mean);
  for (double& m : mean) m /= total;
  return Numbers({features}, mean);
}

// AdaBoost: its trees' shares, each by its weight, added one after the other.
Numbers of_weighted_trees(Fields& f, const plain::Value& estimator, int64_t features) {
  Numbers weights;
  f.assign("estimator_weights_", *estimator.find("estimator_weights_"), weights, {});
  std::vector<double> sum(size_t(features), 0.0);
  int64_t at = 0;
  each_tree(*estimator.find("estimators_"), [&](const plain::Value& tree) {
    if (features > most_shares / (at + 1)) fail(Code::limit_size, "importances of ", features, " features in more than ", at, " trees");
    const std::vector<double> share = of_tree(tree, true, features);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += weights[at] * share[i];
    ++at;
  });
  if (at == 0) f.refuse("estimator_", "is an AdaBoost of other models than trees", "convertible: AdaBoost of trees");
  const double norm = sum_in_pairs({weights.begin(), size_t(weights.size())});
  for (double& s : sum) s /= norm;
  return Numbers({features}, sum);
}

// A linear support vector machine's coefficients, a row for each pair of classes.
Numbers of_vectors(Fields& f, const plain::Value& machine) {
  Numbers dual, vectors;
  f.assign("dual_coef_", *machine.find("dual_coef_"), dual, {"pairs", "vectors"});
  f.assign("support_vectors_", *machine.find("support_vectors_"), vectors, {"vectors", "width"});
  Array<int64_t> counts;
  if (const auto n = machine.find("_n_support")) f.assign("_n_support", *n, counts, {});
  if (!f.ok()) return Numbers();
  const int64_t classes = dual.dim(0) + 1, width = vectors.dim(1);
  if (dual.dim(0) == 1) return product(dual, vectors);
  std::vector<int64_t> start{0};
  for (int64_t c : counts) start.push_back(start.back() + std::clamp<int64_t>(c, 0, vectors.dim(0)));
  if (counts.size() != classes || start.back() != vectors.dim(0)) return f.bad("_n_support", "does not count the support vectors"), Numbers();
  std::vector<double> rows;
  for (int64_t a = 0; a < classes; ++a)
    for (int64_t b = a + 1; b < classes; ++b)
      for (int64_t j = 0; j < width; ++j) {
        double sum = 0;
        for (int64_t v = start[size_t(a)]; v < start[size_t(a) + 1]; ++v) sum += dual(b - 1, v) * vectors(v, j);
        for (int64_t v = start[size_t(b)]; v < start[size_t(b) + 1]; ++v) sum += dual(a, v) * vectors(v, j);
        rows.push_back(sum);
      }
  return Numbers({classes * (classes - 1) / 2, width}, rows);
}

// "named_steps.classifier.coef_": one attribute after another.
std::optional<plain::Value> attribute(plain::Value at, std::string_view path) {
  while (!path.empty()) {
    const size_t dot = path.find('.');
    std::string_view part = path.substr(0, dot);
    path = dot == path.npos ? std::string_view() : path.substr(dot + 1);
    if (part == "named_steps") {
      const auto steps = at.find("steps");
      part = path.substr(0, path.find('.'));
      path.remove_prefix(std::min(path.size(), part.size() + 1));
      std::optional<plain::Value> found;
      for (const plain::Value& step : steps ? steps->items() : std::span<const plain::Value>())
        if (step.items().size() == 2 && step.items()[0].str() == part) found = step.items()[1];
      if (!found) return {};
      at = *found;
      continue;
    }
    const auto next = at.find(part);
    if (!next) return {};
    at = *next;
  }
  return at;
}

}  // namespace

Numbers importances_of(Fields& f, const plain::Value& estimator, const std::string& getter) {
  plain::Value owner = estimator;
  std::string_view last = getter;
  if (const size_t dot = getter.rfind('.'); dot != getter.npos) {
    const auto found = attribute(estimator, std::string_view(getter).substr(0, dot));
    if (!found) return f.refuse("importance_getter", text("is '", getter, "', which the model does not have"), "convertible: 'auto' and paths of attributes"), Numbers();
    owner = *found, last = std::string_view(getter).substr(dot + 1);
  }
  const bool automatic = getter == "auto";
  for (std::string_view name : {std::string_view("coef_"), std::string_view("feature_importances_")}) {
    if (!automatic && name != last) continue;
    if (const auto stored = owner.find(name)) {
      Numbers out;
      f.assign(text("estimator_.", name), *stored, out, {});
      return out;
    }
  }
  if (!automatic && last != "coef_" && last != "feature_importances_") {
    Numbers out;
    if (const auto stored = owner.find(last)) f.assign(text("estimator_.", last), *stored, out, {});
    else f.refuse("importance_getter", text("is '", getter, "', which the model does not have"), "convertible: 'auto' and paths of attributes");
    return out;
  }
  const auto features = owner.find("n_features_in_");
  const std::string name = class_of(owner);
  const bool trees = owner.find("tree_") || (owner.find("estimators_") && (name.find("Forest") != name.npos || name.find("Trees") != name.npos || name.starts_with("GradientBoosting")));
  if (trees && last != "coef_" && features && features->is(plain::Kind::integer) && features->integer > 0 && features->integer <= 1'000'000)
    return of_trees(owner, features->integer);
  if (name.starts_with("AdaBoost") && owner.find("estimators_") && owner.find("estimator_weights_") && features && features->is(plain::Kind::integer) &&
      features->integer > 0 && features->integer <= 1'000'000)
    return of_weighted_trees(f, owner, features->integer);
  if (const auto kernel = owner.find("kernel"); last != "feature_importances_" && kernel && kernel->str() == "linear" && owner.find("dual_coef_") && owner.find("support_vectors_"))
    return of_vectors(f, owner);
  f.refuse("estimator_", text("is a ", clipped(name), ", which computes its importances from what it holds"),
           "convertible: models that store coef_ or feature_importances_, linear support vector machines, trees, forests, AdaBoost and GradientBoosting");
  return Numbers();
}

double sum_in_pairs(std::span<const double> a) {
  const size_t n = a.size();
  if (n < 8) {
    double sum = 0;
    for (double x : a) sum += x;
    return sum;
  }
  if (n > 128) {
    const size_t half = n / 2 - n / 2 % 8;
    return sum_in_pairs(a.first(half)) + sum_in_pairs(a.subspan(half));
  }
  double r[8];
  std::copy_n(a.begin(), 8, r);
  size_t i = 8;
  for (; i + 8 <= n; i += 8)
    for (size_t k = 0; k < 8; ++k) r[k] += a[i + k];
  double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
  for (; i < n; ++i) sum += a[i];
  return sum;
}
double mean_of(std::span<const double> a) { return a.empty() ? __builtin_nan("") : sum_in_pairs(a) / double(a.size()); }
double median_of(std::span<const double> a) {
  if (a.empty()) return __builtin_nan("");
  std::vector<double> s(a.begin(), a.end());
  std::sort(s.begin(), s.end());
  const size_t half = s.size() / 2;
  return s.size() % 2 ? s[half] : (s[half - 1] + s[half]) / 2;
}

}  // namespace onward
