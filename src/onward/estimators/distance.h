// Distances of rows to the rows of a fitted matrix, by the names that scikit-learn gives them.
#pragma once
#include "onward/estimators/fields.h"

namespace onward {

class Distance {
 public:
  // `metric` and `parameters` are the fields' names; the matrix is known already.
  void learned(Fields& f, std::string_view metric, std::string_view parameters, const Numbers& fitted);
  void choose(Fields& f, std::string_view metric_field, std::string_view metric, const plain::Value* parameters, const Numbers& fitted);

  // (batch, samples): in the order of the distance, cheaper where the order allows.
  Expr comparable(Expr x, const Numbers& fitted) const;
  // The same with the columns added one after the other, as the library's loops do: for who compares a distance with a radius.
  Expr comparable_in_order(Expr x, const Numbers& fitted) const;
  Expr from_comparable(Expr d) const;  // the distance itself
  double to_comparable(double distance) const;
  Expr operator()(Expr x, const Numbers& fitted) const { return from_comparable(comparable(x, fitted)); }
  bool takes_missing() const { return kind_ == Kind::nan_euclidean; }
  // Whether the library, where it searches without a tree, has a loop of its own for it (others go through SciPy).
  bool in_compiled_loop() const { return kind_ < Kind::sqeuclidean; }

 private:
  enum class Kind : uint8_t {
    manhattan, chebyshev, minkowski, canberra, braycurtis, seuclidean, haversine,  // see in_compiled_loop
    sqeuclidean, euclidean, mahalanobis, hamming, cosine, correlation, nan_euclidean,
    jaccard, dice, matching, rogers_tanimoto, russell_rao, sokal_sneath, yule,
  };
  Expr of_truths(Expr x, const Numbers& fitted) const;
  Expr of_angles(Expr x, Numbers fitted) const;
  Expr haversine(Expr x, const Numbers& fitted) const;
  Expr where_both_known(Expr x, const Numbers& fitted) const;

  Kind kind_ = Kind::euclidean;
  double p_ = 2;                 // of minkowski
  std::optional<Numbers> each_;  // a number for every feature: weights of minkowski, variances of seuclidean
  Numbers inverse_;              // of mahalanobis: the inverse covariance
};

}  // namespace onward
