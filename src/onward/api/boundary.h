// What stands behind the handles, and the edge at which exceptions become statuses.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <new>

#include "onward/estimators/convert.h"
#include "onward/graph.h"
#include "onward/runtime/session.h"
#include "onward/validate/table_session.h"

struct onward_status {
  onward::Error error;
  std::string problems = "[]";                           // JSON
};
struct onward_buffer { std::string bytes; };
struct onward_value { onward::Value value; };
struct onward_operators {
  onward::CustomOperators list;
  std::shared_ptr<void> library;                         // while its function runs: what is added needs it loaded
};
struct onward_session_options {
  onward::SessionOptions options;
  std::map<std::string, int64_t> dims;                   // fixed sizes of named ones
  std::map<std::string, onward::Tensor> initializers;    // instead of the model's
};
struct onward_cancel { std::shared_ptr<std::atomic<bool>> flag; };
struct onward_run_options {
  onward::RunOptions options;
  std::shared_ptr<std::atomic<bool>> cancel;             // what options.cancel points to
};
struct onward_port {
  std::string name, type;
  onward::DataType element = onward::DataType::none;
  int rank = -1;
  std::vector<int64_t> dims;
  std::vector<std::string> dim_names;
};
struct onward_session {
  std::shared_ptr<onward::Session> session;
  std::vector<onward_port> inputs, outputs;
  mutable std::mutex mutex;                              // guards `tables`
  mutable std::shared_ptr<const onward::TableSession> tables;   // for the last table: those of one caller tend to have the same columns
};
struct onward_table { onward::Table table; };
namespace onward::api {
// A converter as it was registered.
struct ConverterFunctions {
  onward_converter_functions table{};
  ~ConverterFunctions();
};
}  // namespace onward::api
struct onward_converters { std::map<std::string, std::shared_ptr<const onward::api::ConverterFunctions>> list; };
struct onward_convert_options {
  std::map<std::string, std::shared_ptr<const onward::api::ConverterFunctions>> converters;
  std::shared_ptr<const onward::CustomOperators> operators;
  onward::ConvertOptions options;
  std::optional<onward::Schema> schema;
  onward::Opsets opsets;
};

namespace onward::api {

// The status of the exception that is being handled. Never throws: without memory there is a status that was made before.
onward_status* status_of_exception() noexcept;

// Runs `body`; success is null.
template <class Body> onward_status* guarded(Body&& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (...) {
    return status_of_exception();
  }
}

// Handles and results that callers must give.
inline void require(const void* pointer, const char* name) {
  if (!pointer) fail(Code::usage, name, " is NULL");
}

inline onward_buffer* buffer_of(std::string bytes) { return new onward_buffer{std::move(bytes)}; }
inline onward_value* value_of(Value value) { return new onward_value{std::move(value)}; }

}  // namespace onward::api
