// A session that answers for tables: columns to inputs by name under the model's schema, outputs to columns.
#pragma once
#include "onward/data/bind.h"
#include "onward/runtime/session.h"

namespace onward {

using NamedValues = std::vector<std::pair<std::string, Value>>;

// Any thread may use it, with any number of batches of the same columns.
class TableSession {
 public:
  // Throws Error{bad_schema, bad_data}.
  TableSession(std::shared_ptr<const Session> session, std::vector<std::string> columns, bool named = true);

  const Binder& binder() const { return binder_; }
  NamedValues run(const Table& table, const RunOptions& options = {}) const;
  Table predict(const Table& table, const RunOptions& options = {}) const;

 private:
  std::shared_ptr<const Session> session_;
  Binder binder_;
  std::vector<size_t> fields_;                           // of the session's inputs, among the schema's
};

// Inputs that the schema allows, the same every time: categories in turn, numbers across their range. For trying a model out.
NamedValues made_up_inputs(const Session& session, int64_t rows);

}  // namespace onward
