#include "onward/cli/opsets.h"

#include "onward/data/open_table.h"
#include "onward/validate/same_answers.h"

namespace onward::cli {

bool asks_for_opsets(const Arguments& a) { return a.has("--opset") || a.has("--ml-opset"); }

std::vector<std::string> ChangedOpsets::lost() const {
  std::vector<std::string> all = conversion.lost;
  if (!difference.empty()) all.push_back("the answers differ: " + difference);
  return all;
}

ChangedOpsets change_opsets(Call& call, Model& model, const std::optional<std::string>& data) {
  const Arguments& a = call.arguments;
  Opsets target;
  if (a.has("--opset")) target[""] = a.integer("--opset", 0, 1);
  if (a.has("--ml-opset")) target["ai.onnx.ml"] = a.integer("--ml-opset", 0, 1);
  std::optional<Table> rows;
  if (data) {
    rows = open_table(*data)->next();
    if (!rows) fail(Code::bad_data, *data, ": there are no rows to compare on");
  }
  const auto before = std::make_shared<const Session>(model, call.session_options());
  ChangedOpsets out{convert_opsets(model, target)};
  call.check();
  const auto after = std::make_shared<const Session>(model, call.session_options());
  const SameAnswers same = same_answers(before, after, rows ? &*rows : nullptr, call.run_options());
  out.compared = same.elements, out.not_compared = same.why_not_run;
  if (!same.why_not_run.empty()) call.out.message("not compared: " + same.why_not_run);
  if (!same.difference.empty() && out.conversion.lost.empty())
    throw Error(Code::difference, text("written for these opsets the model answers otherwise: ", same.difference), "please report it with the model");
  out.difference = same.difference;
  for (const std::string& lost : out.lost()) call.out.message("warning: " + lost);
  for (const std::string& note : out.conversion.notes) call.out.message("note: " + note);
  return out;
}

}  // namespace onward::cli
