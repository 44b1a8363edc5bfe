// Rows as sums of few entries of a dictionary: SparseCoder and the learners of dictionaries.
#include <cmath>

#include "onward/estimators/dense_algebra.h"
#include "onward/estimators/fields.h"
#include "onward/estimators/repetition.h"

namespace onward {
namespace {

constexpr double epsilon = 2.220446049250313e-16;
constexpr int64_t most_pursued = 32, most_descended = 500;

Expr matching(Expr index, int64_t n) {  // (batch, n): 1 at the index
  return cast(equal(reshaped(index, {rows, 1}), Array<int64_t>::of({n}, [](int64_t i) { return i; })), DataType::f64);
}
Expr sum_of(const std::vector<Expr>& terms) {
  Expr all = terms.at(0);
  for (size_t i = 1; i < terms.size(); ++i) all = all + terms[i];
  return all;
}

// Orthogonal matching pursuit: the entry that the rest is most like joins, and all that joined are fitted anew. The factor of their
// products grows by a row each time; a row whose next entry adds nothing stays as it is.
class Pursuit {
 public:
  Pursuit(Expr cov, const Numbers& gram) : cov_(cov), gram_(gram), n_(gram.dim(0)) {}

  Expr code(int64_t entries) {
    Expr rest = cov_, done = cov_ * 0.0, open = equal(columns(done, {0}), 0.0);
    for (int64_t step = 0; step < entries; ++step) {
      const Expr next = argmax(abs(rest)), size = max(abs(rest));
      Expr stop = size * size < epsilon;
      for (const Expr& known : index_) stop = either(stop, reshaped(equal(known, next), {rows, 1}));
      join(next, stop);
      open = both(open, negation(stop));
      const std::vector<Expr> weight = fitted();
      std::vector<Expr> parts, explained;
      for (size_t i = 0; i < index_.size(); ++i) {
        parts.push_back(weight[i] * place_[i]);
        explained.push_back(weight[i] * pick(gram_, index_[i]));
      }
      done = where(open, sum_of(parts), done);
      rest = cov_ - sum_of(explained);
    }
    return done;
  }

 private:
  Expr product(Expr a, Expr b) const { return reshaped(pick(gram_.reshaped({n_ * n_}), a * double(n_) + b), {rows, 1}); }
  void join(Expr next, Expr& stop) {
    std::vector<Expr> row;
    Expr left = product(next, next);
    for (size_t i = 0; i < index_.size(); ++i) {
      Expr l = product(next, index_[i]);
      for (size_t m = 0; m < i; ++m) l = l - factor_[i][m] * row[m];
      row.push_back(l / factor_[i][i]);
      left = left - row[i] * row[i];
    }
    if (!index_.empty()) stop = either(stop, left <= epsilon);
    row.push_back(sqrt(where(stop, 1.0, left)));
    place_.push_back(matching(next, n_));
    Expr target = sum(cov_ * place_.back());
    for (size_t i = 0; i < index_.size(); ++i) target = target - row[i] * forward_[i];
    forward_.push_back(target / row.back());
    index_.push_back(next), factor_.push_back(std::move(row));
  }
  std::vector<Expr> fitted() const {  // back through the factor
    std::vector<Expr> w(forward_);
    for (size_t i = w.size(); i-- > 0;) {
      for (size_t m = i + 1; m < w.size(); ++m) w[i] = w[i] - factor_[m][i] * w[m];
      w[i] = w[i] / factor_[i][i];
    }
    return w;
  }

  Expr cov_;
  Numbers gram_;
  int64_t n_;
  std::vector<Expr> index_, place_, forward_;
  std::vector<std::vector<Expr>> factor_;
};

// The lasso by coordinate descent: each entry in turn goes to its own minimum. As the library does it: to a duality gap of 1e-8, leaving
// out what the gap proves to be 0. `to_the_end`: until nothing moves, the minimum that a path of least angles also ends in.
struct Descent {
  Numbers gram;
  double alpha;
  bool positive, to_the_end;
  int64_t most;

