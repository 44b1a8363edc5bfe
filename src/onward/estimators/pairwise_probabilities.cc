#include "onward/estimators/pairwise_probabilities.h"

namespace onward {
namespace {

// The matrix Q of the quadratic form, (batch, classes · classes): rows one behind the other.
Expr quadratic_form(const std::vector<std::vector<Expr>>& r) {
  const size_t k = r.size();
  std::vector<std::vector<Expr>> q(k, std::vector<Expr>(k));
  for (size_t t = 0; t < k; ++t) {
    for (size_t j = 0; j < k; ++j) {
      if (j == t) continue;
      const Expr square = r[j][t] * r[j][t];
      q[t][t] = q[t][t].graph ? q[t][t] + square : square;
      q[t][j] = j < t ? q[j][t] : negated(r[j][t]) * r[t][j];
    }
  }
  std::vector<Expr> flat;
  for (const auto& row : q) flat.insert(flat.end(), row.begin(), row.end());
  return concat(flat);
}

struct Step {
  Expr p, converged;
};

// One round over all classes of the rows that have not converged.
Step one_round(Expr q, Expr p, int64_t k) {
  const auto cell = [&](int64_t t, int64_t j) { return columns(q, {t * k + j}); };
  std::vector<Expr> share, product;  // p[t] and (Qp)[t], (batch, 1) each
  for (int64_t t = 0; t < k; ++t) share.push_back(columns(p, {t}));
  Expr form;
  for (int64_t t = 0; t < k; ++t) {
    Expr sum = cell(t, 0) * share[0];
    for (int64_t j = 1; j < k; ++j) sum = sum + cell(t, j) * share[size_t(j)];
    product.push_back(sum);
    form = t ? form + share[size_t(t)] * sum : share[0] * sum;
  }
  const Expr converged = max(abs(concat(product) - form)) < 0.005 / double(k);
  for (int64_t t = 0; t < k; ++t) {
    const Expr diagonal = cell(t, t), gap = (form - product[size_t(t)]) / diagonal, whole = 1.0 + gap;
    share[size_t(t)] = share[size_t(t)] + gap;
    form = (form + gap * (gap * diagonal + 2.0 * product[size_t(t)])) / whole / whole;
    for (int64_t j = 0; j < k; ++j) {
      product[size_t(j)] = (product[size_t(j)] + gap * cell(t, j)) / whole;
      share[size_t(j)] = share[size_t(j)] / whole;
    }
  }
  return {where(converged, p, concat(share)), converged};
}

}  // namespace

Expr coupled_probabilities(const std::vector<std::vector<Expr>>& r) {
  const auto k = int64_t(r.size());
  const Expr q = quadratic_form(r);
  GraphBuilder& g = *q.graph;
  const Expr start = columns(q, std::vector<int64_t>(size_t(k), 0)) * 0.0 + 1.0 / double(k);
  const auto body = g.body();
  body->input("pass", DataType::i64, {});
  body->input("go", DataType::b8, {});
  const Step step = one_round(body->outer(q), body->input("p", DataType::f64, {rows, k}), k);
  // On as long as one row has not converged.
  const Expr most = max(max(cast(negation(step.converged), DataType::f64), 0, false), 0, false);
  const GraphRef done = body->finish({cast(most, DataType::b8), step.p});
  return g.add("Loop", {g.constant(Tensor::scalar(std::max<int64_t>(100, k))), g.constant(Tensor::scalar(true)), start}, {{"body", done}},
               Result{DataType::f64, {rows, k}});
}

}  // namespace onward
