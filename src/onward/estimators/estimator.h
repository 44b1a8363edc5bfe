// A fitted estimator is plain data with two functions: `learned` names the fields it was given by training, and the call operator
// says, as a formula, what it computes. Everything else (reading files, errors, reports, ONNX, tests) is derived.
#pragma once
#include <concepts>

#include "onward/estimators/frame.h"
#include "onward/estimators/plain.h"

namespace onward {

class Fields;

// What an estimator can compute. All of it is written down; only what is asked for is emitted.
struct Outputs {
  enum class Role { transformer, classifier, regressor, clusterer, outliers } role = Role::transformer;
  std::optional<Frame> transform = {};
  std::optional<Expr> predict = {}, predict_proba = {}, predict_log_proba = {}, decision_function = {}, score_samples = {}, apply = {},
                      distances = {}, neighbors = {}, std = {};
  bool margin = false;  // decision_function is a raw margin, which the class has no method of that name for: boosters of other libraries
  std::vector<Expr> probabilities_each = {};                                    // of a classifier with several outputs
  std::vector<Tensor> classes = {};                                             // one, or one for each output
  enum class Names { as_given, one_to_one, numbered } names = Names::as_given;  // of the transform's columns
};
Outputs transformed(Expr);   // column by column: what comes out is called as what went in
Outputs components(Expr);    // new columns, numbered behind the estimator's name: pca0, pca1
Outputs transformed(Frame);  // columns that have their names
Outputs regressor(Expr values);
struct ClassScores {
  std::optional<Expr> predict_proba = {}, decision_function = {};
};
Outputs classifier(const Tensor& classes, const ClassScores&);  // label: the class of the first largest score
Outputs classifier(const Tensor& classes, Expr index, const ClassScores&);

// What every estimator says about itself.
struct Facts {
  std::string class_name, module, library, version;
  int64_t n_features_in = -1;  // -1: unknown
  std::vector<std::string> feature_names_in;
  bool documents = false;  // fitted on a list of texts: its input is one vector of strings
};

// Any estimator, as a value. Copies share.
class Estimator {
 public:
  Estimator() = default;
  template <class M>
  Estimator(M model, Facts facts) : facts_(std::move(facts)), box_(std::make_shared<Box<M>>(std::move(model))) {}

  Outputs operator()(const Frame& x) const;
  // What a transformer was given, from what it made of it; none where the family has no such formula (`inverse(Expr)`).
  std::optional<Expr> inverse(Expr transformed) const;
  const Facts& facts() const { return facts_; }
  explicit operator bool() const { return box_ != nullptr; }
  template <class M>
  const M* as() const {
    auto* box = dynamic_cast<const Box<M>*>(box_.get());
    return box ? &box->model : nullptr;
  }

 private:
  struct AnyBox {
    virtual ~AnyBox() = default;
    virtual Outputs call(const Frame&) const = 0;
    virtual std::optional<Expr> inverse(Expr) const = 0;
  };
  template <class M>
  struct Box final : AnyBox {
    explicit Box(M m) : model(std::move(m)) {}
    Outputs call(const Frame& x) const override {
      // A family that takes NaN says `static constexpr bool takes_missing = true`; one that takes it at times, `takes_missing(frame)`.
      if constexpr (requires { model.takes_missing(x); }) {
        if (!model.takes_missing(x)) x.refuse_missing();
      } else if constexpr (!requires { M::takes_missing; }) x.refuse_missing();
      // The same for infinity, said as `takes_infinity`.
      if constexpr (requires { model.takes_infinity(x); }) {
        if (!model.takes_infinity(x)) x.refuse_infinity();
      } else if constexpr (!requires { M::takes_infinity; }) x.refuse_infinity();
      // A model of numbers is a formula of one matrix; a model of columns asks for each as it needs it.
      if constexpr (std::invocable<const M&, Expr>) return model(x.numbers());
      else return model(x);
    }
    std::optional<Expr> inverse(Expr y) const override {
      if constexpr (requires { model.inverse(y); }) return model.inverse(y);
      else return {};
    }
    M model;
  };
  Facts facts_;
  std::shared_ptr<const AnyBox> box_;
};

// One row of a family's table: whose files fill the model, and how it is tested against them.
struct Definition {
  std::string_view class_name;  // "sklearn.preprocessing.StandardScaler": package and class, private modules left out; * for all of a package
  struct Tests {
    std::vector<std::string_view> cases = {"()"};    // constructor arguments; each is fitted by the library itself
    std::string_view data = "clean ratings prices";  // kinds of table: clean ratings prices missing text mixed bools counts
    std::string_view targets = "";                   // several: two targets at once; empty: the usual for the estimator's kind
    double tolerance = 0;                            // against the library on the same float64 input; 0 is bit-equal
    std::string_view outputs = "";                   // compared instead of the usual ones: "label scores leaf"
  } tests;
  std::function<Estimator(Fields&)> read;
  bool may_be_stateless = false;  // fitting need not leave an attribute that ends in "_"
};

const Facts& facts_of(const Fields&);
template <class M>
Definition reads(std::string_view class_name, Definition::Tests tests = {}) {
  return {class_name, std::move(tests), [](Fields& fields) {
            M model;
            model.learned(fields);
            return Estimator(std::move(model), facts_of(fields));
          }};
}

using Definitions = std::vector<Definition>;

class Registry {
 public:
  static Registry builtin();                                        // every foo_estimators() of this folder
  void add(Definition d) { definitions_.push_back(std::move(d)); }  // a later row wins: user code may replace ours
  const Definition* find(std::string_view module, std::string_view name) const;
  const Definitions& all() const& { return definitions_; }
  void all() && = delete;

 private:
  Definitions definitions_;
};

}  // namespace onward
