// The answers of one side of a comparison: its outputs for all rows, and the rows it refuses to answer.
#pragma once
#include "onward/validate/table_session.h"

namespace onward {

struct Answers {
  std::string who;                                       // "scikit-learn 1.9.1", "onward 0.1.0", a file's name
  std::vector<std::pair<std::string, Tensor>> outputs;   // the first axis is the rows'; refused rows hold NaN, 0 or ""
  std::vector<uint8_t> refused;                          // by row: 1 where there is no answer
  std::string why_refused;                               // of the first such row
  double seconds = 0;                                    // of the predictions alone
};

// Runs the session over the table, batch by batch; rows that the schema's policies refuse are found one by one.
Answers answers_of(const TableSession& session, const Table& table, const RunOptions& options);

// The fitted model's own library, in a Python process: only this runs code that a file may hold. The session says which columns the
// model takes and which outputs are compared. Throws Error{bad_file, unsupported_estimator, …} with what Python said.
struct SourceRun {
  std::string python, source;
  const std::atomic<bool>* cancel = nullptr;
  double time_limit_seconds = 0;
};
Answers answers_of_source(const SourceRun& run, const Binder& binder, const Session& session, const Table& table);

// Recorded outputs: an .npz archive with an array for each output.
Answers recorded_answers(const std::string& path, int64_t rows);

}  // namespace onward
