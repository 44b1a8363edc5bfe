// What the C interface promises beyond running: ownership, errors, limits. consumer.c shows the usual way through it.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "onward/api/arrow_structs.h"
#include "onward/base/error.h"
#include "onward/model/onnx_file.h"
#include "onward/model/schema.h"
#include "onward/model/text.h"
#include "onward/onward.h"

namespace onward {
namespace {

#define OK(call) ASSERT_EQ(std::string(), message_of(call))

// What a status says, "" for success; releases it.
std::string message_of(onward_status* status, int* code = nullptr) {
  const std::string message = onward_status_message(status);
  if (code) *code = onward_status_code(status);
  onward_status_release(status);
  return message;
}

std::string model_bytes(std::string_view nodes, std::vector<ValueInfo> inputs, std::vector<ValueInfo> outputs) {
  Model m;
  m.opsets = {{"", 21}, {"ai.onnx.ml", 5}};
  m.graph = parse_nodes(nodes);
  m.graph.name = "test";
  m.graph.inputs = std::move(inputs), m.graph.outputs = std::move(outputs);
  m.metadata["note"] = "kept";
  return write_model(m);
}

ValueInfo port(const std::string& name, DataType type, std::vector<DimInfo> shape) { return {name, TypeInfo::tensor(type, std::move(shape))}; }

onward_session* session_of(const std::string& bytes, const onward_session_options* options = nullptr) {
  onward_session* session = nullptr;
  EXPECT_EQ("", message_of(onward_session_create_from_bytes(bytes.data(), bytes.size(), options, &session)));
  return session;
}

const std::string doubles = model_bytes("y = Add(x, x)\n same = Identity(x)\n c = Constant(; value=double [7])",
    {port("x", DataType::f64, {{{}, "batch"}})}, {port("y", DataType::f64, {{{}, "batch"}}), port("same", DataType::f64, {{{}, "batch"}}), port("c", DataType::f64, {{1, ""}})});

TEST(CInterface, CodesAreTheOnesOfErrors) {
  for (const CodeFact& fact : code_facts()) {
    switch (fact.code) {
      case Code::difference: EXPECT_EQ(int(fact.code), ONWARD_DIFFERENCE); break;
      case Code::bad_input: EXPECT_EQ(int(fact.code), ONWARD_BAD_INPUT); break;
      case Code::bad_data: EXPECT_EQ(int(fact.code), ONWARD_BAD_DATA); break;
      case Code::unsupported_format: EXPECT_EQ(int(fact.code), ONWARD_UNSUPPORTED_FORMAT); break;
      case Code::limit_size: EXPECT_EQ(int(fact.code), ONWARD_LIMIT_SIZE); break;
      case Code::internal: EXPECT_EQ(int(fact.code), ONWARD_INTERNAL); break;
      case Code::cancelled: EXPECT_EQ(int(fact.code), ONWARD_CANCELLED); break;
      default: break;
    }
  }
  EXPECT_EQ(onward_status_code(nullptr), ONWARD_OK);
  EXPECT_STREQ(onward_status_message(nullptr), "");
  EXPECT_EQ(int(DataType::i2), ONWARD_INT2);
}

TEST(CInterface, OutputsBelongToTheCallerAlone) {
  onward_session* session = session_of(doubles);
  double data[2] = {1, 2};
  const int64_t dims[1] = {2};
  onward_value *x = nullptr, *out[3] = {};
  OK(onward_value_borrow_tensor(ONWARD_DOUBLE, dims, 1, data, sizeof data, nullptr, nullptr, &x));
  for (int round = 0; round < 2; ++round) {
    OK(onward_session_run_bound(session, nullptr, &x, 1, nullptr, out, 3));
    EXPECT_EQ(static_cast<double*>(onward_value_data(out[0]))[1], 4);
    EXPECT_NE(onward_value_data(out[1]), static_cast<void*>(data));
    EXPECT_EQ(static_cast<double*>(onward_value_data(out[2]))[0], 7);   // a constant of the model, which the last round wrote to
    for (onward_value*& value : out) static_cast<double*>(onward_value_data(value))[0] = -1, onward_value_release(value), value = nullptr;
    EXPECT_EQ(data[0], 1);
  }
  const unsigned char wanted[3] = {0, 1, 0};
  OK(onward_session_run_bound(session, nullptr, &x, 1, wanted, out, 3));
  EXPECT_EQ(out[0], nullptr);
  EXPECT_NE(out[1], nullptr);
  onward_value_release(out[1]), onward_value_release(x), onward_session_release(session);
}

TEST(CInterface, BorrowedMemoryIsGivenBackOnce) {
  int released = 0;
  const float data[1] = {1};
  const int64_t dims[1] = {1};
  onward_value *x = nullptr, *sequence = nullptr;
  OK(onward_value_borrow_tensor(ONWARD_FLOAT, dims, 1, data, 4, [](void* n) { ++*static_cast<int*>(n); }, &released, &x));
  OK(onward_value_create_sequence(&x, 1, &sequence));
  onward_value_release(x);
  EXPECT_EQ(released, 0);
  onward_value_release(sequence);
  EXPECT_EQ(released, 1);
}

TEST(CInterface, WhatDoesNotFitIsRefused) {
  int code = 0;
  onward_value* v = nullptr;
  onward_session* session = nullptr;
  const int64_t dims[2] = {2, 3}, negative[1] = {-1}, huge[2] = {int64_t{1} << 40, int64_t{1} << 40};
  const float data[6] = {};
  EXPECT_EQ(message_of(onward_value_create_tensor(ONWARD_FLOAT, dims, 2, data, 20, &v), &code), "float [2, 3] takes 24 bytes, given 20");
  EXPECT_EQ(code, ONWARD_BAD_INPUT);
  EXPECT_NE(message_of(onward_value_create_tensor(99, dims, 2, data, 24, &v)), "");
  EXPECT_NE(message_of(onward_value_create_tensor(ONWARD_STRING, dims, 2, data, 24, &v)), "");
  EXPECT_NE(message_of(onward_value_create_tensor(ONWARD_FLOAT, negative, 1, data, 4, &v)), "");
  EXPECT_NE(message_of(onward_value_create_tensor(ONWARD_FLOAT, dims, 1000, data, 4, &v)), "");
  EXPECT_NE(message_of(onward_value_create_empty(ONWARD_FLOAT, huge, 2, &v), &code), "");
  EXPECT_EQ(code, ONWARD_LIMIT_SIZE);
  EXPECT_NE(message_of(onward_value_borrow_tensor(ONWARD_FLOAT, dims, 1, reinterpret_cast<const char*>(data) + 1, 8, nullptr, nullptr, &v)), "");
  EXPECT_NE(message_of(onward_value_create_tensor(ONWARD_FLOAT, dims, 2, nullptr, 24, &v)), "");
  EXPECT_EQ(v, nullptr);
  EXPECT_EQ(message_of(onward_session_create(nullptr, nullptr, &session), &code), "path is NULL");
  EXPECT_EQ(code, ONWARD_USAGE);
  EXPECT_NE(message_of(onward_session_create("/no/such/file", nullptr, &session), &code), "");
  EXPECT_EQ(code, ONWARD_IO);
  EXPECT_NE(message_of(onward_session_create_from_bytes("nonsense", 8, nullptr, &session), &code), "");
  EXPECT_EQ(code, ONWARD_BAD_FILE);
  EXPECT_EQ(session, nullptr);
  EXPECT_NE(message_of(onward_session_run(nullptr, nullptr, nullptr, nullptr, 0, nullptr, 0, &v)), "");
}

TEST(CInterface, RunsByNameAndSaysWhatIsWrong) {
  onward_session* session = session_of(doubles);
  onward_value *x = nullptr, *out[3] = {};
  const double data[3] = {1, 2, 3};
  const int64_t dims[1] = {3};
  OK(onward_value_create_tensor(ONWARD_DOUBLE, dims, 1, data, sizeof data, &x));
  const char *in[2] = {"x", "x"}, *wrong[1] = {"X"}, *names[1] = {"y"}, *unknown[1] = {"yy"};
  const onward_value* values[2] = {x, x};
  OK(onward_session_run(session, nullptr, in, values, 1, names, 1, out));
  EXPECT_EQ(onward_value_dims(out[0])[0], 3);
  onward_value_release(out[0]), out[0] = nullptr;
  EXPECT_NE(message_of(onward_session_run(session, nullptr, in, values, 2, names, 1, out)), "");
  EXPECT_NE(message_of(onward_session_run(session, nullptr, wrong, values, 1, names, 1, out)).find("no input 'X'"), std::string::npos);
  EXPECT_NE(message_of(onward_session_run(session, nullptr, in, values, 1, unknown, 1, out)).find("no output 'yy'"), std::string::npos);
  EXPECT_NE(message_of(onward_session_run(session, nullptr, nullptr, nullptr, 0, names, 1, out)).find("'x'"), std::string::npos);
  EXPECT_EQ(out[0], nullptr);
  onward_value_release(x), onward_session_release(session);
}

TEST(CInterface, AModelTellsAboutItself) {
  onward_session* session = session_of(doubles);
  const char *text = nullptr, *key = nullptr, *value = nullptr;
  int64_t version = 0;
  size_t count = 0;
  OK(onward_session_model_text(session, ONWARD_MODEL_GRAPH_NAME, &text));
  EXPECT_STREQ(text, "test");
  OK(onward_session_metadata_count(session, &count));
  EXPECT_EQ(count, 1u);
  OK(onward_session_metadata(session, 0, &key, &value));
  EXPECT_STREQ(key, "note");
  EXPECT_STREQ(value, "kept");
  OK(onward_session_metadata_value(session, "no such key", &value));
  EXPECT_EQ(value, nullptr);
  OK(onward_session_opset_count(session, &count));
  EXPECT_EQ(count, 2u);
  OK(onward_session_opset(session, 1, &text, &version));
  EXPECT_STREQ(text, "ai.onnx.ml");
  EXPECT_EQ(version, 5);
  EXPECT_NE(message_of(onward_session_model_text(session, 77, &text)), "");
  EXPECT_NE(message_of(onward_session_opset(session, 2, &text, &version)), "");
  const onward_port* port = nullptr;
  OK(onward_session_input(session, 0, &port));
  EXPECT_STREQ(onward_port_dim_name(port, 0), "batch");
  EXPECT_EQ(onward_port_dim(port, 0), -1);
  EXPECT_NE(message_of(onward_session_input(session, 1, &port)), "");
  onward_session_release(session);
}

TEST(CInterface, OptionsAndLimits) {
  onward_session_options* options = nullptr;
  onward_session* session = nullptr;
  int code = 0;
  OK(onward_session_options_create(&options));
  EXPECT_NE(message_of(onward_session_options_set_threads(options, -1)), "");
  EXPECT_NE(message_of(onward_session_options_set_optimization(options, 9)), "");
  OK(onward_session_options_set_memory_limit(options, 1 << 20));
  OK(onward_session_options_set_profiling(options, 1));
  session = session_of(doubles, options);
  const int64_t dims[1] = {1 << 20};
  onward_value *x = nullptr, *out[3] = {};
  OK(onward_value_create_empty(ONWARD_DOUBLE, dims, 1, &x));
  EXPECT_NE(message_of(onward_session_run_bound(session, nullptr, &x, 1, nullptr, out, 3), &code), "");
  EXPECT_EQ(code, ONWARD_LIMIT_MEMORY);
  onward_buffer* trace = nullptr;
  OK(onward_session_profile(session, &trace));
  EXPECT_NE(strstr(onward_buffer_data(trace), "traceEvents"), nullptr);
  onward_buffer_release(trace), onward_session_release(session);

  OK(onward_session_options_disable(options, "no_such_optimisation"));
  EXPECT_NE(message_of(onward_session_create_from_bytes(doubles.data(), doubles.size(), options, &session)).find("no_such_optimisation"), std::string::npos);
  onward_session_options_release(options);

  session = session_of(doubles);
  onward_cancel* cancel = nullptr;
  onward_run_options* run = nullptr;
  OK(onward_cancel_create(&cancel));
  OK(onward_run_options_create(&run));
  OK(onward_run_options_set_cancel(run, cancel));
  onward_cancel_set(cancel, 1);
  EXPECT_NE(message_of(onward_session_run_bound(session, run, &x, 1, nullptr, out, 3), &code), "");
  EXPECT_EQ(code, ONWARD_CANCELLED);
  onward_cancel_release(cancel);                         // the run options still hold the flag
  EXPECT_NE(message_of(onward_session_run_bound(session, run, &x, 1, nullptr, out, 3)), "");
  OK(onward_run_options_set_cancel(run, nullptr));
  OK(onward_session_run_bound(session, run, &x, 1, nullptr, out, 3));
  EXPECT_NE(message_of(onward_run_options_set_time_limit(run, -1)), "");
  EXPECT_NE(message_of(onward_session_profile(session, &trace)).find("does not profile"), std::string::npos);
  for (onward_value* value : out) onward_value_release(value);
  onward_value_release(x), onward_run_options_release(run), onward_session_release(session);
}

TEST(CInterface, StringsSequencesAndMaps) {
  onward_value *texts = nullptr, *numbers = nullptr, *map = nullptr, *part = nullptr;
  const char* words[2] = {"\xc3\xa9t\xc3\xa9", ""};
  const int64_t dims[1] = {2}, three[1] = {3};
  const float data[3] = {1, 2, 3};
  OK(onward_value_create_strings(dims, 1, words, nullptr, &texts));
  EXPECT_EQ(onward_value_data(texts), nullptr);
  const char* text = nullptr;
  size_t length = 0;
  OK(onward_value_string(texts, 0, &text, &length));
  EXPECT_EQ(std::string(text, length), words[0]);
  EXPECT_NE(message_of(onward_value_string(texts, 2, &text, &length)), "");
  OK(onward_value_create_tensor(ONWARD_FLOAT, dims, 1, data, 8, &numbers));
  OK(onward_value_create_map(texts, numbers, &map));
  EXPECT_EQ(onward_value_kind(map), ONWARD_MAP);
  EXPECT_EQ(onward_value_size(map), 2u);
  OK(onward_value_map_values(map, &part));
  EXPECT_EQ(static_cast<float*>(onward_value_data(part))[1], 2);
  onward_value_release(part), onward_value_release(numbers);
  OK(onward_value_create_tensor(ONWARD_FLOAT, three, 1, data, 12, &numbers));
  onward_value* none = nullptr;
  EXPECT_NE(message_of(onward_value_create_map(texts, numbers, &none)), "");
  EXPECT_NE(message_of(onward_value_create_map(numbers, numbers, &none)), "");
  EXPECT_NE(message_of(onward_value_map_keys(texts, &none)), "");
  EXPECT_EQ(none, nullptr);
  onward_value_release(texts), onward_value_release(numbers), onward_value_release(map);
}

TEST(CInterface, OneSessionManyThreads) {
  onward_session* session = session_of(doubles);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const int64_t dims[1] = {5};
      const double data[5] = {double(t), 1, 2, 3, 4};
      for (int i = 0; i < 500; ++i) {
        onward_value *x = nullptr, *out[3] = {};
        wrong += message_of(onward_value_borrow_tensor(ONWARD_DOUBLE, dims, 1, data, sizeof data, nullptr, nullptr, &x)) != "";
        wrong += message_of(onward_session_run_bound(session, nullptr, &x, 1, nullptr, out, 3)) != "";
        wrong += static_cast<double*>(onward_value_data(out[0]))[0] != 2 * t;
        for (onward_value* value : out) onward_value_release(value);
        onward_value_release(x);
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  onward_session_release(session);
}

TEST(CInterface, TablesThroughArrowAndBack) {
  onward_table *table = nullptr, *again = nullptr;
  const double numbers[3] = {1.5, 0, -2};
  const uint8_t gaps[3] = {0, ONWARD_CELL_NONE, 0}, flags[3] = {1, 0, 1};
  const int64_t times[3] = {0, 1'000'000'000, 2};
  const char* words[3] = {"a", nullptr, "ccc"};
  OK(onward_table_create(3, &table));
  OK(onward_table_add_numbers(table, "n", ONWARD_COLUMN_FLOAT64, numbers, gaps));
  OK(onward_table_add_numbers(table, "b", ONWARD_COLUMN_BOOL, flags, nullptr));
  OK(onward_table_add_numbers(table, "t", ONWARD_COLUMN_DATETIME, times, nullptr));
  OK(onward_table_add_strings(table, "w", words, nullptr, gaps));
  ArrowSchema schema{};
  ArrowArray array{};
  OK(onward_table_export_arrow(table, &schema, &array));
  OK(onward_table_import_arrow(&schema, &array, &again));
  schema.release(&schema), array.release(&array);
  ASSERT_EQ(onward_table_column_count(again), 4u);
  EXPECT_STREQ(onward_table_column_name(again, 3), "w");
  EXPECT_EQ(onward_table_column_type(again, 1), ONWARD_COLUMN_BOOL);
  EXPECT_EQ(onward_table_column_type(again, 2), ONWARD_COLUMN_DATETIME);
  EXPECT_EQ(static_cast<const int64_t*>(onward_table_column_data(again, 2))[1], 1'000'000'000);
  EXPECT_EQ(static_cast<const double*>(onward_table_column_data(again, 0))[2], -2);
  EXPECT_EQ(onward_table_column_cells(again, 0)[1], ONWARD_CELL_NAN) << "Arrow's nulls are of one kind";
  const char* text = nullptr;
  size_t length = 0;
  OK(onward_table_string(again, 3, 2, &text, &length));
  EXPECT_EQ(std::string(text, length), "ccc");
  EXPECT_EQ(onward_table_column_name(again, 4), nullptr);
  onward_table_release(table), onward_table_release(again);
}

// Gives the chunks of one column.
struct Chunks : ArrowArrayStream {
  explicit Chunks(std::vector<const char*> texts) : ArrowArrayStream{}, words(std::move(texts)) {
    get_schema = [](ArrowArrayStream*, ArrowSchema* to) {
      *to = {};
      to->format = "u", to->name = "its own";
      return 0;
    };
    get_next = [](ArrowArrayStream* self, ArrowArray* to) {
      auto& all = *static_cast<Chunks*>(self);
      *to = {};
      if (all.next == all.words.size()) return 0;
      const char* word = all.words[all.next++];
      all.ends[1] = word ? int32_t(std::strlen(word)) : 0, all.valid = word != nullptr;
      all.buffers[0] = &all.valid, all.buffers[1] = all.ends, all.buffers[2] = word;
      to->length = 1, to->null_count = -1, to->n_buffers = 3, to->buffers = all.buffers;
      to->release = [](ArrowArray* array) { array->release = nullptr; };
      return 0;
    };
  }
  std::vector<const char*> words;
  size_t next = 0;
  int32_t ends[2] = {};
  uint8_t valid = 0;
  const void* buffers[3] = {};
};

TEST(CInterface, ColumnsOutOfArrowStreams) {
  onward_table* table = nullptr;
  OK(onward_table_create(3, &table));
  Chunks chunks({"a", nullptr, "ccc"}), few({"a"}), none({});
  OK(onward_table_add_arrow(table, "w", &chunks, ONWARD_CELL_NA));
  EXPECT_STREQ(onward_table_column_name(table, 0), "w");
  EXPECT_EQ(onward_table_column_type(table, 0), ONWARD_COLUMN_STRING);
  EXPECT_EQ(onward_table_column_cells(table, 0)[1], ONWARD_CELL_NA);
  const char* text = nullptr;
  size_t length = 0;
  OK(onward_table_string(table, 0, 2, &text, &length));
  EXPECT_EQ(std::string(text, length), "ccc");
  EXPECT_NE(message_of(onward_table_add_arrow(table, "w", &few, ONWARD_CELL_NAN)).find("column 'w' has 1 rows, the table has 3"), std::string::npos);
  EXPECT_NE(message_of(onward_table_add_arrow(table, "w", &none, ONWARD_CELL_VALUE)).find("no kind of gap"), std::string::npos);
  few.next = 0, few.words = {"a", "b", "c"};
  few.get_schema = [](ArrowArrayStream*, ArrowSchema* to) { return *to = {}, to->format = "+l", 0; };
  EXPECT_NE(message_of(onward_table_add_arrow(table, "w", &few, ONWARD_CELL_NAN)).find("column 'w' has the Arrow type '+l'"), std::string::npos);
  EXPECT_EQ(onward_table_column_count(table), 1u);
  onward_table_release(table);
  OK(onward_table_create(0, &table));
  OK(onward_table_add_arrow(table, "w", &none, ONWARD_CELL_NAN));
  EXPECT_EQ(onward_table_column_type(table, 0), ONWARD_COLUMN_STRING);
  onward_table_release(table);
}

TEST(CInterface, PredictsOnTables) {
  onward_session* session = session_of(doubles);
  onward_table *table = nullptr, *out = nullptr;
  const double numbers[2] = {1, 2};
  OK(onward_table_create(2, &table));
  OK(onward_table_add_numbers(table, "z", ONWARD_COLUMN_FLOAT64, numbers, nullptr));
  OK(onward_table_add_numbers(table, "other", ONWARD_COLUMN_FLOAT64, numbers, nullptr));
  int code = 0;
  EXPECT_NE(message_of(onward_session_predict(session, nullptr, table, &out), &code), "");
  EXPECT_EQ(code, ONWARD_BAD_DATA);
  EXPECT_EQ(out, nullptr);
  onward_table_release(table), onward_session_release(session);

  const std::string sums = model_bytes("y = Add(a, b)", {port("a", DataType::f64, {{{}, "n"}, {1, ""}}), port("b", DataType::f64, {{{}, "n"}, {1, ""}})}, {port("y", DataType::f64, {{{}, "n"}, {1, ""}})});
  session = session_of(sums);
  OK(onward_table_create(2, &table));
  OK(onward_table_add_numbers(table, "b", ONWARD_COLUMN_FLOAT64, numbers, nullptr));
  OK(onward_table_add_numbers(table, "a", ONWARD_COLUMN_FLOAT64, numbers, nullptr));
  for (int round = 0; round < 2; ++round) {
    OK(onward_session_predict(session, nullptr, table, &out));
    EXPECT_STREQ(onward_table_column_name(out, 0), "y");
    EXPECT_EQ(static_cast<const double*>(onward_table_column_data(out, 0))[1], 4);
    onward_table_release(out);
  }
  onward_table_release(table), onward_session_release(session);
}

TEST(CInterface, Converts) {
  const std::string path = ONWARD_TEST_DATA "/sklearn/1.9.1/logistic_regression.joblib";
  onward_buffer *model = nullptr, *report = nullptr, *schema = nullptr;
  onward_convert_options* options = nullptr;
  int code = 0;
  OK(onward_convert_options_create(&options));
  OK(onward_convert_options_add_output(options, "scores"));
  OK(onward_convert_options_set_input_type(options, ONWARD_FLOAT));
  OK(onward_convert(path.c_str(), options, &model, &report));
  OK(onward_model_schema(onward_buffer_data(model), onward_buffer_size(model), &schema));
  EXPECT_NE(strstr(onward_buffer_data(schema), "float32"), nullptr);
  EXPECT_NE(strstr(onward_buffer_data(schema), "scores"), nullptr);
  EXPECT_NE(strstr(onward_buffer_data(report), "LogisticRegression"), nullptr) << onward_buffer_data(report);
  onward_buffer *twice = nullptr;
  EXPECT_NE(message_of(onward_convert_bytes(onward_buffer_data(model), onward_buffer_size(model), options, &twice, nullptr), &code), "");
  EXPECT_EQ(code, ONWARD_UNSUPPORTED_FORMAT);
  OK(onward_convert_options_set_opset(options, "", 6));
  EXPECT_NE(message_of(onward_convert(path.c_str(), options, &twice, nullptr), &code).find("opset 6"), std::string::npos);
  EXPECT_EQ(twice, nullptr);
  OK(onward_convert_options_set_opset(options, "", 15));
  OK(onward_convert_bytes(onward_buffer_data(model), onward_buffer_size(model), options, &twice, nullptr));
  EXPECT_NE(twice, nullptr);
  onward_buffer_release(twice);
  EXPECT_NE(message_of(onward_convert_options_set_schema(options, "{")), "");
  EXPECT_NE(message_of(onward_convert_options_set_input_type(options, ONWARD_INT8)), "");
  onward_buffer_release(model), onward_buffer_release(report), onward_buffer_release(schema), onward_convert_options_release(options);
}

}  // namespace
}  // namespace onward
