#include "onward/cli/graph_html.h"

#include <map>

namespace onward::cli {
namespace {

constexpr int box_width = 190, box_height = 40, gap_x = 24, gap_y = 46;

std::string escaped(std::string_view s) {
  std::string out;
  for (char c : s) {
    if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '&') out += "&amp;";
    else if (c == '"') out += "&quot;";
    else out += c;
  }
  return out;
}

// By whole characters, from the end: names of nodes differ there.
std::string shortened(const std::string& s, size_t most) {
  if (s.size() <= most) return s;
  size_t at = s.size() - most;
  while (at < s.size() && (s[at] & 0xc0) == 0x80) ++at;
  return "…" + s.substr(at);
}

struct Box {
  std::string kind, head, below, title;                  // kind: the CSS class
  std::vector<std::string> reads, makes;
  size_t layer = 0, place = 0;
  int x() const { return int(place) * (box_width + gap_x) + gap_x; }
  int y() const { return int(layer) * (box_height + gap_y) + gap_x; }
};

std::string shown_type(const GraphTypes& types, const std::string& name) {
  const auto it = types.values.find(name);
  return it == types.values.end() ? "?" : shown(it->second);
}

std::vector<Box> boxes_of(const Graph& graph, const GraphTypes& types, size_t most_nodes) {
  std::vector<Box> boxes;
  for (const ValueInfo& v : graph.inputs)
    if (!graph.initializers.contains(v.name)) boxes.push_back({"input", v.name, shown(v.type), "input " + v.name + ": " + shown(v.type), {}, {v.name}});
  for (size_t i = 0; i < std::min(graph.nodes.size(), most_nodes); ++i) {
    const Node& node = graph.nodes[i];
    std::string title = text(node.domain.empty() ? "ai.onnx" : node.domain, ".", node.op, "\n", node.name);
    for (const auto& [name, attribute] : node.attributes) title += "\n" + name;
    for (const std::string& in : node.inputs)
      if (const auto it = graph.initializers.find(in); it != graph.initializers.end()) title += text("\n", in, ": ", shown(it->second));
    for (const std::string& out : node.outputs)
      if (!out.empty()) title += text("\n", out, ": ", shown_type(types, out));
    const std::string below = node.outputs.empty() || node.outputs[0].empty() ? node.name : shown_type(types, node.outputs[0]);
    boxes.push_back({"node", node.op, below == "?" ? node.outputs[0] : below, title, node.inputs, node.outputs});
  }
  for (const ValueInfo& v : graph.outputs) boxes.push_back({"output", v.name, shown(v.type), "output " + v.name + ": " + shown(v.type), {v.name}, {}});
  return boxes;
}

// Each box below those it reads from, beside the others of its layer.
void place(std::vector<Box>& boxes, const std::map<std::string, size_t>& makers) {
  std::map<size_t, size_t> used;
  size_t deepest = 0;
  for (Box& b : boxes) {
    for (const std::string& name : b.reads)
      if (const auto it = makers.find(name); it != makers.end() && &boxes[it->second] < &b) b.layer = std::max(b.layer, boxes[it->second].layer + 1);
    deepest = std::max(deepest, b.layer);
  }
  for (Box& b : boxes) {
    if (b.kind == "output") b.layer = deepest;
    b.place = used[b.layer]++;
  }
}

constexpr std::string_view style =
    "body{font:14px system-ui,sans-serif;margin:1em;color:#222}svg text{font:12px system-ui,sans-serif}rect{stroke:#777;rx:5}.node rect{fill:#e8f0fe}"
    ".input rect{fill:#e3f6e5}.output rect{fill:#fdeacc}path{fill:none;stroke:#999}.head{font-weight:600}.below{fill:#555}";

}  // namespace

std::string graph_html(const std::string& title, const Graph& graph, const GraphTypes& types, size_t most_nodes) {
  std::vector<Box> boxes = boxes_of(graph, types, most_nodes);
  std::map<std::string, size_t> makers;
  for (size_t i = 0; i < boxes.size(); ++i)
    for (const std::string& name : boxes[i].makes) makers.emplace(name, i);
  place(boxes, makers);
  int width = 0, height = 0;
  std::string edges, drawn;
  for (const Box& b : boxes) {
    width = std::max(width, b.x() + box_width + gap_x), height = std::max(height, b.y() + box_height + gap_x);
    for (const std::string& name : b.reads) {
      const auto it = makers.find(name);
      if (it == makers.end() || &boxes[it->second] == &b) continue;
      const Box& from = boxes[it->second];
      const int x1 = from.x() + box_width / 2, y1 = from.y() + box_height, x2 = b.x() + box_width / 2, y2 = b.y(), middle = (y1 + y2) / 2;
      edges += text("<path d=\"M", x1, " ", y1, "C", x1, " ", middle, " ", x2, " ", middle, " ", x2, " ", y2, "\"><title>", escaped(name), ": ", escaped(shown_type(types, name)), "</title></path>\n");
    }
    drawn += text("<g class=\"", b.kind, "\"><title>", escaped(b.title), "</title><rect x=\"", b.x(), "\" y=\"", b.y(), "\" width=\"", box_width, "\" height=\"", box_height, "\"/>",
                  "<text class=\"head\" x=\"", b.x() + 8, "\" y=\"", b.y() + 16, "\">", escaped(shortened(b.head, 26)), "</text>",
                  "<text class=\"below\" x=\"", b.x() + 8, "\" y=\"", b.y() + 32, "\">", escaped(shortened(b.below, 28)), "</text></g>\n");
  }
  const std::string left_out = graph.nodes.size() > most_nodes ? text("<p>Only the first ", most_nodes, " of ", graph.nodes.size(), " nodes are drawn.</p>") : std::string();
  return text("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", escaped(title), "</title><style>", style, "</style></head><body><h1>", escaped(title), "</h1>", left_out,
              "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", width, "\" height=\"", height, "\">\n", edges, drawn, "</svg></body></html>\n");
}

}  // namespace onward::cli
