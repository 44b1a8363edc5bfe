// Multi-layer perceptrons: layers of x·W + b, each through an activation, the last through the output's own.
#include "onward/estimators/fields.h"

namespace onward {
namespace {

enum class Activation { identity, logistic, tanh, relu, softmax, exp };

struct Layers {
  std::vector<Numbers> weights, offsets;
  Activation hidden = Activation::relu, last = Activation::identity;

  void learned(Fields& f) {
    const std::initializer_list<std::pair<std::string_view, Activation>> known = {
        {"relu", Activation::relu}, {"tanh", Activation::tanh}, {"logistic", Activation::logistic}, {"identity", Activation::identity}};
    f.choice("activation", hidden, known);
    f.choice("out_activation_", last,
             {{"identity", Activation::identity},
              {"logistic", Activation::logistic},
              {"softmax", Activation::softmax},
              {"exp", Activation::exp}});
    f("coefs_", weights, {"layers"});
    f("intercepts_", offsets, {"layers"});
    if (!f.ok()) return;
    if (weights.empty()) return f.bad("coefs_", "is empty");
    int64_t width = f.facts().n_features_in;
    for (size_t i = 0; i < weights.size(); ++i) {
      const Dims &w = weights[i].shape(), &b = offsets[i].shape();
      if (w.size() != 2 || w[0] != width || b.size() != 1 || b[0] != w[1])
        return f.bad(text("coefs_[", i, "]"),
                     text("has shape ", shown(w), " and intercepts_ ", shown(b), "; expected [", width, ", n] and [n]"));
      width = w[1];
    }
  }
  int64_t outputs() const { return offsets.back().size(); }
  Expr forward(Expr x) const {
    for (size_t i = 0; i < weights.size(); ++i) x = activated(matmul(x, weights[i]) + offsets[i], i + 1 < weights.size() ? hidden : last);
    return x;
  }

 private:
  static Expr activated(Expr x, Activation a) {
    switch (a) {
      case Activation::identity:
        return x;
      case Activation::logistic:
        return sigmoid(x);
      case Activation::tanh:
        return unary("Tanh", x);
      case Activation::relu:
        return maximum(x, 0.0);
      case Activation::softmax:
        return softmax(x);
      case Activation::exp:
        return exp(x);
    }
    return x;
  }
};

}  // namespace

struct MLPClassifier : Layers {
  Tensor classes;
  bool multilabel = false;

  void learned(Fields& f) {
    Layers::learned(f);
    f("classes_", classes, {"classes"});
    if (const auto binarizer = f.get("_label_binarizer"))
      if (const auto kind = binarizer->find("y_type_")) multilabel = kind->str().starts_with("multilabel");
    if (!f.ok()) return;
    const int64_t wanted = classes.size() == 2 && !multilabel ? 1 : classes.size();
    if (outputs() != wanted) f.bad("coefs_", text("end in ", outputs(), " outputs for ", classes.size(), " classes"));
  }
  Outputs operator()(Expr x) const {
    const Expr p = forward(x);
    if (multilabel) return {.role = Outputs::Role::classifier, .predict = cast(p > 0.5, DataType::i64), .predict_proba = p};
    if (p.columns() > 1) return classifier(classes, {.predict_proba = p});
    // Of a single class the library says that class whatever p is, and still two probabilities.
    const Expr above = cast(reshaped(p, {rows}) > 0.5, DataType::i64);
    return classifier(classes, classes.size() == 1 ? above * Array<int64_t>{0} : above, {.predict_proba = concat({1.0 - p, p})});
  }
};

struct MLPRegressor : Layers {
  void learned(Fields& f) { Layers::learned(f); }
  Outputs operator()(Expr x) const {
    const Expr y = forward(x);
    return regressor(y.columns() == 1 ? reshaped(y, {rows}) : y);
  }
};

Definitions neural_network_estimators() {
  return {
      reads<MLPClassifier>("sklearn.neural_network.MLPClassifier",
                           {.cases = {"((20, 10), max_iter=50, random_state=0)", "((8,), activation='tanh', max_iter=50, random_state=0)",
                                      "((8,), activation='logistic', max_iter=50, random_state=0)",
                                      "((8,), activation='identity', max_iter=50, random_state=0)"},
                            .tolerance = 1e-12}),
      reads<MLPClassifier>(
          "sklearn.neural_network.MLPClassifier",
          {.cases = {"((8,), max_iter=50, random_state=0)"}, .data = "clean ratings", .targets = "multilabel", .tolerance = 1e-12}),
      reads<MLPRegressor>("sklearn.neural_network.MLPRegressor",
                          {.cases = {"((20, 10), max_iter=50, random_state=0)", "((8,), activation='tanh', max_iter=50, random_state=0)"},
                           .tolerance = 1e-12}),
      reads<MLPRegressor>("sklearn.neural_network.MLPRegressor",
                          {.cases = {"((8,), max_iter=50, random_state=0)"}, .data = "clean", .targets = "several", .tolerance = 1e-12}),
  };
}

}  // namespace onward
