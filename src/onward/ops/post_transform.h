// What the ai.onnx.ml classifiers and regressors do to a row of scores at the end.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace onward {

enum class PostTransform : int64_t { none, softmax, logistic, softmax_zero, probit };   // TreeEnsemble's numbers
PostTransform post_transform_of(const std::string& name);       // throws Error for what is none of them
void check_post_transform(int64_t number);

template <class T> void post_transform(std::span<T> scores, PostTransform kind);

// A binary classifier that keeps one score writes two columns. Which two depends on how its label was found:
//   probability   [1 - s, s]
//   margin        [-s, s]; with a logistic post transform [logistic(-s), logistic(s)]
enum class SecondClass { probability, margin };
template <class T> void two_columns(T score, SecondClass how, PostTransform kind, T* out);

}  // namespace onward
