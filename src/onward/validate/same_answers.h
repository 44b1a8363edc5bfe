// Two models that should answer alike, run on the same inputs.
#pragma once
#include "onward/validate/table_session.h"

namespace onward {

struct SameAnswers {
  std::string why_not_run;                               // empty: both ran
  std::string difference;                                // empty: they are equal
  int64_t elements = 0;                                  // compared
};

// On `rows`, or on inputs that are made up where there are none. Labels, whole numbers and text are equal, numbers within a rounding of
// their type (a function that is written in other operators rounds elsewhere). Not run: where values cannot be made up, where the first
// model itself refuses them, and where it draws random numbers.
SameAnswers same_answers(const std::shared_ptr<const Session>& before, const std::shared_ptr<const Session>& after, const Table* rows = nullptr, const RunOptions& options = {});

}  // namespace onward
