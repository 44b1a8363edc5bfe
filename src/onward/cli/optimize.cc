// onward optimize: writes the graph as the engine would run it.
#include <nlohmann/json.hpp>

#include "onward/cli/call.h"
#include "onward/cli/model_text.h"
#include "onward/model/check.h"
#include "onward/model/onnx_file.h"
#include "onward/ops/infer_types.h"
#include "onward/ops/upgrade.h"
#include "onward/optimizer/optimizer.h"

namespace onward::cli {
namespace {

int optimize(Call& call) {
  const Arguments& a = call.arguments;
  Model model = load_model(a[0]);
  check(model);
  const size_t before = model.graph.nodes.size();
  modernise(model);
  const auto applied = onward::optimize(model.graph, {.only_basic = a.value("--level").value_or("all") == "basic", .disabled = a.list("--disable")});
  if (a.has("--types")) write_types(model, infer_types(model).graph);
  const std::string bytes = write_model(model);
  call.check();
  Session::load_bytes(bytes, call.session_options());    // what does not load is not written
  const std::string to = *a.value("--output");
  write_file(to, bytes);
  nlohmann::ordered_json rules = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const Applied& rule : applied) {
    rules.push_back({{"name", rule.name}, {"changes", rule.changes}, {"milliseconds", rule.milliseconds}});
    if (rule.changes) rows.push_back({std::string(rule.name), text(rule.changes, rule.changes == 1 ? " change" : " changes")});
  }
  call.out.data(text(before, " nodes -> ", model.graph.nodes.size(), " nodes, ", shown_size(bytes.size()), " -> ", to, "\n", table_text(rows)));
  call.out.answer({{"output", to}, {"bytes", bytes.size()}, {"nodes_before", before}, {"nodes", model.graph.nodes.size()}, {"applied", rules}});
  return 0;
}

}  // namespace

Command optimize_command() {
  return {.name = "optimize", .summary = "write a model as the engine would run it",
          .arguments = {{"MODEL.onnx", "the model"}},
          .options = {{"--output", "OUT.onnx", "where to write", 'o', true},
                      {"--level", "LEVEL", "basic removes and folds, all also rewrites", 0, false, false, {"basic", "all"}},
                      {"--types", "", "write the type and shape of every value into the model"},
                      {"--disable", "NAME,…", "optimisations to leave out", 0, false, true}},
          .needs = Needs::loading, .run = optimize};
}

}  // namespace onward::cli
