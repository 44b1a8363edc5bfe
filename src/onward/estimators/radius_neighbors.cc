// Neighbours within a radius: every row of the training data has a weight, 0 beyond the radius; a vote or a mean of what is within.
#include "onward/estimators/distance.h"

namespace onward {
namespace {

struct WithinRadius {
  bool by_distance = false, without_tree = false;
  Distance distance;
  Numbers fitted;
  double radius = 1;

  void learned(Fields& f) {
    f("_fit_X", fitted, {"samples", "features"});
    f("radius", radius);
    f.choice("weights", by_distance, {{"uniform", false}, {"None", false}, {"distance", true}});
    distance.learned(f, "effective_metric_", "effective_metric_params_", fitted);
    std::string method;
    f("_fit_method", method);
    without_tree = method == "brute";
  }
  bool takes_missing(const Frame&) const { return distance.takes_missing(); }

  Expr weights(Expr x) const {  // (batch, samples)
    const Expr d = distance.comparable_in_order(x, fitted), within = d <= distance.to_comparable(radius);
    if (!by_distance) return cast(within, DataType::f64);
    const Expr far = distance.from_comparable(d), here = cast(equal(far, 0.0), DataType::f64);
    return where(sum(here) > 0.0, here, where(within, 1.0 / far, 0.0));
  }
};

struct RadiusNeighborsClassifier : WithinRadius {
  std::vector<Tensor> classes;  // one for each target
  Array<int64_t> label;         // (samples, targets)
  bool several = false;
  std::vector<Tensor> outlier;  // the label of a row without neighbours, one for each target; none: the library raises
  std::vector<int64_t> outlier_class;  // its place among the classes; -1: it has none, and all probabilities are 0

  void learned(Fields& f) {
    WithinRadius::learned(f);
    f.since("outputs_2d_", several);
    if (several) f("classes_", classes, {"targets"});
    else f("classes_", classes.emplace_back());
    f("_y", label);
    if (!label || !fitted || !f.ok()) return;
    if (label.shape().size() == 1) label = label.reshaped({label.size(), 1});
    f.check("_y", label.shape(), {"samples", "targets"});
    if (!f.ok()) return;
    for (int64_t i = 0; i < label.size(); ++i)
      if (label[i] < 0 || label[i] >= classes[size_t(i % label.dim(1))].size())
        return f.bad("_y", text("holds class ", label[i], " of ", classes[size_t(i % label.dim(1))].size()));
    read_outliers(f);
  }
  Outputs operator()(Expr x) const {
    const Expr weight = weights(x);
    Outputs out{.role = Outputs::Role::classifier, .classes = classes};
    std::vector<Expr> labels;
    for (size_t t = 0; t < classes.size(); ++t) {
      const Expr p = probabilities(weight, t);
      Expr chosen = pick(classes[t], argmax(p));
      if (!outlier.empty() && outlier_class[t] < 0) chosen = pick(Operand(with_outlier(t)), where(reshaped(max(p), {rows}) > 0.0, argmax(p), double(classes[t].size())));
      out.probabilities_each.push_back(p);
      labels.push_back(chosen);
    }
    if (several) {
      for (Expr& l : labels) l = reshaped(l, {rows, 1});
      out.predict = concat(labels);
      return out;
    }
    out.predict = labels[0], out.predict_proba = out.probabilities_each[0];
    out.probabilities_each.clear();
    return out;
  }

 private:
  // The classes and, behind them, the label of a row without neighbours: ONNX Runtime does not choose between bools.
  Tensor with_outlier(size_t target) const {
    Tensor all;
    for_type<i64 | f64 | b8 | str>(classes[target].type(), [&]<class T>() {
      const auto known = classes[target].values<T>(), other = outlier[target].values<T>();
      const auto n = int64_t(known.size());
      all = Array<T>::of({n + 1}, [&](int64_t i) { return i < n ? known[size_t(i)] : other[0]; });
    });
    return all;
  }
  Expr probabilities(Expr weight, size_t target) const {
    const int64_t n = classes[target].size();
    const Numbers votes = Numbers::of({label.dim(0), n}, [&](int64_t i) { return label(i / n, int64_t(target)) == i % n ? 1.0 : 0.0; });
    const Expr total = matmul(weight, votes), all = sum(total);
    const Numbers alone = Numbers::of({n}, [&](int64_t c) { return !outlier.empty() && outlier_class[target] == c ? 1.0 : 0.0; });
    return where(equal(all, 0.0), alone, total / where(equal(all, 0.0), 1.0, all));
  }

