// NMF and MiniBatchNMF: the weights that make rows out of learned parts, found by repetition. As in the library all rows of a batch stop
// together, so that a row's answer depends a little on those beside it.
#include <cmath>

#include "onward/estimators/fields.h"
#include "onward/estimators/repetition.h"

namespace onward {
namespace {

constexpr double least = 1.1920928955078125e-07;  // float32's epsilon: what stands for 0 below a division

Expr size_of(Expr x) { return reshaped(cast(x.graph->add("Size", {x}, {}, Result{DataType::i64, {}}), DataType::f64), {1, 1}); }

}  // namespace

struct Factorization {
  Numbers parts;  // (components, features)
  double l1 = 0, l2 = 0, beta = 2, tolerance = 1e-4;
  int64_t most = 200;

  void learned(Fields& f) {
    f("components_", parts, {"components", "features"});
    f("tol", tolerance);
    f("max_iter", most);
    double alpha = 0, ratio = 0;
    f.since("alpha_W", alpha);  // 1.0
    f("l1_ratio", ratio);
    if (const auto old = f.get("alpha"); old && (old->is(plain::Kind::real) ? old->real != 0 : old->is(plain::Kind::integer) && old->integer != 0))
      return f.refuse("alpha", text("is ", f.said(*old)), "convertible: alpha_W, since 1.0");
    if (!f.ok()) return;
    l1 = double(parts.dim(1)) * alpha * ratio, l2 = double(parts.dim(1)) * alpha * (1 - ratio);
    if (const auto loss = f.get("beta_loss"); loss && !loss->is(plain::Kind::text)) f.assign("beta_loss", *loss, beta, {});
    else f.choice("beta_loss", beta, {{"frobenius", 2.0}, {"kullback-leibler", 1.0}, {"itakura-saito", 0.0}});
    if (most < 0 || most > 1'000'000) f.bad("max_iter", text("is ", most));
  }

 protected:
  Expr even_start(Expr x) const {  // the same weight for every part, so that the mean fits
    const Expr mean = sqrt(total(x) / size_of(x) / double(parts.dim(0)));
    return columns(x, {0}) * 0.0 + mean * Numbers::of({1, parts.dim(0)}, [](int64_t) { return 1.0; });
  }
  // One multiplicative step.
  Expr multiplied(Expr w, Expr x) const {
    std::optional<Expr> above, below;
    if (beta == 2) {
      above = matmul(x, parts.transposed());
      below = matmul(w, gram());
    } else {
      const Expr made = matmul(w, parts), safe = beta < 2 ? where(made < least, least, made) : made;
      const Expr quotient = beta == 1 ? x / safe : beta == 0 ? x * power(1.0 / safe, 2.0) : x * power(safe, beta - 2);
      above = matmul(quotient, parts.transposed());
      if (beta == 1) below = columns(w, {0}) * 0.0 + row_sums();
      else below = matmul(power(beta < 1 ? safe : made, beta - 1), parts.transposed());
    }
    if (l1 > 0) below = *below + l1;
    if (l2 > 0) below = *below + l2 * w;
    Expr change = *above / where(equal(*below, 0.0), least, *below);
    const double gamma = beta < 1 ? 1 / (2 - beta) : beta > 2 ? 1 / (beta - 1) : 1;
    if (gamma != 1) change = power(change, gamma);
    return w * change;
  }
  // The root of twice the divergence of the whole batch, (1, 1).
  Expr divergence(Expr w, Expr x) const {
    const Expr made = matmul(w, parts);
    if (beta == 2) return sqrt(total((x - made) * (x - made)));
    const Expr counts = x > least, safe = where(made < least, least, made);
    const auto of_counted = [&](Expr items) { return total(where(counts, items, 0.0)); };
    const Expr ratio = where(counts, x / safe, 1.0);
    if (beta == 1) return root(of_counted(x * log(ratio)) + total(sum(w, 0) * row_sums()) - of_counted(x));
    if (beta == 0) return root(of_counted(ratio) - size_of(x) - of_counted(log(ratio)));
    const Expr cross = of_counted(x * power(safe, beta - 1)), own = of_counted(power(where(counts, x, 1.0), beta));
    return root((own - beta * cross + total(power(made, beta)) * (beta - 1)) / (beta * (beta - 1)));
  }

  Numbers gram() const {
    const int64_t k = parts.dim(0), m = parts.dim(1);
    return Numbers::of({k, k}, [&](int64_t i) {
      double sum = 0;
      for (int64_t j = 0; j < m; ++j) sum += parts(i / k, j) * parts(i % k, j);
      return sum;
    });
  }

 private:
  static Expr root(Expr r) { return sqrt(2.0 * maximum(r, 0.0)); }
  Numbers row_sums() const {
    return Numbers::of({1, parts.dim(0)}, [&](int64_t i) {
      double sum = 0;
      for (int64_t j = 0; j < parts.dim(1); ++j) sum += parts(i, j);
      return sum;
    });
  }
};

struct NMF : Factorization {
  enum class Solver { coordinate, multiplicative } solver = Solver::coordinate;

