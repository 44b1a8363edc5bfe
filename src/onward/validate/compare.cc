#include "onward/validate/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "onward/data/cell_text.h"

namespace onward {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr Types numbers = every_type - str - complex_types;
constexpr Types floats = f32 | f64 | f16 | bf16;


std::string text_of(const Tensor& t, int64_t i) {
  std::string out;
  if (t.type() == DataType::str) return t.data<std::string>()[i];
  for_type<numbers>(t.type(), [&]<class T>() {
    const T x = t.data<T>()[i];
    if constexpr (std::is_same_v<T, bool>) out = x ? "1" : "0";
    else if constexpr (std::is_same_v<T, double>) append_float64(out, x);
    else if constexpr (std::is_same_v<T, float>) append_float32(out, x);
    else if constexpr (std::is_integral_v<T>) out = text(x);
    else if constexpr (contains(small_ints, type_of<T>)) out = text(int64_t(x));
    else append_float32(out, float(x));
  });
  return out;
}

double number_of(const Tensor& t, int64_t i) {
  double out = 0;
  for_type<numbers>(t.type(), [&]<class T>() {
    if constexpr (contains(small_ints, type_of<T>)) out = double(int64_t(t.data<T>()[i]));
    else if constexpr (std::is_arithmetic_v<T>) out = double(t.data<T>()[i]);
    else out = double(float(t.data<T>()[i]));
  });
  return out;
}

bool is_float(const Tensor& t) { return contains(floats, t.type()); }
bool is_label(const std::string& name) { return name == "label" || name == "output_label"; }

size_t bin_of(double error) {
  if (error == 0) return 0;
  if (!(error < 1e6)) return 25;
  const int decade = int(std::floor(std::log10(error)));
  return size_t(std::clamp(decade - OutputComparison::smallest_decade + 2, 1, 25));
}

class Comparing {
 public:
  Comparing(const Answers& expected, const Answers& given, const Tolerances& tolerances, size_t worst_rows)
      : expected_(expected), given_(given), tolerances_(tolerances), worst_rows_(worst_rows) {
    result.rows = int64_t(given.refused.size());
    result.expected_by = expected.who, result.given_by = given.who;
    result.expected_seconds = expected.seconds, result.given_seconds = given.seconds;
    failing_.resize(given.refused.size());
  }

  void refusals() {
    for (size_t row = 0; row < failing_.size(); ++row) {
      const bool e = expected_.refused[row], g = given_.refused[row];
      if (e && g) ++result.refused_by_both;
      else if (e) ++result.refused_by_expected;
      else if (g) ++result.refused_by_given;
      if (e != g) note(int64_t(row), "(refused)", e ? "refused" : "answered", g ? "refused" : "answered", infinite);
    }
    result.why_refused = given_.why_refused.empty() ? expected_.why_refused : given_.why_refused;
  }

  void output(const std::string& name, const Tensor& expected, const Tensor& given) {
    OutputComparison& out = result.outputs.emplace_back();
    out.name = name;
    out.exact = is_label(name) || !is_float(expected) || !is_float(given);
    if (expected.size() != given.size() || (expected.type() == DataType::str) != (given.type() == DataType::str)) {
      out.problem = text("expected ", shown(expected), ", given ", shown(given));
      return;
    }
    const double usual = given.type() == DataType::f64 ? 1e-12 : 1e-6;
    out.relative = tolerances_.relative.value_or(usual), out.absolute = tolerances_.absolute.value_or(usual);
    const int64_t width = result.rows ? given.size() / result.rows : 0;
    const int64_t answered = result.rows - int64_t(std::count(given_.refused.begin(), given_.refused.end(), 1));
    const int64_t stride = std::max<int64_t>(1, answered * width / 2000);
    double sum = 0;
    for (int64_t i = 0; i < given.size(); ++i) {
      const int64_t row = i / width;
      if (expected_.refused[size_t(row)] || given_.refused[size_t(row)]) continue;
      ++out.compared;
      if (out.exact) exactly(out, expected, given, i, row);
      else sum += closely(out, expected, given, i, row);
      if (!out.exact && i % stride == 0) out.sample.emplace_back(number_of(expected, i), number_of(given, i));
    }
    if (out.compared) out.mean_absolute = sum / double(out.compared);
    if (is_label(name)) result.mismatched_labels += out.differing;
    result.max_absolute = std::max(result.max_absolute, out.max_absolute);
  }

