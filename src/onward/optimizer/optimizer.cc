#include "onward/optimizer/optimizer.h"

#include <algorithm>
#include <chrono>

#include "onward/base/suggest.h"
#include "onward/optimizer/passes.h"
#include "onward/optimizer/rules.h"

namespace onward {
namespace {

struct Optimisation {
  std::string_view name;
  int (*run)(Graph&, const OptimizeOptions&);
  bool basic;
};

constexpr Optimisation all[] = {
    {"remove-identities", passes::remove_identities, true},
    {"fold-constants", passes::fold_constants, true},
    {"merge-equal-nodes", passes::merge_equal_nodes, true},
    {"rewrite", rewrite, false},
    {"remove-dead-nodes", passes::remove_dead_nodes, true},
};

constexpr Optimisation for_sessions[] = {                  // in this order, once
    {"drop-input-casts", passes::drop_input_casts, false},
    {"fuse-ngram-products", passes::fuse_ngram_products, false},
    {"fuse-columns", passes::fuse_columns, false},
    {"fuse-radial-kernel", passes::fuse_radial_kernel, false},
    {"fuse-dense", passes::fuse_dense, false},
    {"fuse-nearest-rows", passes::fuse_nearest_rows, false},
    {"run-by-rows", passes::run_by_rows, false},
};

void check_names(const std::vector<std::string>& disabled) {
  std::vector<std::string> known;
  for (std::string_view name : optimization_names()) known.emplace_back(name);
  for (const std::string& name : disabled) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto near = nearest(name, known);
    throw Error(Code::usage, text("there is no optimisation '", name, "'"), near ? text("did you mean '", *near, "'?") : std::string());
  }
}

int apply(const Optimisation& o, Graph& graph, const OptimizeOptions& options, Applied& applied) {
  if ((options.only_basic && !o.basic) || std::find(options.disabled.begin(), options.disabled.end(), o.name) != options.disabled.end()) return 0;
  const auto from = std::chrono::steady_clock::now();
  const int changes = o.run(graph, options);
  applied.changes += changes;
  applied.milliseconds += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - from).count();
  return changes;
}

void optimize_into(Graph& graph, const OptimizeOptions& options, std::vector<Applied>& applied, int depth) {
  constexpr int deepest = 64;
  if (depth > deepest) return;
  for (Node& node : graph.nodes)
    for (auto& [name, a] : node.attributes) if (auto* g = std::get_if<GraphRef>(&a); g && *g) {
      Graph inner = **g;
      optimize_into(inner, options, applied, depth + 1);
      *g = std::make_shared<const Graph>(std::move(inner));
    }
  constexpr int rounds = 8;                               // what one optimisation changes may let another in
  for (int round = 0, changes = 1; round < rounds && changes; ++round) {
    changes = 0;
    for (size_t i = 0; i < std::size(all); ++i) {
      changes += apply(all[i], graph, options, applied[i]);
    }
  }
}

}  // namespace

std::vector<Applied> optimize(Graph& graph, const OptimizeOptions& options) {
  check_names(options.disabled);
  std::vector<Applied> applied;
  for (const Optimisation& o : all) applied.push_back({o.name, 0, 0});
  optimize_into(graph, options, applied, 0);
  return applied;
}

std::vector<Applied> optimize_for_session(Graph& graph, const OptimizeOptions& options) {
  std::vector<Applied> applied;
  for (const Optimisation& o : for_sessions) apply(o, graph, options, applied.emplace_back(Applied{o.name, 0, 0}));
  return applied;
}

std::vector<std::string_view> optimization_names() {
  std::vector<std::string_view> out;
  for (const Optimisation& o : all) out.push_back(o.name);
  for (const Optimisation& o : for_sessions) out.push_back(o.name);
  for (const Rule& rule : rules()) out.push_back(rule.name);
  return out;
}

}  // namespace onward
