// LatentDirichletAllocation: how much of a document is of each topic, found by repetition until its own topics settle. Documents that have
// settled wait for the others.
#include <cmath>

#include "onward/estimators/fields.h"
#include "onward/estimators/repetition.h"

namespace onward {
namespace {

constexpr double euler = 0.577215664901532860606512090082402431;

// The digamma function by the library's own short series, on positive numbers.
double digamma(double x) {
  if (x <= 1e-6) return -euler - 1 / x;
  double sum = 0;
  for (; x < 6; ++x) sum -= 1 / x;
  const double r = 1 / x, s = r * r;
  return sum + std::log(x) - 0.5 * r - s * (1. / 12 - s * (1. / 120 - s * (1. / 252)));
}
Expr digamma(Expr x) {
  const Expr tiny = x <= 1e-6, of_tiny = -euler - 1.0 / x;
  std::optional<Expr> added;
  for (int step = 0; step < 6; ++step) {  // until all are 6 at least
    const Expr low = x < 6.0, part = where(low, 1.0 / x, 0.0);
    added = added ? *added + part : part;
    x = where(low, x + 1.0, x);
  }
  const Expr r = 1.0 / x, s = r * r;
  const Expr series = log(x) - 0.5 * r - *added - s * (1. / 12 - s * (1. / 120 - s * (1. / 252)));
  return where(tiny, of_tiny, series);
}

}  // namespace

struct LatentDirichletAllocation {
  Numbers words;  // (topics, words): exp of the expectation of log
  double prior = 0, tolerance = 1e-3;
  int64_t most = 100;

  void learned(Fields& f) {
    f("exp_dirichlet_component_", words, {"topics", "features"});
    f("doc_topic_prior_", prior);
    f("mean_change_tol", tolerance);
    f("max_doc_update_iter", most);
    if (most < 0) f.bad("max_doc_update_iter", text("is ", most));
  }
  Outputs operator()(Expr x) const {
    const int64_t topics = words.dim(0);
    const Expr nothing = columns(x, {0}) * 0.0, even = nothing + Numbers::of({topics}, [](int64_t) { return 1.0; });
    const double first = std::exp(digamma(1.0) - digamma(double(topics)));
    const auto settled = repeated(most, {even, even * first, equal(nothing, 0.0)}, [&](Repetition& now) {
      const Expr amount = now.state[0], share = now.state[1], open = now.state[2];
      const Expr expected = matmul(share, words) + 2.220446049250313e-16;
      const Expr next = share * matmul(now.outer(x) / expected, words.transposed()) + prior;
      const Expr next_share = exp(digamma(next) - digamma(sum(next)));
      const Expr change = sum(abs(amount - next)) / double(topics), still = both(open, negation(change < tolerance));
      now.state = {where(open, next, amount), where(open, next_share, share), still};
      return anywhere(still);
    });
    return components(settled[0] / sum(settled[0]));
  }
};

Definitions topics_estimators() {
  return {
      // The library's digamma and ours add the same terms in another order; a document stops when its topics move by less than 1e-3.
      reads<LatentDirichletAllocation>("sklearn.decomposition.LatentDirichletAllocation",
                                       {.cases = {"(3, max_iter=3, random_state=0)", "(2, max_iter=2, max_doc_update_iter=7, doc_topic_prior=0.01, random_state=0)"},
                                        .data = "counts ratings",
                                        .tolerance = 1e-12}),
  };
}

}  // namespace onward
