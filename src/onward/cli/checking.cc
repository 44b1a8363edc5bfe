#include "onward/cli/checking.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "onward/base/file.h"
#include "onward/base/sha256.h"
#include "onward/data/open_table.h"
#include "onward/validate/python.h"
#include "onward/validate/report.h"
#include "onward/validate/sample_rows.h"

namespace onward::cli {
namespace {

std::optional<double> optional_number(const Arguments& a, std::string_view option) {
  return a.has(option) ? std::optional(a.number(option, 0)) : std::nullopt;
}

// The rows to compare on: those of the file, then --search made-up ones.
Table rows_to_compare(const Arguments& a, const Schema& schema, const std::string& data, int64_t search) {
  Table table;
  std::vector<std::string> names = columns_of(schema);
  if (!data.empty()) {
    const auto reader = open_table(data);
    const Binder binder(schema, reader->names(), reader->named());
    reader->plan(binder.plan());
    table = read_all(*reader);
    if (table.rows == 0) fail(Code::bad_data, data, ": the table has no rows");
  }
  if (search) append_sample_rows(table, schema, search, uint64_t(a.integer("--seed", 1, 0)));
  return table;
}

std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const Column& c : table.columns) names.push_back(c.name);
  return names;
}

int print(Call& call, const Comparison& comparison, const ReportContext& context) {
  call.out.data(report_text(comparison, context));
  if (const auto to = call.arguments.value("--report")) {
    const bool json = to->ends_with(".json");
    write_file(*to, json ? report_json(comparison, context).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) : report_html(comparison, context));
    call.out.message(text("the report is in ", *to));
  }
  call.out.answer(report_json(comparison, context));
  return comparison.ok() ? 0 : 1;
}

}  // namespace

void ask_for_trust(const Call& call, const std::string& source) {
  if (call.arguments.has("--trust")) return;
  if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
    throw Error(Code::usage, text("comparing with the source lets Python load ", source, ", which may run code that is in it"),
                "give --trust if you know where the file comes from, or compare with recorded outputs: --expected OUT.npz");
  std::fprintf(stderr, "Python will load %s, which may run code that is in it. Do you trust the file? [y/N] ", source.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  if (answer != "y" && answer != "Y" && answer != "yes") throw Error(Code::usage, "not compared: the source is not trusted");
}

int check_converted(Call& call, const std::shared_ptr<const Session>& session, std::string_view model_bytes, const std::string& source, const std::string& data) {
  const Arguments& a = call.arguments;
  const bool validating = !a.declares("--check");
  const auto expected_file = validating ? a.value("--expected") : std::nullopt;
  if (!expected_file) ask_for_trust(call, source);
  const int64_t search = validating ? a.integer("--search", data.empty() ? 1000 : 0, 0) : 0;
  const Table table = rows_to_compare(a, schema_of(session->model()), data, search);
  const TableSession tables(session, names_of(table));
  const Answers given = answers_of(tables, table, call.run_options());
  call.check();
  Answers expected;
  if (expected_file) {
    expected = recorded_answers(*expected_file, table.rows);
  } else {
    const auto python = find_python(validating ? a.value("--python").value_or("") : "");
    if (!python) throw Error(Code::io, "no Python was found to run the source with", "name one with --python, or use --expected OUT.npz");
    const RunOptions limits = call.run_options();
    expected = answers_of_source({*python, source, limits.cancel, limits.time_limit_seconds}, tables.binder(), *session, table);
  }
  const Tolerances tolerances = validating ? Tolerances{optional_number(a, "--rtol"), optional_number(a, "--atol")} : Tolerances{};
  ReportContext context{.source = source, .data = data, .model_sha256 = sha256(model_bytes), .table = &table};
  if (validating) {
    context.model = a[0];
    context.command = text("onward validate ", a[0], source.empty() ? "" : " --source " + source, data.empty() ? "" : " --data " + data, expected_file ? " --expected " + *expected_file : "",
                           search ? text(" --search ", search, " --seed ", a.integer("--seed", 1, 0)) : "");
  }
  if (!source.empty()) context.source_sha256 = sha256(map_file(source).bytes);
  return print(call, compare(expected, given, tolerances), context);
}

}  // namespace onward::cli
