#include "onward/validate/table_session.h"

#include "onward/data/output_table.h"

namespace onward {

TableSession::TableSession(std::shared_ptr<const Session> session, std::vector<std::string> columns, bool named)
    : session_(std::move(session)), binder_(schema_of(session_->model()), std::move(columns), named) {
  const std::vector<Field>& fields = binder_.schema().inputs;
  for (const ValueInfo& input : session_->inputs()) {
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == input.name; });
    ONWARD_CHECK(field != fields.end());
    fields_.push_back(size_t(field - fields.begin()));
  }
}

NamedValues TableSession::run(const Table& table, const RunOptions& options) const {
  std::vector<Tensor> tensors = binder_.tensors(table);
  std::vector<Value> arguments;
  arguments.reserve(fields_.size());
  for (const size_t field : fields_) arguments.emplace_back(std::move(tensors[field]));
  std::vector<Value> values = session_->run(arguments, options);
  NamedValues named;
  named.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i) named.emplace_back(session_->outputs()[i].name, std::move(values[i]));
  return named;
}

Table TableSession::predict(const Table& table, const RunOptions& options) const {
  Table out = output_table(binder_.schema(), run(table, options), table.rows);
  out.first_row = table.first_row;
  return out;
}

}  // namespace onward