  struct Gap {
    Expr size, leftover;  // (batch, 1); (batch, entries): how far each is from being out
  };
  Gap gap(Expr w, Expr made, Expr q, Expr y2) const {
    const Expr toward = sum(w * q), off = q - made, r2 = y2 + sum(w * made) - 2.0 * toward;
    const Expr dual = positive ? max(off) : max(abs(off));
    const Expr primal = 0.5 * r2 + alpha * sum(abs(w)), scale = where(dual > alpha, alpha / dual, 1.0);
    const Expr size = primal - (scale * (y2 - toward) - 0.5 * (scale * scale) * r2);
    const Numbers length = Numbers::of({gram.dim(0)}, [&](int64_t j) { return std::sqrt(gram(j, j)); });
    return {size, (1.0 - abs(off / maximum(dual, alpha))) / length - sqrt(2.0 * abs(size)) / alpha};
  }
  Expr code(Expr x, Expr q) const {
    const int64_t n = gram.dim(0);
    const Expr y2 = sum(x * x), zero = q * 0.0;
    const Gap first = gap(zero, zero, q, y2);
    const Expr out = to_the_end ? zero > 0.0 : first.leftover > 0.0;
    const Expr open = to_the_end ? y2 >= 0.0 : negation(both(first.size >= 0.0, first.size <= 1e-8 * y2));
    const auto done = repeated(most, {zero, zero, out, open}, [&](Repetition& now) {
      const Expr own_q = now.outer(q), own_y2 = now.outer(y2), open_rows = now.state[3];
      Expr made = now.state[1];
      std::vector<Expr> w, moves;
      for (int64_t j = 0; j < n; ++j) {
        const Expr before = columns(now.state[0], {j});
        w.push_back(before);
        if (gram(j, j) == 0) continue;
        const Expr t = columns(own_q, {j}) - columns(made, {j}) + before * gram(j, j);
        const Expr least = maximum(abs(t) - alpha, 0.0) / gram(j, j);
        Expr next = positive ? where(t < 0.0, 0.0, least) : where(t < 0.0, negated(least), least);
        next = where(columns(now.state[2], {j}), before, next);
        moves.push_back(next - before);
        made = made + moves.back() * Numbers::of({n}, [&](int64_t i) { return gram(j, i); });
        w.back() = next;
      }
      Expr all = concat(w), out_now = now.state[2];
      const Expr largest = max(abs(all)), moved = moves.empty() ? largest * 0.0 : max(abs(concat(moves)));
      Expr stop = to_the_end ? moved <= 1e-12 * largest : either(equal(largest, 0.0), moved / largest <= 1e-8);
      if (!to_the_end) {
        const Gap left = gap(all, made, own_q, own_y2);
        const Expr proven = both(stop, either(out_now, left.leftover > 0.0));  // out from now on
        const Expr dropped = where(both(proven, negation(out_now)), all, 0.0);
        stop = both(stop, left.size <= 1e-8 * own_y2);
        const Expr go_on = negation(stop);
        made = where(go_on, made - matmul(dropped, gram), made);
        all = where(go_on, all - dropped, all);
        out_now = either(out_now, both(proven, go_on));
      }
      now.state = {where(open_rows, all, now.state[0]), where(open_rows, made, now.state[1]), out_now, both(open_rows, negation(stop))};
      return anywhere(now.state[3]);
    });
    return done[0];
  }
};

}  // namespace

struct SparseCoding {
  enum class Algorithm { omp, threshold, lasso_cd, lasso_lars } algorithm = Algorithm::omp;
  Numbers dictionary;
  double alpha = 1;
  int64_t entries = 1, most = 1000;
  bool split = false, positive = false;

