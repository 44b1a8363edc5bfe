// Graphs and converters through the C interface.
#include <gtest/gtest.h>

#include <cmath>

#include "onward/graph.h"

namespace {

std::string message_of(onward_status* status, int* code = nullptr) {
  const std::string message = onward_status_message(status);
  if (code) *code = onward_status_code(status);
  onward_status_release(status);
  return message;
}
#define OK(call) ASSERT_EQ(std::string(), message_of(call))

std::vector<double> run(const onward_buffer* model, const std::vector<int64_t>& dims, const std::vector<double>& x) {
  onward_session* session = nullptr;
  onward_value *in = nullptr, *out = nullptr;
  EXPECT_EQ("", message_of(onward_session_create_from_bytes(onward_buffer_data(model), onward_buffer_size(model), nullptr, &session)));
  EXPECT_EQ("", message_of(onward_value_create_tensor(ONWARD_DOUBLE, dims.data(), dims.size(), x.data(), x.size() * sizeof(double), &in)));
  EXPECT_EQ("", message_of(onward_session_run_bound(session, nullptr, &in, 1, nullptr, &out, 1)));
  std::vector<double> answer;
  if (out) answer.assign(static_cast<double*>(onward_value_data(out)), static_cast<double*>(onward_value_data(out)) + onward_value_size(out));
  onward_value_release(in), onward_value_release(out), onward_session_release(session);
  return answer;
}

TEST(GraphsOfC, FormulasAndNodesBecomeAModel) {
  onward_graph* graph = nullptr;
  OK(onward_graph_create(&graph));
  const int64_t dims[2] = {-1, 2};
  onward_expr x = -1, sum = -1, parts[2] = {-1, -1};
  OK(onward_graph_input(graph, "x", ONWARD_DOUBLE, dims, 2, &x));
  const char *name = "x", *results[2] = {"top", "where"}, *outputs[1] = {"y"};
  OK(onward_graph_nodes(graph, nullptr, "twice = Add(x, x)\n top, where = TopK(twice, int64 [1])", &name, &x, 1, results, parts, 2));
  EXPECT_EQ(onward_graph_element_type(graph, parts[1]), ONWARD_INT64);
  EXPECT_EQ(onward_graph_rank(graph, parts[0]), 2);
  EXPECT_EQ(onward_graph_dim(graph, parts[0], 0), -1);
  EXPECT_EQ(onward_graph_dim(graph, parts[0], 1), 1);
  const char* names[2] = {"t", "x"};
  const onward_expr values[2] = {parts[0], x};
  OK(onward_graph_formula(graph, "t - sqrt(x ** 2)", names, values, 2, &sum));
  onward_buffer* model = nullptr;
  OK(onward_graph_model(graph, nullptr, outputs, &sum, 1, &model));
  EXPECT_EQ(run(model, {2, 2}, {1, 2, 5, -3}), (std::vector<double>{3, 2, 5, 7}));
  onward_buffer_release(model);
  int code = 0;
  EXPECT_NE(message_of(onward_graph_formula(graph, "t + q", names, values, 2, &sum), &code).find("'q' stands for nothing"), std::string::npos);
  EXPECT_EQ(code, ONWARD_USAGE);
  const onward_expr stranger = 12345;
  EXPECT_NE(message_of(onward_graph_formula(graph, "t", names, &stranger, 1, &sum)).find("value 12345 is none of this graph"), std::string::npos);
  EXPECT_NE(message_of(onward_graph_nodes(graph, nullptr, "y = Add(x", &name, &x, 1, nullptr, nullptr, 0)), "");
  EXPECT_EQ(onward_graph_rank(graph, 12345), -1);
  EXPECT_EQ(onward_graph_element_type(nullptr, 0), 0);
  onward_graph_release(graph);
}

// acme.steps.Shift(offset=2.5) around sklearn's StandardScaler, as Python 2 would write it.
const std::string shift = "ccopy_reg\n_reconstructor\n(cacme.steps\nShift\nc__builtin__\nobject\nNtR(dS'offset'\nF2.5\nsS'n_features_in_'\nI2\nsb.";

TEST(ConvertersOfC, TurnObjectsOfTheirClassIntoGraphs) {
  onward_converter_functions functions{};
  functions.size = sizeof functions;
  static int released = 0;
  released = 0;
  functions.release = [](void*) { ++released; };
  functions.convert = [](void*, onward_conversion* conversion, const onward_fitted* fitted) -> onward_status* {
    EXPECT_STREQ(onward_fitted_class_name(fitted), "acme.steps.Shift");
    EXPECT_EQ(onward_fitted_live(fitted), -1);
    EXPECT_EQ(onward_conversion_column_count(conversion), 2u);
    const onward_fitted *offset = nullptr, *nothing = nullptr;
    if (onward_status* status = onward_fitted_find(fitted, "offset", &offset)) return status;
    if (onward_status* status = onward_fitted_find(fitted, "nothing", &nothing)) return status;
    EXPECT_EQ(nothing, nullptr);
    double number = 0;
    if (onward_status* status = onward_fitted_number(offset, &number)) return status;
    onward_expr x = -1, out = -1;
    if (onward_status* status = onward_conversion_matrix(conversion, &x)) return status;
    const char* name = "x";
    if (onward_status* status = onward_graph_formula(onward_conversion_graph(conversion), ("x + " + std::to_string(number)).c_str(), &name, &x, 1, &out)) return status;
    return onward_conversion_give(conversion, "transformed", out);
  };
  onward_converters* converters = nullptr;
  onward_convert_options* options = nullptr;
  OK(onward_converters_create(&converters));
  OK(onward_converters_add(converters, "acme.steps.Shift", &functions));
  OK(onward_convert_options_create(&options));
  OK(onward_convert_options_add_converters(options, converters));
  onward_converters_release(converters);
  onward_buffer* model = nullptr;
  EXPECT_NE(message_of(onward_convert_bytes(shift.data(), shift.size(), nullptr, &model, nullptr)).find("acme.steps.Shift is not a class of scikit-learn"), std::string::npos);
  OK(onward_convert_bytes(shift.data(), shift.size(), options, &model, nullptr));
  EXPECT_EQ(run(model, {1, 2}, {1, -1}), (std::vector<double>{3.5, 1.5}));
  onward_buffer_release(model);
  EXPECT_EQ(released, 0);
  onward_convert_options_release(options);
  EXPECT_EQ(released, 1);
}

// acme.models.ScaledForest holds a StandardScaler and a RandomForestRegressor of scikit-learn 1.9 (tests/data/custom).
TEST(ConvertersOfC, CallTheConvertersOfWhatTheirObjectsHold) {
  onward_converter_functions functions{};
  functions.size = sizeof functions;
  functions.convert = [](void*, onward_conversion* conversion, const onward_fitted* fitted) -> onward_status* {
    onward_expr x = -1;
    if (onward_status* status = onward_conversion_matrix(conversion, &x)) return status;
    for (const auto& [part, output] : {std::pair("scale_", "transformed"), std::pair("forest_", "variable")}) {
      const onward_fitted* held = nullptr;
      onward_parts* parts = nullptr;
      if (onward_status* status = onward_fitted_find(fitted, part, &held)) return status;
      if (onward_status* status = onward_conversion_convert(conversion, held, &x, nullptr, 1, &parts)) return status;
      x = onward_parts_value(parts, output);
      onward_parts_release(parts);
    }
    return onward_conversion_give(conversion, "variable", x);
  };
  onward_converters* converters = nullptr;
  onward_convert_options* options = nullptr;
  OK(onward_converters_create(&converters));
  OK(onward_converters_add(converters, "acme.models.ScaledForest", &functions));
  OK(onward_convert_options_create(&options));
  OK(onward_convert_options_add_converters(options, converters));
  onward_converters_release(converters);
  onward_buffer* model = nullptr;
  OK(onward_convert(ONWARD_TEST_DATA "/custom/scaled_forest.pkl", options, &model, nullptr));
  EXPECT_EQ(run(model, {3, 2}, {0.5, -1, -0.3, 0.2, 2, 1.5}), (std::vector<double>{0.6196666666666667, -0.6371960784313725, 4.362037037037037}));
  onward_buffer_release(model), onward_convert_options_release(options);
}

TEST(ConvertersOfC, ARefusalListsItsProblems) {
  onward_buffer* model = nullptr;
  onward_status* status = onward_convert_bytes(shift.data(), shift.size(), nullptr, &model, nullptr);
  const std::string problems = onward_status_problems(status);
  EXPECT_NE(problems.find(R"json({"code":"E0402","where":"model (Shift)","places":["model (Shift)"],"message":"acme.steps.Shift is not a class)json"), std::string::npos) << problems;
  onward_status_release(status);
  EXPECT_STREQ(onward_status_problems(nullptr), "[]");
}

TEST(ConvertersOfC, AreCheckedWhenTheyAreRegistered) {
  onward_converters* converters = nullptr;
  OK(onward_converters_create(&converters));
  onward_converter_functions functions{};
  EXPECT_NE(message_of(onward_converters_add(converters, "a.B", &functions)).find("has no `convert`"), std::string::npos);
  functions.size = sizeof functions;
  functions.convert = [](void*, onward_conversion*, const onward_fitted*) -> onward_status* { return onward_status_create(ONWARD_UNSUPPORTED_ESTIMATOR, "not this one", "another"); };
  EXPECT_NE(message_of(onward_converters_add(converters, "B", &functions)).find("expected the class with its module"), std::string::npos);
  OK(onward_converters_add(converters, "acme.steps.Shift", &functions));
  EXPECT_NE(message_of(onward_converters_add(converters, "acme.steps.Shift", &functions)).find("registered twice"), std::string::npos);
  onward_convert_options* options = nullptr;
  OK(onward_convert_options_create(&options));
  OK(onward_convert_options_add_converters(options, converters));
  onward_buffer* model = nullptr;
  int code = 0;
  onward_status* status = onward_convert_bytes(shift.data(), shift.size(), options, &model, nullptr);
  EXPECT_STREQ(onward_status_hint(status), "another");
  EXPECT_EQ(message_of(status, &code), "Shift: not this one");
  EXPECT_EQ(code, ONWARD_UNSUPPORTED_ESTIMATOR);
  onward_convert_options_release(options);
  onward_converters_release(converters);
}

}  // namespace