  void read_outliers(Fields& f) {
    const auto v = f.get("outlier_label_");
    if (!v || v->is(plain::Kind::none)) return;
    const std::span<const plain::Value> items = f.items_of("outlier_label_", *v);
    if (items.size() != classes.size()) return f.bad("outlier_label_", text("has ", items.size(), " labels for ", classes.size(), " targets"));
    for (size_t t = 0; t < items.size(); ++t) {
      const bool known = for_type<i64 | f64 | b8 | str>(classes[t].type(), [&]<class T>() {
        T one{};
        if constexpr (std::is_same_v<T, std::string>) f.assign("outlier_label_", items[t], one, {});
        else if constexpr (std::is_same_v<T, double>) f.assign("outlier_label_", items[t], one, {});
        else if constexpr (std::is_same_v<T, bool>) f.assign("outlier_label_", items[t], one, {});
        else f.assign("outlier_label_", items[t], one, {});
        outlier.push_back(Array<T>::of({1}, [&](int64_t) { return one; }));
        const auto known_classes = classes[t].values<T>();
        const auto place = std::find(known_classes.begin(), known_classes.end(), one);
        outlier_class.push_back(place == known_classes.end() ? -1 : place - known_classes.begin());
      });
      if (!known) return f.bad("outlier_label_", "is of another type than the classes");
    }
    const bool array = f.facts().feature_names_in.empty() && f.version() >= 103;  // of a frame it takes the other way
    if (array && !several && !by_distance && without_tree && distance.in_compiled_loop()) compare_as_the_loop(f);
  }
  // Where the library counts in a compiled loop, it looks for the label itself among the numbers of the classes.
  void compare_as_the_loop(Fields& f) {
    const auto given = f.get("outlier_label");
    const bool number = given && given->is(plain::Kind::integer) && given->integer >= 0 && given->integer < classes[0].size();
    outlier_class[0] = number ? given->integer : -1;
  }
};

struct RadiusNeighborsRegressor : WithinRadius {
  Numbers target;  // (samples) or (samples, targets)

  void learned(Fields& f) {
    WithinRadius::learned(f);
    f("_y", target);
    if (target) f.check("_y", target.shape(), target.shape().size() == 1 ? DimNames{"samples"} : DimNames{"samples", "targets"});
  }
  Outputs operator()(Expr x) const {
    const Expr weight = weights(x);
    const bool several = target.shape().size() == 2;
    const Numbers y = several ? target : target.reshaped({target.size(), 1});
    const Expr mean = matmul(weight, y) / sum(weight);  // nothing within: 0 / 0, as there
    return regressor(several ? mean : reshaped(mean, {rows}));
  }
};

}  // namespace

Definitions radius_neighbors_estimators() {
  return {
      reads<RadiusNeighborsClassifier>(
          "sklearn.neighbors.RadiusNeighborsClassifier",
          {.cases = {"(1.2, outlier_label='most_frequent')", "(2, weights='distance', outlier_label='most_frequent')",
                     "(2, metric='manhattan', algorithm='brute', outlier_label='most_frequent')"},
           .data = "clean ratings",
           .tolerance = 1e-12}),
      reads<RadiusNeighborsClassifier>("sklearn.neighbors.RadiusNeighborsClassifier",
                                       {.cases = {"(1.2, outlier_label='maybe')"}, .data = "clean", .targets = "binary", .tolerance = 1e-12}),
      reads<RadiusNeighborsClassifier>(
          "sklearn.neighbors.RadiusNeighborsClassifier",
          {.cases = {"(1.5, outlier_label=15)"}, .data = "clean", .targets = "several", .tolerance = 1e-12}),
      reads<RadiusNeighborsRegressor>("sklearn.neighbors.RadiusNeighborsRegressor",
                                      {.cases = {"(1.5)", "(2, weights='distance', p=1)"}, .data = "clean ratings", .tolerance = 1e-12}),
      reads<RadiusNeighborsRegressor>("sklearn.neighbors.RadiusNeighborsRegressor",
                                      {.cases = {"(2)"}, .data = "clean", .targets = "several", .tolerance = 1e-12}),
  };
}

}  // namespace onward
