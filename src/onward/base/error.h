// The one error type: what was expected, what was found, where, and what to do. Anything that bytes or callers can cause is an
// Error; only a bug of ours trips a CHECK. Context is added on the way up with `within`.
#pragma once
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <string_view>

#include "onward/base/text.h"

namespace onward {

// The hundreds digit is the family and decides the exit code of the command line (see error_codes.cc).
enum class Code : uint16_t {
  difference = 101,            // the answer is no: outputs differ
  usage = 201,                 // the command line or an option is wrong
  io = 301,                    // a file cannot be opened, read or written
  bad_file = 302,              // bytes that are not what they claim to be
  bad_model = 303,             // an ONNX graph that breaks the standard's rules
  bad_input = 304,             // a tensor given to a session has the wrong name, type or shape
  bad_value = 305,             // an operator met a value it has no answer for (an index out of range, …)
  bad_data = 306,              // a table does not fit the schema
  bad_schema = 307,            // a schema that cannot be read or contradicts the model
  unsupported_operator = 401,  // no kernel for this operator, version or element type
  unsupported_estimator = 402, // a fitted model holds something that cannot become ONNX
  unsupported_format = 403,    // a file of a kind that is not read
  limit_memory = 501,
  limit_time = 502,
  limit_size = 503,            // nesting, counts or declared sizes beyond what is sane
  internal = 701,
  cancelled = 801,
};

class Error : public std::exception {
 public:
  // Names come from files and may be megabytes long: a message beyond `longest` bytes keeps its beginning and its end.
  static constexpr size_t longest = 8000;
  Error(Code code, std::string message, std::string hint = {});

  Error& within(std::string_view context) &;
  Error within(std::string_view context) && { return std::move(within(context)); }
  const char* what() const noexcept override { return message.c_str(); }

  Code code;
  std::string message;         // where: what is wrong; expected …, found …
  std::string hint;            // what to do about it; may be empty
};

[[noreturn]] void fail_with(Code code, std::initializer_list<Part> parts);
template <class... Parts> [[noreturn]] void fail(Code code, const Parts&... parts) { fail_with(code, {Part(parts)...}); }

// The two that kernels and readers throw most.
template <class... Parts> [[noreturn]] void invalid(const Parts&... parts) { fail(Code::bad_value, parts...); }
template <class... Parts> [[noreturn]] void unsupported(const Parts&... parts) { fail(Code::unsupported_operator, parts...); }

// What `onward explain CODE` prints.
struct CodeFact {
  Code code;
  std::string_view name;        // "bad-file"
  std::string_view meaning;     // one sentence
  std::string_view advice;      // what usually helps
};
std::span<const CodeFact> code_facts();
const CodeFact& fact_of(Code);
std::string id_of(Code);        // "E0302"
int exit_code(Code);            // of the command line: 1 no · 2 usage · 3 bad file · 4 unsupported · 5 limit · 70 our bug · 130 interrupted

// Always on: a condition that only a bug can break.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
#define ONWARD_CHECK(condition) ((condition) ? void() : ::onward::check_failed(#condition, __FILE__, __LINE__))

}  // namespace onward
