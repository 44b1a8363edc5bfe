#include "onward/estimators/outputs.h"

#include "onward/base/suggest.h"

namespace onward {
namespace {

using Role = Outputs::Role;

struct Offer {
  std::string_view kind;  // what --outputs calls it
  bool usual;
  std::vector<NamedOutput> outputs;
};

std::vector<std::string> names_of(const Frame& x) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < x.size(); ++i) {
    if (x.name(i).empty()) return {};
    names.push_back(x.name(i));
  }
  return names;
}

// Text and numbers cannot share a tensor: then each column is an output of its own.
std::vector<NamedOutput> transform_outputs(const Frame& x) {
  if (x.size() == 0) fail(Code::unsupported_estimator, "the model gives no columns at all");
  if (!x.mixed()) return {{"transformed", x.matrix(), names_of(x)}};
  std::vector<NamedOutput> out;
  for (int64_t i = 0; i < x.size(); ++i) {
    const std::string name = x.name(i).empty() ? text("transformed_", i) : x.name(i);
    out.push_back({name, x.is_text(i) ? x.string(i) : x.number(i), {name}});
  }
  return out;
}

std::vector<Offer> offers(const Outputs& o) {
  const bool scores_only = o.predict && !o.predict_proba && o.probabilities_each.empty();
  const bool nothing_else = !o.predict && !o.transform;
  std::vector<Offer> all;
  const auto one = [&](std::string_view kind, bool usual, const std::optional<Expr>& value) {
    if (value) all.push_back({kind, usual, {{std::string(kind), *value, {}, o.classes.size() == 1 ? o.classes[0] : Tensor()}}});
  };
  one(o.role == Role::regressor ? "variable" : "label", true, o.predict);
  one("probabilities", true, o.predict_proba);
  if (o.predict_proba) one("log_probabilities", false, o.predict_log_proba ? *o.predict_log_proba : log(*o.predict_proba));
  if (!o.probabilities_each.empty()) {
    Offer p{"probabilities", true, {}}, logs{"log_probabilities", false, {}};
    for (size_t k = 0; k < o.probabilities_each.size(); ++k) {
      p.outputs.push_back({text("probabilities_", k), o.probabilities_each[k], {}, o.classes.at(k)});
      logs.outputs.push_back({text("log_probabilities_", k), log(o.probabilities_each[k]), {}, o.classes.at(k)});
    }
    all.push_back(std::move(p)), all.push_back(std::move(logs));
  }
  std::optional<Expr> scores = o.decision_function;  // one score a row is a vector
  if (scores && scores->shape().size() == 2 && scores->columns() == 1) scores = reshaped(*scores, {rows});
  one("scores", scores_only && (o.role == Role::classifier || o.role == Role::outliers), scores);
  if (o.transform && o.transform->size()) all.push_back({"transformed", !o.predict, transform_outputs(*o.transform)});
  one("leaf", false, o.apply);
  one("score_samples", nothing_else, o.score_samples);
  one("distances", nothing_else && !o.score_samples, o.distances);
  one("neighbors", false, o.neighbors);
  one("std", false, o.std);
  return all;
}

}  // namespace

std::vector<NamedOutput> chosen_outputs(const Outputs& o, const std::vector<std::string>& wanted) {
  const std::vector<Offer> all = offers(o);
  std::vector<NamedOutput> chosen;
  const auto take = [&](const Offer& offer) { chosen.insert(chosen.end(), offer.outputs.begin(), offer.outputs.end()); };
  if (wanted.empty()) {
    for (const Offer& offer : all)
      if (offer.usual) take(offer);
    if (chosen.empty()) fail(Code::unsupported_estimator, "the model gives no columns at all");
    return chosen;
  }
  for (const std::string& name : wanted) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Offer& offer) { return offer.kind == name; });
    if (found != all.end()) {
      take(*found);
      continue;
    }
    std::string offered;
    for (const Offer& offer : all) offered += (offered.empty() ? "" : ", ") + std::string(offer.kind);
    fail(Code::usage, "output '", name, "' does not exist; this model offers ", offered);
  }
  return chosen;
}

}  // namespace onward
