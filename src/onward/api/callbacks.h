// Calls out of the library into code of its users: what they return or throw becomes an Error.
#pragma once
#include "onward/api/boundary.h"

namespace onward::api {

// Throws what the status says, and releases it.
inline void raise(onward_status* status) {
  if (!status) return;
  Error error = status->error;
  onward_status_release(status);
  throw error;
}

// None of them may throw; one that does must not unwind through what called it.
template <class Callback> void called(Callback&& callback) {
  onward_status* status = nullptr;
  try {
    status = callback();
  } catch (const std::exception& e) {
    invalid("the user's code threw: ", e.what());
  } catch (...) {
    invalid("the user's code threw");
  }
  raise(status);
}

}  // namespace onward::api
