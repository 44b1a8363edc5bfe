// onward predict: a table in, a table out, batch by batch.
#include <nlohmann/json.hpp>

#include "onward/cli/call.h"
#include "onward/cli/terminal.h"
#include "onward/data/open_table.h"
#include "onward/validate/table_session.h"

namespace onward::cli {
namespace {

void check_provider(const std::string& name) {
  if (name != "cpu") throw Error(Code::usage, text("--provider: no execution provider is called '", name, "'"), "this build has cpu");
}

CsvOptions csv_options(const Arguments& arguments) {
  CsvOptions csv;
  csv.batch_rows = arguments.integer("--batch", csv.batch_rows);
  if (arguments.has("--missing")) csv.missing = arguments.list("--missing"), csv.missing.emplace_back("");
  return csv;
}

// The kept columns first, then the model's.
Table with_kept(const Table& batch, std::span<const std::string> keep, Table answers) {
  std::vector<Column> kept;
  for (const std::string& name : keep) {
    if (answers.find(name)) throw Error(Code::usage, text("--keep ", name, ": the model's answers have a column of this name"));
    kept.push_back(*batch.find(name));
  }
  answers.columns.insert(answers.columns.begin(), std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
  return answers;
}

int predict(Call& call) {
  const Arguments& a = call.arguments;
  check_provider(a.value("--provider").value_or("cpu"));
  const auto start = std::chrono::steady_clock::now();
  const std::vector<std::string> keep = a.list("--keep");
  const std::string to = *a.value("--output");
  const auto reader = open_table(a[1], csv_options(a));
  const TableSession session(Session::load(a[0], call.session_options()), reader->names(), reader->named());
  reader->plan(session.binder().plan(keep));
  const auto writer = create_table(to);
  Progress progress("rows", call.out.quiet);
  int64_t rows = 0;
  while (const std::optional<Table> batch = reader->next()) {
    call.check();
    writer->write(with_kept(*batch, keep, session.predict(*batch, call.run_options())));
    progress.at(rows += batch->rows);
  }
  writer->finish();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (to != "-" || !call.out.json) call.out.message(text(rows, " rows in ", int64_t(seconds * 1000), " ms", to == "-" ? "" : " -> " + to));
  if (to != "-") call.out.answer({{"rows", rows}, {"seconds", seconds}, {"output", to}});
  return 0;
}

}  // namespace

Command predict_command() {
  return {.name = "predict", .summary = "run a model on a table's rows",
          .arguments = {{"MODEL.onnx", "the model; its schema says which columns it takes"}, {"DATA", "a table: CSV, JSON, npy, npz (by content); - is stdin"}},
          .options = {{"--output", "OUT", "a table: .csv, .tsv, .json, .jsonl, .npy, .npz; - is CSV on stdout", 'o', true},
                      {"--batch", "N", "rows at a time (default 8192)"},
                      {"--keep", "COL,…", "columns of the table to copy in front of the answers", 0, false, true},
                      {"--missing", "TEXT,…", "texts that stand for a missing value (default: those that pandas takes)", 0, false, true},
                      {"--provider", "P", "execution provider (default cpu)"}},
          .needs = Needs::running, .run = predict};
}

}  // namespace onward::cli