  void learned(Fields& f) {
    f.choice("transform_algorithm", algorithm,
             {{"omp", Algorithm::omp}, {"threshold", Algorithm::threshold}, {"lasso_cd", Algorithm::lasso_cd}, {"lasso_lars", Algorithm::lasso_lars}});
    f(f.get("dictionary") ? "dictionary" : "components_", dictionary, {"components", "features"});
    f("split_sign", split);
    f("positive_code", positive);
    f.since("transform_max_iter", most);
    std::optional<double> own, learner;
    f("transform_alpha", own);
    f("alpha", learner);
    alpha = own ? *own : learner.value_or(1);
    std::optional<int64_t> wanted;
    f("transform_n_nonzero_coefs", wanted);
    if (!f.ok() || !dictionary) return;
    Facts input = f.facts();
    input.n_features_in = dictionary.dim(1);
    f.same_input_as(input);
    entries = wanted.value_or(int64_t(std::min(std::max(double(dictionary.dim(1)) / 10, 1.0), double(dictionary.dim(0)))));
    bound(f);
  }
  Outputs operator()(Expr x) const {
    const Expr code = coded(x);
    return components(split ? concat({maximum(code, 0.0), negated(minimum(code, 0.0))}) : code);
  }

 private:
  void bound(Fields& f) const {
    const int64_t n = dictionary.dim(0);
    if (algorithm == Algorithm::omp && (entries < 1 || entries > n)) return f.bad("transform_n_nonzero_coefs", text("is ", entries, " of ", n));
    if (algorithm == Algorithm::omp && entries > most_pursued)
      return f.refuse("transform_n_nonzero_coefs", text("is ", entries), text("convertible: up to ", most_pursued));
    const bool lasso = algorithm == Algorithm::lasso_cd || algorithm == Algorithm::lasso_lars;
    if (lasso && n > most_descended) return f.refuse("n_components", text("is ", n), text("convertible with a lasso: up to ", most_descended));
    if (lasso && !(alpha > 0)) return f.refuse("transform_alpha", text("is ", alpha), "convertible: above 0");
    if (most < 0) f.bad("transform_max_iter", text("is ", most));
  }
  Expr coded(Expr x) const {
    const Expr likeness = matmul(x, dictionary.transposed());
    if (algorithm == Algorithm::threshold) {
      const Expr size = maximum(abs(likeness) - alpha, 0.0), code = where(likeness < 0.0, negated(size), size);
      return positive ? maximum(code, 0.0) : code;
    }
    const Numbers gram = product(dictionary, dictionary.transposed());
    if (algorithm == Algorithm::omp) return Pursuit(likeness, gram).code(entries);
    const bool path = algorithm == Algorithm::lasso_lars;
    return Descent{gram, alpha, positive, path, path ? 10'000 : most}.code(x, likeness);
  }
};

Definitions sparse_coding_estimators() {
  Definitions all{
      reads<SparseCoding>("sklearn.decomposition.SparseCoder",
                          {.cases = {"(np.random.RandomState(0).randn(7, 5))", "(np.random.RandomState(0).randn(7, 5), transform_n_nonzero_coefs=4)",
                                     "(np.random.RandomState(1).randn(4, 5), transform_algorithm='threshold', transform_alpha=0.7, split_sign=True)",
                                     "(np.random.RandomState(1).randn(4, 5), transform_algorithm='threshold', positive_code=True)"},
                           .data = "clean",
                           .tolerance = 1e-12}),
      // The library ends a lasso at a duality gap of 1e-8 of |x|², and which sweep that is may hang on a rounding; its path of least angles
      // ends within 1e-7 of its penalty.
      reads<SparseCoding>("sklearn.decomposition.SparseCoder",
                          {.cases = {"(np.random.RandomState(2).randn(6, 5), transform_algorithm='lasso_cd', transform_alpha=0.9, positive_code=True)",
                                     "(np.random.RandomState(3).randn(6, 5), transform_algorithm='lasso_lars', transform_alpha=0.3)"},
                           .data = "clean",
                           .tolerance = 1e-6}),
      reads<SparseCoding>("sklearn.decomposition.DictionaryLearning", {.cases = {"(4, max_iter=3, random_state=0)"}, .data = "clean", .tolerance = 1e-12}),
      reads<SparseCoding>("sklearn.decomposition.MiniBatchDictionaryLearning",
                          {.cases = {"(4, max_iter=3, random_state=0, transform_n_nonzero_coefs=2)"}, .data = "ratings", .tolerance = 1e-12}),
  };
  for (Definition& d : all) d.may_be_stateless = d.class_name.ends_with("SparseCoder");
  return all;
}

}  // namespace onward
