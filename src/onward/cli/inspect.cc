// onward inspect: what is in a model, of what type and shape every value is, and with --why what keeps it from running here.
#include <nlohmann/json.hpp>

#include "onward/cli/call.h"
#include "onward/cli/graph_html.h"
#include "onward/cli/graph_text.h"
#include "onward/cli/model_text.h"
#include "onward/formats/source.h"
#include "onward/model/check.h"
#include "onward/model/onnx_file.h"
#include "onward/ops/upgrade.h"

namespace onward::cli {
namespace {

std::string shortened(std::string s) {
  constexpr size_t most = 60;
  for (char& c : s)
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  if (s.size() > most) s.resize(most), s += "…";
  return s;
}

std::string in_words(const Model& m, size_t file_bytes) {
  std::string out = text("IR ", m.ir_version);
  for (const auto& [domain, version] : m.opsets) out += text(", ", domain.empty() ? "ai.onnx" : domain, " ", version);
  if (!m.producer.empty()) out += text(", written by ", m.producer, " ", m.producer_version);
  out += text("\n", m.graph.nodes.size(), " nodes, ", m.graph.initializers.size(), " weights of ", shown_size(weight_bytes(m.graph)), ", ", shown_size(file_bytes), " in the file\n");
  const auto values = [&](const char* title, const std::vector<ValueInfo>& all) {
    std::vector<std::vector<std::string>> rows;
    for (const ValueInfo& v : all)
      if (!m.graph.initializers.contains(v.name)) rows.push_back({v.name, shown(v.type)});
    out += text("\n", title, "\n", table_text(rows));
  };
  values("Inputs", m.graph.inputs);
  values("Outputs", m.graph.outputs);
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, count] : operator_counts(m.graph)) rows.push_back({name, text(count)});
  out += text("\nOperators\n", table_text(rows));
  rows.clear();
  for (const auto& [key, value] : m.metadata) rows.push_back({key, shortened(value)});
  if (!rows.empty()) out += text("\nMetadata\n", table_text(rows));
  return out;
}

// What keeps the model from running, each thing once.
std::vector<std::string> refusals(const Model& model) {
  std::vector<std::string> found = missing_operators(model);
  if (!found.empty()) return found;
  try {
    Session session(model);
  } catch (const Error& e) {
    found.push_back(e.message);
  }
  return found;
}

// A model that breaks the standard's rules is still shown: nothing is known of its values.
InferredTypes types_of(const Model& model) {
  InferredTypes types;
  try {
    check(model);
    types = infer_types(model);
  } catch (const Error& e) {
    types.problems.push_back(e);
  }
  return types;
}

std::string contradictions(const std::vector<Error>& problems) {
  std::string out = problems.empty() ? "" : "\nContradictions\n";
  for (const Error& e : problems) out += "  " + e.message + "\n";
  return out;
}

nlohmann::ordered_json described(const Model& m, const InferredTypes& types, const std::string& path, size_t file_bytes) {
  nlohmann::ordered_json out = {{"file", path}, {"bytes", file_bytes}, {"ir_version", m.ir_version}, {"opsets", m.opsets},
                                {"producer", m.producer}, {"producer_version", m.producer_version}, {"nodes", m.graph.nodes.size()},
                                {"weights", m.graph.initializers.size()}, {"weight_bytes", weight_bytes(m.graph)},
                                {"inputs", cli::described(m.graph.inputs)}, {"outputs", cli::described(m.graph.outputs)},
                                {"operators", operator_counts(m.graph)}, {"metadata", m.metadata}, {"graph", described_nodes(m.graph, types.graph)}};
  out["contradictions"] = nlohmann::ordered_json::array();
  for (const Error& e : types.problems) out["contradictions"].push_back(e.message);
  return out;
}

int inspect(Call& call) {
  const std::string& path = call.arguments[0];
  const MappedFile file = map_file(path);
  const bool fitted = formats::kind_of(file.bytes) == formats::FileKind::fitted;
  Model model = fitted ? formats::convert_file(path, {.own_ops = true}) : load_model(path);
  const InferredTypes types = types_of(model);
  if (call.arguments.has("--check") && !types.problems.empty()) throw types.problems.front();
  write_types(model, types.graph);
  // Of a graph of a million nodes the description takes gigabytes.
  nlohmann::ordered_json answer = call.out.json ? described(model, types, path, file.bytes.size()) : nlohmann::ordered_json();
  call.out.data(fitted ? text("A fitted model; this is the ONNX model it becomes.\n") : std::string());
  call.out.data(in_words(model, file.bytes.size()));
  if (call.arguments.has("--nodes")) call.out.data("\nNodes\n" + table_text(node_rows(model.graph, types.graph)));
  call.out.data(contradictions(types.problems));
  int code = 0;
  if (call.arguments.has("--why")) {
    const std::vector<std::string> why = refusals(model);
    answer["runs"] = why.empty(), answer["why_not"] = why;
    call.out.data(why.empty() ? "\nIt runs here.\n" : "\nIt does not run here:\n");
    for (const std::string& reason : why) call.out.data("  " + reason + "\n");
    code = why.empty() ? 0 : 4;
  }
  if (const auto to = call.arguments.value("--html")) {
    write_file(*to, graph_html(path, model.graph, types.graph));
    call.out.message(text("the graph is drawn in ", *to));
  }
  call.out.answer(answer);
  return code;
}

}  // namespace

Command inspect_command() {
  return {.name = "inspect", .summary = "what is in a model: inputs, outputs, operators, metadata, size",
          .arguments = {{"MODEL", "an .onnx file, or a fitted model"}},
          .options = {{"--nodes", "", "list every node with the type and shape of what it makes"},
                      {"--check", "", "fail where types or shapes contradict each other"},
                      {"--why", "", "list everything that keeps the model from running here; exit code 4 if there is any"},
                      {"--html", "FILE", "draw the graph as one page"}}, .needs = Needs::loading, .run = inspect};
}

}  // namespace onward::cli
