#include "onward/cli/model_text.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace onward::cli {
namespace {

template <class F> void for_each_graph(const Graph& graph, const F& f) {
  f(graph);
  for (const Node& node : graph.nodes)
    for (const auto& [name, attribute] : node.attributes) {
      if (auto* body = std::get_if<GraphRef>(&attribute)) for_each_graph(**body, f);
      if (auto* bodies = std::get_if<std::vector<GraphRef>>(&attribute))
        for (const GraphRef& body : *bodies) for_each_graph(*body, f);
    }
}

size_t width(std::string_view utf8) {
  return size_t(std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::string shown_size(size_t bytes) {
  if (bytes < 10'000) return text(bytes, " B");
  const char* units[] = {"kB", "MB", "GB", "TB"};
  double size = double(bytes) / 1000;
  int unit = 0;
  while (size >= 1000 && unit < 3) size /= 1000, ++unit;
  char out[32];
  std::snprintf(out, sizeof out, "%.1f %s", size, units[unit]);
  return out;
}

std::string note_on_size(const ModelFile& written, const std::string& path) {
  std::string note;
  if (written.data_bytes())
    note = text("protobuf reads no file of more than 2 GiB: ", shown_size(written.data_bytes()), " of tensors lie in ", path, ".data, which belongs beside ", path);
  if (written.bytes().size() > protobuf_limit)
    note += text(note.empty() ? "" : "; ", "warning: ", path, " itself has ", shown_size(written.bytes().size()), ", so ONNX Runtime, which reads with protobuf, does not load it; onward does");
  return note;
}

size_t weight_bytes(const Graph& graph) {
  size_t bytes = 0;
  for_each_graph(graph, [&](const Graph& g) {
    for (const auto& [name, tensor] : g.initializers) bytes += tensor.bytes();
  });
  return bytes;
}

std::map<std::string, int64_t> operator_counts(const Graph& graph) {
  std::map<std::string, int64_t> counts;
  for_each_graph(graph, [&](const Graph& g) {
    for (const Node& node : g.nodes) ++counts[node.domain.empty() ? node.op : text(node.domain, " ", node.op)];
  });
  return counts;
}

nlohmann::ordered_json described(const std::vector<ValueInfo>& values) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const ValueInfo& v : values) {
    nlohmann::ordered_json one = {{"name", v.name}, {"type", shown(v.type)}};
    if (v.type.kind == TypeInfo::Kind::tensor) {
      one["element"] = name_of(v.type.element);
      one["shape"] = nullptr;
      if (v.type.shape) {
        one["shape"] = nlohmann::ordered_json::array();
        for (const DimInfo& d : *v.type.shape) {
          if (d.size) one["shape"].push_back(*d.size);
          else if (d.name.empty()) one["shape"].push_back(nullptr);
          else one["shape"].push_back(d.name);
        }
      }
    }
    all.push_back(one);
  }
  return all;
}

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    out += "  ";
    for (size_t i = 0; i < row.size(); ++i) out += row[i] + (i + 1 < row.size() ? std::string(widths[i] - width(row[i]) + 2, ' ') : "\n");
  }
  return out;
}

}  // namespace onward::cli
