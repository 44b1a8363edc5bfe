// Two sets of answers side by side: what is equal, what is not, and by how much.
#pragma once
#include <array>
#include <map>

#include "onward/validate/answers.h"

namespace onward {

struct Tolerances {
  std::optional<double> relative, absolute;              // absent: 1e-12 for float64, 1e-6 for float32
};

struct OutputComparison {
  std::string name;
  std::string problem;                                   // shapes or types that cannot be compared; empty: they were
  bool exact = false;                                    // labels, whole numbers, text: no tolerance
  double relative = 0, absolute = 0;                     // |given - expected| <= absolute + relative * |expected|
  int64_t compared = 0, differing = 0;                   // elements
  double max_absolute = 0, max_relative = 0, mean_absolute = 0;
  static constexpr int smallest_decade = -18;
  std::array<int64_t, 26> histogram = {};                // of |error|: zero; below 1e-18; each decade; 1e6 and more, NaN against a number
  std::vector<std::pair<double, double>> sample;         // (expected, given), evenly taken
  std::map<std::pair<std::string, std::string>, int64_t> disagreements;   // of exact outputs: (expected, given) -> how often
};

struct WorstRow {
  int64_t row;
  std::string output, expected, given;
  double error;                                          // infinite for labels and refusals
};

struct Comparison {
  int64_t rows = 0;
  std::string expected_by, given_by;
  double expected_seconds = 0, given_seconds = 0;
  std::vector<OutputComparison> outputs;
  int64_t refused_by_both = 0, refused_by_expected = 0, refused_by_given = 0;   // the last two: by that side alone
  std::string why_refused;
  std::vector<int64_t> failing_rows;                     // in order; the first 100,000
  int64_t failing_count = 0;
  std::vector<WorstRow> worst;                           // largest error first
  int64_t mismatched_labels = 0;
  double max_absolute = 0;
  bool ok() const;
};

Comparison compare(const Answers& expected, const Answers& given, const Tolerances& tolerances, size_t worst_rows = 20);

}  // namespace onward
