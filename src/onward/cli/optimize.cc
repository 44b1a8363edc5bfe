// onward optimize: writes the graph as the engine would run it, or for other opsets as it stands.
#include <nlohmann/json.hpp>

#include "onward/cli/call.h"
#include "onward/cli/model_text.h"
#include "onward/cli/opsets.h"
#include "onward/model/check.h"
#include "onward/model/onnx_file.h"
#include "onward/ops/infer_types.h"
#include "onward/ops/upgrade.h"
#include "onward/optimizer/optimizer.h"

namespace onward::cli {
namespace {

std::string opsets_text(const Opsets& opsets) {
  std::string out;
  for (const auto& [domain, version] : opsets) out += text(out.empty() ? "" : ", ", domain.empty() ? "ai.onnx" : domain, " ", version);
  return out;
}

// The graph keeps its structure: names, functions, metadata; only what another opset writes otherwise changes.
int write_for_opsets(Call& call, Model model) {
  const Arguments& a = call.arguments;
  for (const char* option : {"--level", "--disable", "--types"})
    if (a.has(option)) throw Error(Code::usage, text(option, " does not go with --opset or --ml-opset, which leave the graph as it is"), "optimize first, then change the opsets");
  const ChangedOpsets changed = change_opsets(call, model, a.value("--data"));
  const std::string to = *a.value("--output");
  ModelFile written(model, to);
  written.commit();
  if (const std::string note = note_on_size(written, to); !note.empty()) call.out.message(note);
  call.out.data(text(changed.conversion.changed, changed.conversion.changed == 1 ? " node" : " nodes", " written otherwise, ", opsets_text(model.opsets), ", IR ", model.ir_version, ", ",
                     changed.not_compared.empty() ? text(changed.compared, " answers are the same, ") : "", shown_size(written.bytes().size()), " -> ", to, "\n"));
  call.out.answer({{"output", to}, {"bytes", written.bytes().size()}, {"opsets", model.opsets}, {"ir_version", model.ir_version}, {"changed", changed.conversion.changed},
                   {"lost", changed.lost()}, {"notes", changed.conversion.notes}, {"compared", changed.compared}, {"nodes", model.graph.nodes.size()}});
  return 0;
}

int optimize(Call& call) {
  const Arguments& a = call.arguments;
  Model model = load_model(a[0]);
  if (asks_for_opsets(a)) return write_for_opsets(call, std::move(model));
  if (a.has("--data")) throw Error(Code::usage, "--data goes with --opset or --ml-opset", "");
  check(model);
  const size_t before = model.graph.nodes.size();
  modernise(model);
  const auto applied = onward::optimize(model.graph, {.only_basic = a.value("--level").value_or("all") == "basic", .disabled = a.list("--disable")});
  if (a.has("--types")) write_types(model, infer_types(model).graph);
  const std::string to = *a.value("--output");
  ModelFile written(model, to);
  call.check();
  Session(written.read(), call.session_options());       // what does not load is not written
  written.commit();
  if (const std::string note = note_on_size(written, to); !note.empty()) call.out.message(note);
  nlohmann::ordered_json rules = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const Applied& rule : applied) {
    rules.push_back({{"name", rule.name}, {"changes", rule.changes}, {"milliseconds", rule.milliseconds}});
    if (rule.changes) rows.push_back({std::string(rule.name), text(rule.changes, rule.changes == 1 ? " change" : " changes")});
  }
  call.out.data(text(before, " nodes -> ", model.graph.nodes.size(), " nodes, ", shown_size(written.bytes().size()), " -> ", to, "\n", table_text(rows)));
  call.out.answer({{"output", to}, {"bytes", written.bytes().size()}, {"nodes_before", before}, {"nodes", model.graph.nodes.size()}, {"applied", rules}});
  return 0;
}

}  // namespace

Command optimize_command() {
  return {.name = "optimize", .summary = "write a model as the engine would run it, or for other opsets",
          .arguments = {{"MODEL.onnx", "the model"}},
          .options = {{"--output", "OUT.onnx", "where to write", 'o', true},
                      {"--level", "LEVEL", "basic removes and folds, all also rewrites", 0, false, false, {"basic", "all"}},
                      {"--types", "", "write the type and shape of every value into the model"},
                      {"--disable", "NAME,…", "optimisations to leave out", 0, false, true},
                      opset_option, ml_opset_option,
                      {"--data", "DATA", "with those: a table to compare the answers on (default: made-up inputs)"}},
          .needs = Needs::running,
          .more = "With --opset or --ml-opset the graph stays as it is, and only nodes that another version writes otherwise change. What has no form\n"
                  "there ends with exit code 4 and the node's name. The answers before and after are compared.\n",
          .run = optimize};
}

}  // namespace onward::cli
