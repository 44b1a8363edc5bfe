// Errors as codes, and bytes that the library made.
#include <algorithm>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "onward/api/boundary.h"
#include "onward/api/problems.h"
#include "onward/base/version.h"

using onward::Code;
using onward::Error;

namespace onward::api {
namespace {

// Given out when there is no memory even for a status; never freed.
onward_status& out_of_memory() {
  static onward_status status{Error(Code::limit_memory, "out of memory")};
  return status;
}
// Made while there is memory.
[[maybe_unused]] const onward_status& made_early = out_of_memory();

}  // namespace

onward_status* status_of_exception() noexcept {
  try {
    try {
      throw;
    } catch (const onward::Refusal& e) {
      return new onward_status{e, onward::described(e.problems).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
    } catch (const Error& e) {
      return new onward_status{e};
    } catch (const std::bad_alloc&) {
      return new onward_status{Error(Code::limit_memory, "out of memory", "give smaller batches or models")};
    } catch (const std::length_error&) {
      return new onward_status{Error(Code::limit_memory, "a size is beyond what this machine can address")};
    } catch (const std::exception& e) {
      return new onward_status{Error(Code::internal, e.what(), "this is a bug in onward; please report it")};
    } catch (...) {
      return new onward_status{Error(Code::internal, "an unknown exception", "this is a bug in onward; please report it")};
    }
  } catch (...) {
    return &out_of_memory();
  }
}

}  // namespace onward::api

onward_status* onward_status_create(int code, const char* message, const char* hint) {
  const auto facts = onward::code_facts();
  const bool known = std::any_of(facts.begin(), facts.end(), [&](const auto& fact) { return int(fact.code) == code; });
  // A callback's bug is none of ours.
  const Code kept = known && code != ONWARD_INTERNAL ? Code(code) : Code::bad_value;
  try {
    return new onward_status{Error(kept, message ? message : "", hint ? hint : "")};
  } catch (...) {
    return onward::api::status_of_exception();
  }
}

const char* onward_version() { return onward::version.data(); }

int onward_status_code(const onward_status* status) { return status ? int(status->error.code) : ONWARD_OK; }
const char* onward_status_name(const onward_status* status) { return status ? onward::fact_of(status->error.code).name.data() : "ok"; }
const char* onward_status_message(const onward_status* status) { return status ? status->error.message.c_str() : ""; }
const char* onward_status_hint(const onward_status* status) { return status ? status->error.hint.c_str() : ""; }
const char* onward_status_problems(const onward_status* status) { return status ? status->problems.c_str() : "[]"; }
void onward_status_release(onward_status* status) {
  if (status != &onward::api::out_of_memory()) delete status;
}

const char* onward_buffer_data(const onward_buffer* buffer) { return buffer ? buffer->bytes.c_str() : ""; }
size_t onward_buffer_size(const onward_buffer* buffer) { return buffer ? buffer->bytes.size() : 0; }
void onward_buffer_release(onward_buffer* buffer) { delete buffer; }
