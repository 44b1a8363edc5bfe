// A C++17 program over converters.hpp: a class of its own around a scaler and a forest (tests/data/custom), and what goes wrong in one.
#include <cmath>
#include <cstring>
#include "onward/converters.hpp"

namespace {

constexpr const char* ours = "acme.models.ScaledForest";

double answer(const std::string& model, double x, double y) {
  return onward::Session(model.data(), model.size()).run({onward::Value::tensor<double>({1, 2}, {x, y})})[0].data<double>()[0];
}

// By the converters of what it holds; doubled by a formula over the attributes.
void convert(onward::Conversion& graph, const onward::Fitted& fitted) {
  if (fitted.class_name() != ours || fitted.kind() != ONWARD_FITTED_OBJECT || fitted.has("nothing") || graph.columns() != 2) throw std::runtime_error("not what was expected");
  const onward::Value two = onward::Value::tensor<double>({}, {double(fitted["n_features_in_"].integer())});
  const auto scaled = graph.convert(fitted["scale_"], graph.matrix()).at("transformed");
  graph.give("variable", graph.formula("two * y", {{"two", graph.constant(two.get())}, {"y", graph.convert(fitted["forest_"], scaled).at("variable")}}));
}

bool fails(const std::string& path, const onward::Converters::Function& function, const char* expected) {
  try {
    onward::convert(path, onward::Converters().add(ours, function));
    return false;
  } catch (const onward::Error& e) {
    return e.code == ONWARD_UNSUPPORTED_ESTIMATOR && std::strstr(e.what(), expected);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string path = argv[1], model = onward::convert(path, onward::Converters().add(ours, convert));
  if (std::abs(answer(model, 0.5, -1) - 2 * 0.6196666666666667) > 1e-12 || std::abs(answer(model, 2, 1.5) - 2 * 4.362037037037037) > 1e-12) return 3;
  if (!fails(path, [](auto&, const onward::Fitted& f) { f["scala_"].number(); }, "the file says no 'scala_' of acme.models.ScaledForest")) return 4;
  if (!fails(path, [](auto&, const onward::Fitted&) { throw std::runtime_error("not today"); }, "ScaledForest: not today")) return 5;
  try {
    onward::Converters().add(ours, convert).add(ours, convert);
  } catch (const onward::Error& e) {
    return std::strstr(e.what(), "registered twice") ? 0 : 6;
  }
  return 7;
}
