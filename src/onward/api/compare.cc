// Sessions side by side with the answers of their sources.
#include <cmath>
#include <nlohmann/json.hpp>

#include "onward/api/boundary.h"
#include "onward/validate/report.h"

using namespace onward;
using onward::api::buffer_of;
using onward::api::guarded;
using onward::api::require;

namespace {

Answers given_answers(const char* who, const char* const* names, const onward_value* const* values, size_t count, const uint8_t* refused, int64_t rows) {
  Answers answers{.who = who};
  for (size_t i = 0; i < count; ++i) {
    require(names[i], "an output name"), require(values[i], "an output");
    const Tensor* tensor = values[i]->value.tensor();
    if (!tensor || tensor->dims().empty() || tensor->dims()[0] != rows) fail(Code::bad_input, "output '", names[i], "': expected a tensor of ", rows, " rows");
    answers.outputs.emplace_back(names[i], *tensor);
  }
  if (refused) answers.refused.assign(refused, refused + rows);
  else answers.refused.assign(size_t(rows), 0);
  return answers;
}

std::optional<double> tolerance(double given, const char* name) {
  if (std::isnan(given)) return std::nullopt;
  if (given < 0) fail(Code::usage, name, " tolerance: expected 0 or more, given ", given);
  return given;
}

}  // namespace

onward_status* onward_session_compare(const onward_session* session, const onward_run_options* options, const onward_table* table, const char* who,
                                      const char* const* output_names, const onward_value* const* expected, size_t output_count,
                                      const uint8_t* refused, double relative, double absolute, onward_buffer** json, onward_buffer** html) {
  return guarded([&] {
    require(session, "session"), require(table, "table"), require(who, "who"), require(json, "json");
    if (output_count) require(output_names, "output_names"), require(expected, "expected");
    const Tolerances tolerances{tolerance(relative, "relative"), tolerance(absolute, "absolute")};
    const Answers theirs = given_answers(who, output_names, expected, output_count, refused, table->table.rows);
    std::vector<std::string> names;
    for (const Column& column : table->table.columns) names.push_back(column.name);
    const TableSession tables(session->session, std::move(names));
    const Comparison comparison = compare(theirs, answers_of(tables, table->table, options ? options->options : RunOptions{}), tolerances);
    const ReportContext context{.table = &table->table};
    std::unique_ptr<onward_buffer> page(html ? buffer_of(report_html(comparison, context)) : nullptr);
    *json = buffer_of(report_json(comparison, context).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    if (html) *html = page.release();
  });
}
