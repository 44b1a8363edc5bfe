// Custom operators through the C interface: that good ones run, that bad ones are caught, and that nothing outlives or leaves too early.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "onward/model/onnx_file.h"
#include "onward/model/text.h"
#include "onward/onward.h"
#include "onward/operators.hpp"

namespace onward {
namespace {

std::string message_of(onward_status* status, int* code = nullptr) {
  const std::string message = onward_status_message(status);
  if (code) *code = onward_status_code(status);
  onward_status_release(status);
  return message;
}

ValueInfo port(const std::string& name, DataType type, std::vector<DimInfo> shape) { return {name, TypeInfo::tensor(type, std::move(shape))}; }

// x -> y through one node of com.example.
std::string model_of(const std::string& op, Attributes attributes = {}, DataType type = DataType::f64, std::vector<std::string> inputs = {"x"}) {
  Model m;
  m.opsets = {{"", 21}, {"com.example", 1}};
  m.graph.name = "test";
  m.graph.nodes = {{.domain = "com.example", .op = op, .name = "mine", .inputs = std::move(inputs), .outputs = {"y"}, .attributes = std::move(attributes)}};
  m.graph.inputs = {port("x", type, {{{}, "n"}})};
  m.graph.outputs = {port("y", type, {{{}, "m"}})};
  return write_model(m);
}

// One set of operators, one session at a time.
class CustomOperatorsOfC : public testing::Test {
 protected:
  CustomOperatorsOfC() { EXPECT_EQ("", message_of(onward_operators_create(&operators))); }
  ~CustomOperatorsOfC() override { onward_session_release(session), onward_operators_release(operators); }

