#include "onward/model/check_functions.h"

namespace onward {
namespace {

std::string key(std::string_view domain, std::string_view name, std::string_view overload) {
  return text(domain, ".", name, overload.empty() ? "" : ":", overload);
}

class Calls {
 public:
  explicit Calls(const Model& model) {
    for (const Function& f : model.functions) {
      if (f.name.empty()) fail(Code::bad_model, "a function of domain '", f.domain, "' has no name");
      if (!all_.emplace(shown(f), Entry{&f}).second) fail(Code::bad_model, "function ", shown(f), " is defined twice");
    }
    for (auto& [name, entry] : all_) size(name, entry, 0);
  }

  // Nodes after every call was replaced by the function's body.
  uint64_t size(const std::vector<Node>& nodes, int depth) {
    constexpr uint64_t most = uint64_t{1} << 24;
    uint64_t n = 0;
    for (const Node& node : nodes) {
      n += 1;
      if (const auto it = all_.empty() ? all_.end() : all_.find(key(node.domain, node.op, node.overload)); it != all_.end()) n += size(it->first, it->second, depth + 1);
      for (const auto& [name, a] : node.attributes) {
        if (auto* g = std::get_if<GraphRef>(&a); g && *g) n += size((*g)->nodes, depth);
        if (auto* graphs = std::get_if<std::vector<GraphRef>>(&a)) for (const GraphRef& g : *graphs) if (g) n += size(g->nodes, depth);
      }
      if (n > most) fail(Code::limit_size, "with its functions unfolded the model has more than ", most, " nodes");
    }
    return n;
  }

 private:
  struct Entry {
    const Function* function = nullptr;
    enum { untouched, entered, done } state = untouched;
    uint64_t size = 0;
  };

  uint64_t size(const std::string& name, Entry& entry, int depth) {
    constexpr int deepest = 64;
    if (depth > deepest) fail(Code::limit_size, "functions call each other more than ", deepest, " deep");
    if (entry.state == Entry::entered) fail(Code::bad_model, "function ", name, " calls itself");
    if (entry.state == Entry::done) return entry.size;
    entry.state = Entry::entered;
    entry.size = size(entry.function->nodes, depth);
    entry.state = Entry::done;
    return entry.size;
  }

  std::map<std::string, Entry> all_;                     // in the order of their names, in which errors are found
};

}  // namespace

std::string shown(const Function& f) { return key(f.domain, f.name, f.overload); }

void check_functions(const Model& model) {
  Calls(model).size(model.graph.nodes, 0);
}

}  // namespace onward
