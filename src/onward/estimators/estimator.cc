#include "onward/estimators/estimator.h"

#include "onward/estimators/side_by_side.h"

namespace onward {

Outputs transformed(Frame x) { return {.transform = std::move(x)}; }
Outputs transformed(Expr x) { return {.transform = Frame(x), .names = Outputs::Names::one_to_one}; }
Outputs components(Expr x) { return {.transform = Frame(x), .names = Outputs::Names::numbered}; }
Outputs regressor(Expr y) { return {.role = Outputs::Role::regressor, .predict = y}; }

Outputs classifier(const Tensor& classes, Expr index, const ClassScores& s) {
  return {.role = Outputs::Role::classifier,
          .predict = pick(Operand(classes), index),
          .predict_proba = s.predict_proba,
          .decision_function = s.decision_function,
          .classes = {classes}};
}
Outputs classifier(const Tensor& classes, const ClassScores& s) {
  if (s.predict_proba) return classifier(classes, argmax(*s.predict_proba), s);
  ONWARD_CHECK(s.decision_function.has_value());
  const Expr z = *s.decision_function;
  return classifier(classes, z.columns() == 1 ? cast(reshaped(z, {rows}) > 0.0, DataType::i64) : argmax(z), s);
}

namespace {

std::string lower(std::string s) {
  for (char& c : s) c = c >= 'A' && c <= 'Z' ? char(c + 32) : c;
  return s;
}

void name_columns(Outputs& out, const Frame& x, const Facts& facts) {
  if (!out.transform || out.names == Outputs::Names::as_given) return;
  Frame& columns = *out.transform;
  if (out.names == Outputs::Names::one_to_one && columns.size() == x.size()) {
    columns = x.all_replaced(columns.numbers(), Frame::Keeps::infinity);
  } else {
    std::vector<std::string> names;
    for (int64_t i = 0; i < columns.size(); ++i) names.push_back(text(lower(facts.class_name), i));
    columns = columns.renamed(names);
  }
  out.names = Outputs::Names::as_given;
}

}  // namespace

Outputs Estimator::operator()(const Frame& x) const {
  try {
    ONWARD_CHECK(box_ != nullptr);
    if (facts_.n_features_in >= 0 && facts_.n_features_in != x.size())
      fail(Code::bad_file, "was fitted on ", facts_.n_features_in, " columns and is given ", x.size());
    x.graph().count_call();
    const GraphBuilder::Scope scope(x.graph(), facts_.class_name);
    Outputs out = box_->call(x);
    name_columns(out, x, facts_);
    return out;
  } catch (Error& e) {
    throw_within(e, facts_.class_name);
  }
}

std::optional<Expr> Estimator::inverse(Expr transformed) const {
  try {
    ONWARD_CHECK(box_ != nullptr);
    static_cast<Conversion&>(*transformed.graph).count_call();
    return box_->inverse(transformed);
  } catch (Error& e) {
    throw e.within(facts_.class_name);
  }
}

}  // namespace onward