  template <class K> std::string add(const char* name, const char* inputs = "x:T", const char* outputs = "y:T", const char* attributes = "") {
    return message_of(custom::add_operators(onward_get_extension_api(), operators, [&](custom::Operators& all) { all.add<K>("com.example", name, 1, inputs, outputs, attributes); }));
  }
  std::string load(const std::string& model) {
    onward_session_release(std::exchange(session, nullptr));
    onward_session_options* options = nullptr;
    EXPECT_EQ("", message_of(onward_session_options_create(&options)));
    EXPECT_EQ("", message_of(onward_session_options_add_operators(options, operators)));
    const std::string message = message_of(onward_session_create_from_bytes(model.data(), model.size(), options, &session));
    onward_session_options_release(options);
    return message;
  }
  // What a run says, "" for success; the answer is in `answer`.
  std::string run(const std::vector<double>& x, int* code = nullptr) {
    const int64_t dims[1] = {int64_t(x.size())};
    onward_value *in = nullptr, *out = nullptr;
    EXPECT_EQ("", message_of(onward_value_create_tensor(ONWARD_DOUBLE, dims, 1, x.data(), x.size() * sizeof(double), &in)));
    const std::string message = message_of(onward_session_run_bound(session, nullptr, &in, 1, nullptr, &out, 1), code);
    onward_value_release(in);
    if (out) answer.assign(static_cast<double*>(onward_value_data(out)), static_cast<double*>(onward_value_data(out)) + onward_value_size(out));
    onward_value_release(out);
    return message;
  }
  onward_operators* operators = nullptr;
  onward_session* session = nullptr;
  std::vector<double> answer;
};

struct Scale {
  double factor;
  explicit Scale(const custom::Node& node) : factor(node.number("factor")) {}
  void infer(custom::Inference& io) const { io.output(0, io.dims(0)); }
  void run(custom::Call& call) const {
    const auto x = call.input(0);
    const double* from = x.data<double>();
    double* to = call.output(0).data<double>();
    call.parallel(int64_t(x.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) to[i] = factor * from[i];
    });
  }
};

TEST_F(CustomOperatorsOfC, RunFromManyThreads) {
  ASSERT_EQ("", add<Scale>("Scale", "x:T(double)", "y:T", "factor:FLOAT=2"));
  ASSERT_EQ("", load(model_of("Scale", {{"factor", 3.0f}})));
  ASSERT_EQ("", run({1, 2}));
  EXPECT_EQ(answer, (std::vector<double>{3, 6}));
  ASSERT_EQ("", load(model_of("Scale")));
  ASSERT_EQ("", run({1, 2}));
  EXPECT_EQ(answer, (std::vector<double>{2, 4}));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int round = 1; round < 50; ++round) {
        const int64_t dims[1] = {round};
        const std::vector<double> x(size_t(round), t);
        onward_value *in = nullptr, *out = nullptr;
        if (onward_value_create_tensor(ONWARD_DOUBLE, dims, 1, x.data(), x.size() * 8, &in) || onward_session_run_bound(session, nullptr, &in, 1, nullptr, &out, 1)) ++wrong;
        else if (static_cast<double*>(onward_value_data(out))[round - 1] != 2 * t) ++wrong;
        onward_value_release(in), onward_value_release(out);
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(CustomOperatorsOfC, WithoutThemTheModelSaysWhatToDo) {
  int code = 0;
  const std::string model = model_of("Scale");
  onward_status* status = onward_session_create_from_bytes(model.data(), model.size(), nullptr, &session);
  EXPECT_NE(std::string(onward_status_hint(status)).find("onward_session_options_add_operators"), std::string::npos) << onward_status_hint(status);
  EXPECT_NE(message_of(status, &code).find("node 'mine' (com.example.Scale): there is no operator com.example.Scale"), std::string::npos);
  EXPECT_EQ(code, ONWARD_UNSUPPORTED_OPERATOR);
}

// Kernels that are wrong, each in a way of its own.
struct Plain {
  explicit Plain(const custom::Node&) {}
};
struct WrongShape : Plain {
  using Plain::Plain;
  void infer(custom::Inference& io) const { io.output(0, io.dims(0)); }
  void run(custom::Call& call) const { call.allocate<double>(0, {7}); }
};
struct WrongType : Plain {
  using Plain::Plain;
  void run(custom::Call& call) const { call.allocate<float>(0, {1}); }
};
struct Makes_nothing : Plain {
  using Plain::Plain;
  void run(custom::Call&) const {}
};
struct NegativeSize : Plain {
  using Plain::Plain;
  void infer(custom::Inference& io) const { io.output(0, {-5}); }
  void run(custom::Call&) const {}
};
struct Huge : Plain {
  using Plain::Plain;
  void infer(custom::Inference& io) const { io.output(0, {int64_t(1) << 40, int64_t(1) << 40}); }
  void run(custom::Call&) const {}
};
struct Throws : Plain {
  using Plain::Plain;
  void run(custom::Call&) const { throw std::out_of_range("no such row"); }
};
struct Refuses : Plain {
  using Plain::Plain;
  void run(custom::Call&) const { throw custom::OperatorError(ONWARD_LIMIT_SIZE, "too much", "give less"); }
};
struct NeverReady {
  explicit NeverReady(const custom::Node& node) { node.integer("missing"); }
  void run(custom::Call&) const {}
};
struct Unknown : Plain {
  using Plain::Plain;
  void infer(custom::Inference& io) const { io.output(0, {io.multiply(io.unknown(), 2)}); }
  void run(custom::Call& call) const { call.allocate<double>(0, {1})[0] = double(call.input(0).size()); }
};

TEST_F(CustomOperatorsOfC, WhatTheyDoWrongIsCaughtAndNamesTheNode) {
  add<WrongShape>("WrongShape"), add<WrongType>("WrongType"), add<Makes_nothing>("MakesNothing"), add<NegativeSize>("NegativeSize"), add<Huge>("Huge"),
      add<Throws>("Throws"), add<Refuses>("Refuses"), add<NeverReady>("NeverReady"), add<Unknown>("Unknown");
  const auto says = [&](const char* op, const char* expected, int expected_code = ONWARD_BAD_VALUE) {
    int code = 0;
    ASSERT_EQ("", load(model_of(op))) << op;
    const std::string message = run({1, 2, 3}, &code);
    EXPECT_EQ(message.rfind(std::string("node 'mine' (com.example.") + op + ")", 0), 0u) << message;
    EXPECT_NE(message.find(expected), std::string::npos) << message;
    EXPECT_EQ(code, expected_code) << message;
  };
  says("WrongShape", "made double [7] for output 'y', its shape inference says [3]");
  says("WrongType", "made float [1] for output 'y', expected double");
  says("MakesNothing", "did not make output 'y'");
  says("NegativeSize", "says -5 for a size of output 'y'");
  says("Huge", "", ONWARD_LIMIT_SIZE);
  says("Throws", "no such row");
  says("Refuses", "too much", ONWARD_LIMIT_SIZE);
  EXPECT_NE(load(model_of("NeverReady")).find("node 'mine' (com.example.NeverReady): attribute 'missing' is missing"), std::string::npos);
  ASSERT_EQ("", load(model_of("Unknown")));
  EXPECT_EQ("", run({1, 2, 3}));
  EXPECT_EQ(answer, std::vector<double>{3});
}

TEST_F(CustomOperatorsOfC, TypesOfInputsAreChecked) {
  add<Scale>("Scale", "x:T(float)", "y:T", "factor:FLOAT=2");
  ASSERT_EQ("", load(model_of("Scale")));
  EXPECT_NE(run({1}).find("input 'x' is double, expected float"), std::string::npos);
}

TEST_F(CustomOperatorsOfC, TablesOfTheWrongSizeAreRefused) {
  onward_operator_functions functions{};
  functions.size = 8;
  EXPECT_NE(message_of(onward_get_extension_api()->operators_add(operators, "com.example", "Foo", 1, "x:T", "y:T", "", &functions)).find("have no `run`"), std::string::npos);
  EXPECT_NE(message_of(onward_get_extension_api()->operators_add(operators, "com.example", "Foo", 1, "x:T", "y:T", "", nullptr)), "");
  EXPECT_EQ(onward_get_extension_api()->size, sizeof(onward_extension_api));
}

TEST_F(CustomOperatorsOfC, AreReleasedWithTheLastSession) {
  static std::atomic<int> released;
  released = 0;
  onward_operator_functions functions{};
  functions.size = sizeof functions;
  functions.release = [](void*) { ++released; };
  functions.run = [](void*, onward_call* call) { return onward_get_extension_api()->call_give(call, 0, onward_get_extension_api()->call_input(call, 0)); };
  ASSERT_EQ("", message_of(onward_get_extension_api()->operators_add(operators, "com.example", "Pass", 1, "x:T", "y:T", "", &functions)));
  ASSERT_EQ("", load(model_of("Pass")));
  onward_operators_release(std::exchange(operators, nullptr));
  EXPECT_EQ(released, 0);
  EXPECT_EQ("", run({5, 6}));
  EXPECT_EQ(answer, (std::vector<double>{5, 6}));
  onward_session_release(std::exchange(session, nullptr));
  EXPECT_EQ(released, 1);
  // A name that is refused does not leak what came with it.
  onward_operators_create(&operators);
  EXPECT_NE(message_of(onward_get_extension_api()->operators_add(operators, "", "Pass", 1, "x:T", "y:T", "", &functions)), "");
  EXPECT_EQ(released, 2);
}

TEST_F(CustomOperatorsOfC, StandInSubgraphsAndFunctions) {
  add<Scale>("Scale", "x:T(double)", "y:T", "factor:FLOAT=2");
  Model m;
  m.opsets = {{"", 21}, {"com.example", 1}};
  m.graph.name = "test";
  Graph branch;
  branch.name = "branch";
  branch.nodes = {{.domain = "com.example", .op = "Scale", .name = "inner", .inputs = {"x"}, .outputs = {"twice"}}};
  branch.outputs = {port("twice", DataType::f64, {{{}, "n"}})};
  const auto shared = std::make_shared<const Graph>(branch);
  Function f{.domain = "local", .name = "Thrice", .overload = "", .inputs = {"a"}, .outputs = {"b"}};
  f.nodes = {{.domain = "com.example", .op = "Scale", .name = "third", .inputs = {"a"}, .outputs = {"b"}, .attributes = {{"factor", 3.0f}}}};
  f.opsets = m.opsets;
  m.functions = {f};
  m.opsets["local"] = 1;
  m.graph.initializers["yes"] = Tensor::of<bool>({}, {true});
  m.graph.nodes = {{.op = "If", .name = "if", .inputs = {"yes"}, .outputs = {"t"}, .attributes = {{"then_branch", shared}, {"else_branch", shared}}},
                   {.domain = "local", .op = "Thrice", .name = "f", .inputs = {"t"}, .outputs = {"y"}}};
  m.graph.inputs = {port("x", DataType::f64, {{{}, "n"}})}, m.graph.outputs = {port("y", DataType::f64, {{{}, "n"}})};
  ASSERT_EQ("", load(write_model(m)));
  ASSERT_EQ("", run({1, 2}));
  EXPECT_EQ(answer, (std::vector<double>{6, 12}));
}

TEST_F(CustomOperatorsOfC, ComeInALibrary) {
  ASSERT_EQ("", message_of(onward_operators_load(operators, ONWARD_EXAMPLE_OPERATORS)));
  Model m;
  m.opsets = {{"", 21}, {"com.example", 1}};
  m.graph.name = "test";
  m.graph.nodes = {{.domain = "com.example", .op = "Haversine", .name = "mine", .inputs = {"x", "x"}, .outputs = {"y"}}};
  m.graph.inputs = {port("x", DataType::f64, {{{}, "n"}, {2, ""}})}, m.graph.outputs = {port("y", DataType::f64, {{{}, "n"}})};
  ASSERT_EQ("", load(write_model(m)));
  onward_operators_release(std::exchange(operators, nullptr));       // the library stays loaded as long as the session
  const int64_t dims[2] = {1, 2};
  const double x[2] = {48.86, 2.35};
  onward_value *in = nullptr, *out = nullptr;
  ASSERT_EQ("", message_of(onward_value_create_tensor(ONWARD_DOUBLE, dims, 2, x, sizeof x, &in)));
  ASSERT_EQ("", message_of(onward_session_run_bound(session, nullptr, &in, 1, nullptr, &out, 1)));
  EXPECT_EQ(static_cast<double*>(onward_value_data(out))[0], 0);
  onward_value_release(in), onward_value_release(out);
  onward_operators_create(&operators);
  int code = 0;
  EXPECT_NE(message_of(onward_operators_load(operators, "/nowhere/lib.so"), &code).find("'/nowhere/lib.so' cannot be loaded"), std::string::npos);
  EXPECT_EQ(code, ONWARD_IO);
}

}  // namespace
}  // namespace onward
