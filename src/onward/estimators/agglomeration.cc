// FeatureAgglomeration: columns that were grouped together become one, their mean or another summary.
#include "onward/estimators/fields.h"

namespace onward {

struct FeatureAgglomeration {
  enum class Pool { mean, sum, max, min, median } pool = Pool::mean;
  std::vector<std::vector<int64_t>> groups;  // the columns of each label, in order

  void learned(Fields& f) {
    Array<int64_t> labels;
    f("labels_", labels, {"features"});
    for (int64_t i = 0; i < labels.size(); ++i) {
      if (labels[i] < 0 || labels[i] >= labels.size()) return f.bad("labels_", text("holds ", labels[i], " of ", labels.size(), " columns"));
      groups.resize(std::max(groups.size(), size_t(labels[i]) + 1));
      groups[size_t(labels[i])].push_back(i);
    }
    for (const auto& group : groups)
      if (group.empty()) return f.bad("labels_", "leaves a label without columns");
    read_pool(f);
  }
  Outputs operator()(Expr x) const {
    std::vector<Expr> parts;
    for (const auto& group : groups) parts.push_back(pooled(columns(x, group), int64_t(group.size())));
    return components(concat(parts));
  }

 private:
  void read_pool(Fields& f) {
    const auto v = f.get("pooling_func");
    if (!v) return;
    constexpr std::pair<std::string_view, Pool> known[] = {{"mean", Pool::mean}, {"sum", Pool::sum}, {"max", Pool::max},      {"amax", Pool::max},
                                                           {"min", Pool::min},   {"amin", Pool::min}, {"median", Pool::median}};
    if (v->is(plain::Kind::global) && v->global->module.starts_with("numpy"))
      for (const auto& [name, value] : known)
        if (v->global->name == name) return void(pool = value);
    f.refuse("pooling_func", text("is ", f.said(*v)), "convertible: numpy's mean, sum, max, min and median");
  }
  Expr pooled(Expr x, int64_t n) const {
    switch (pool) {
      case Pool::mean:
        return sum(x) / double(n);
      case Pool::sum:
        return sum(x);
      case Pool::max:
        return max(x);
      case Pool::min:
        return min(x);
      default: {
        const Expr sorted = smallest(x, n).values;
        return n % 2 ? columns(sorted, {n / 2}) : (columns(sorted, {n / 2 - 1}) + columns(sorted, {n / 2})) / 2.0;
      }
    }
  }
};

Definitions agglomeration_estimators() {
  return {reads<FeatureAgglomeration>("sklearn.cluster.FeatureAgglomeration",
                                      {.cases = {"(2)", "(3, pooling_func=np.max)", "(2, pooling_func=np.median)", "(1, pooling_func=np.sum)"},
                                       .data = "clean ratings",
                                       .tolerance = 1e-12})};
}

}  // namespace onward