  void learned(Fields& f) {
    Factorization::learned(f);
    f.choice("solver", solver, {{"cd", Solver::coordinate}, {"mu", Solver::multiplicative}});
    bool shuffle = false;
    f.since("shuffle", shuffle);
    if (shuffle && solver == Solver::coordinate) f.refuse("shuffle", "is True: components take turns at random", "fit with shuffle=False");
    if (parts && parts.dim(0) > 1000 && solver == Solver::coordinate)
      f.refuse("n_components", text("is ", parts.dim(0)), "convertible: up to 1000 with solver='cd', any with solver='mu'");
  }
  Outputs operator()(Expr x) const { return components(solver == Solver::coordinate ? by_coordinates(x) : by_multiplication(x)); }

 private:
  // Each component in turn goes to the minimum of its own parabola, or to 0.
  Expr by_coordinates(Expr x) const {
    const int64_t k = parts.dim(0);
    const Numbers own = gram(), hessian = Numbers::of({k, k}, [&](int64_t i) { return own[i] + (i / k == i % k ? l2 : 0); });
    const Expr target = matmul(x, parts.transposed()) - l1, start = target * 0.0, none = total(start);
    const auto done = repeated(most, {start, none - 1.0}, [&](Repetition& now) {
      std::vector<Expr> w;
      for (int64_t t = 0; t < k; ++t) w.push_back(columns(now.state[0], {t}));
      std::optional<Expr> violation;
      for (int64_t t = 0; t < k; ++t) {
        const Numbers row = Numbers::of({k, 1}, [&](int64_t r) { return hessian(t, r); });
        const Expr slope = matmul(concat(w), row) - columns(now.outer(target), {t});
        const Expr projected = sum(abs(where(equal(w[size_t(t)], 0.0), minimum(slope, 0.0), slope)), 0);
        violation = violation ? *violation + projected : projected;
        if (hessian(t, t) != 0) w[size_t(t)] = maximum(w[size_t(t)] - slope / hessian(t, t), 0.0);
      }
      const Expr first = where(now.state[1] < 0.0, *violation, now.state[1]);
      now.state = {concat(w), first};
      return negation(either(equal(first, 0.0), *violation / first <= tolerance));
    });
    return done[0];
  }
  // The error is looked at after every ten steps.
  Expr by_multiplication(Expr x) const {
    const auto steps = [&](Expr w, Expr of, int64_t n) {
      for (int64_t i = 0; i < n; ++i) {
        w = multiplied(w, of);
        if (beta < 1) w = where(w < 2.220446049250313e-16, 0.0, w);
      }
      return w;
    };
    const Expr start = even_start(x), error = divergence(start, x);
    const auto tens = repeated(most / 10, {start, error, error < 0.0}, [&](Repetition& now) {
      const Expr w = steps(now.state[0], now.outer(x), 10), next = divergence(w, now.outer(x));
      const Expr stop = tolerance > 0 ? (now.state[1] - next) / now.outer(error) < tolerance : next < 0.0;
      now.state = {w, next, stop};
      return negation(stop);
    });
    if (most % 10 == 0) return tens[0];
    return repeated(most % 10, {tens[0]}, [&](Repetition& now) {
      now.state = {steps(now.state[0], now.outer(x), 1)};
      return now.body.constant(Tensor::scalar(true));
    }, negation(tens[2]))[0];
  }
};

struct MiniBatchNMF : Factorization {
  void learned(Fields& f) {
    Factorization::learned(f);
    std::optional<int64_t> own;
    f("transform_max_iter", own);
    most = own.value_or(most);
    if (most < 0 || most > 1'000'000) f.bad("transform_max_iter", text("is ", most));
  }
  Outputs operator()(Expr x) const {
    const auto done = repeated(most, {even_start(x)}, [&](Repetition& now) {
      const Expr before = now.state[0], w = multiplied(before, now.outer(x)), off = w - before;
      const Expr moved = sqrt(total(off * off)) / sqrt(total(w * w));
      now.state = {w};
      return tolerance > 0 ? negation(moved <= tolerance) : moved <= HUGE_VAL;
    });
    return components(done[0]);
  }
};

Definitions nmf_estimators() {
  return {
      // Both stop at a tolerance of 1e-4.
      reads<NMF>("sklearn.decomposition.NMF",
                 {.cases = {"(2, random_state=0)", "(3, random_state=0, alpha_W=0.01, l1_ratio=0.5)", "(2, solver='mu', random_state=0)",
                            "(2, solver='mu', beta_loss='kullback-leibler', random_state=0, max_iter=55)", "(2, solver='mu', beta_loss=0.5, random_state=0)",
                            "(2, solver='mu', beta_loss=2.5, random_state=0, alpha_W=0.001)"},
                  .data = "ratings",
                  .tolerance = 1e-12}),
      reads<NMF>("sklearn.decomposition.NMF", {.cases = {"(3, solver='mu', beta_loss='itakura-saito', random_state=0)"}, .data = "positive", .tolerance = 1e-12}),
      reads<MiniBatchNMF>("sklearn.decomposition.MiniBatchNMF",
                          {.cases = {"(2, random_state=0)", "(3, beta_loss='kullback-leibler', random_state=0)"}, .data = "ratings", .tolerance = 1e-12}),
  };
}

}  // namespace onward