  void finish() {
    for (size_t row = 0; row < failing_.size(); ++row)
      if (failing_[row] && ++result.failing_count <= 100'000) result.failing_rows.push_back(int64_t(row));
    std::stable_sort(result.worst.begin(), result.worst.end(), [](const WorstRow& a, const WorstRow& b) { return a.error > b.error; });
    if (result.worst.size() > worst_rows_) result.worst.resize(worst_rows_);
  }
  Comparison result;

 private:
  void exactly(OutputComparison& out, const Tensor& expected, const Tensor& given, int64_t i, int64_t row) {
    const bool texts = given.type() == DataType::str, real = is_float(expected) || is_float(given);
    const bool same = texts ? expected.data<std::string>()[i] == given.data<std::string>()[i]
                      : real ? number_of(expected, i) == number_of(given, i) : text_of(expected, i) == text_of(given, i);
    if (same) return;
    ++out.differing;
    const std::string e = text_of(expected, i), g = text_of(given, i);
    if (out.disagreements.size() < 1000 || out.disagreements.contains({e, g})) ++out.disagreements[{e, g}];
    note(row, out.name, e, g, infinite);
  }

  // Returns |error|, or 0 where it is no number.
  double closely(OutputComparison& out, const Tensor& expected, const Tensor& given, int64_t i, int64_t row) {
    const double e = number_of(expected, i), g = number_of(given, i);
    const bool same = e == g || (std::isnan(e) && std::isnan(g));
    const double error = same ? 0 : std::isfinite(e) && std::isfinite(g) ? std::fabs(g - e) : infinite;
    ++out.histogram[bin_of(error)];
    out.max_absolute = std::max(out.max_absolute, error);
    if (e != 0 && !same) out.max_relative = std::max(out.max_relative, error / std::fabs(e));
    if (!same && (!(error <= out.absolute + out.relative * std::fabs(e)) || error == infinite)) {
      ++out.differing;
      note(row, out.name, text_of(expected, i), text_of(given, i), error);
    }
    return std::isfinite(error) ? error : 0;
  }

  void note(int64_t row, const std::string& output, std::string expected, std::string given, double error) {
    failing_[size_t(row)] = 1;
    if (result.worst.size() >= 4096) {                   // keep the larger half
      std::nth_element(result.worst.begin(), result.worst.begin() + 2048, result.worst.end(), [](const WorstRow& a, const WorstRow& b) { return a.error > b.error; });
      result.worst.resize(2048);
    }
    result.worst.push_back({row, output, std::move(expected), std::move(given), error});
  }

  const Answers &expected_, &given_;
  const Tolerances& tolerances_;
  size_t worst_rows_;
  std::vector<uint8_t> failing_;
};

}  // namespace

bool Comparison::ok() const {
  if (refused_by_expected || refused_by_given || outputs.empty()) return false;
  return std::all_of(outputs.begin(), outputs.end(), [](const OutputComparison& o) { return o.problem.empty() && o.differing == 0; });
}

Comparison compare(const Answers& expected, const Answers& given, const Tolerances& tolerances, size_t worst_rows) {
  ONWARD_CHECK(expected.refused.size() == given.refused.size());
  Comparing comparing(expected, given, tolerances, worst_rows);
  comparing.refusals();
  const bool nobody = comparing.result.refused_by_both == comparing.result.rows;
  for (const auto& [name, tensor] : given.outputs) {
    const auto it = std::find_if(expected.outputs.begin(), expected.outputs.end(), [&name = name](const auto& o) { return o.first == name; });
    if (it != expected.outputs.end()) {
      comparing.output(name, it->second, tensor);
    } else if (!nobody) {
      OutputComparison& out = comparing.result.outputs.emplace_back();
      out.name = name, out.problem = text(expected.who, " has no such output");
    }
  }
  comparing.finish();
  return std::move(comparing.result);
}

}  // namespace onward
