#include "onward/validate/table_session.h"

#include "onward/data/output_table.h"

namespace onward {

TableSession::TableSession(std::shared_ptr<const Session> session, std::vector<std::string> columns, bool named)
    : session_(std::move(session)), binder_(schema_of(session_->model()), std::move(columns), named) {}

NamedValues TableSession::run(const Table& table, const RunOptions& options) const {
  Tensors tensors = binder_.bind(table);
  std::vector<Value> arguments;
  for (const ValueInfo& input : session_->inputs()) arguments.emplace_back(std::move(tensors.at(input.name)));
  std::vector<Value> values = session_->run(arguments, options);
  NamedValues named;
  for (size_t i = 0; i < values.size(); ++i) named.emplace_back(session_->outputs()[i].name, std::move(values[i]));
  return named;
}

Table TableSession::predict(const Table& table, const RunOptions& options) const {
  Table out = output_table(binder_.schema(), run(table, options), table.rows);
  out.first_row = table.first_row;
  return out;
}

}  // namespace onward
