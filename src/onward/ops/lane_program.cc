#include "onward/ops/lane_program.h"

#include <algorithm>
#include <cstring>

#include "onward/base/names.h"
#include "onward/ops/node_types.h"
#include "onward/ops/row_lanes.h"

namespace onward {

namespace {

constexpr int64_t line_bytes = 64;
constexpr int64_t most_bytes = 256 << 10;                // of a block: about half of a second-level cache
constexpr Types laid = f32 | f64 | i64 | i32 | b8;       // types that rows are laid side by side of

}  // namespace

// Values in the order in which they are made; memory of those that nothing reads any more is taken again.
struct LaneCompiler {
  const Graph& graph;
  const Preparation& at;
  LaneProgram& program;
  ByBorrowedName<LaneValue> values = {};
  ByBorrowedName<std::string_view> roots = {};           // of values that are others under another shape
  ByBorrowedName<size_t> last_reads = {};                // of roots
  std::vector<std::pair<int64_t, int64_t>> free = {};    // where, bytes
  struct Operation {
    const Operator* op = nullptr;
    LaneForm form = nullptr;
    std::shared_ptr<const void> self = {};
    std::vector<LaneValue> outputs = {};
  };
  std::vector<Operation> operations = {};

  bool all() {
    for (const ValueInfo& v : graph.inputs) if (!input(v)) return false;
    for (const Node& node : graph.nodes) if (!inferred(node)) return false;
    find_last_reads();
    for (const ValueInfo& v : graph.inputs) program.inputs_.push_back(placed(v.name));
    for (size_t i = 0; i < graph.nodes.size(); ++i) if (!compiled(i)) return false;
    for (const ValueInfo& v : graph.outputs) {
      if (!values.contains(v.name)) return false;
      program.outputs_.push_back(values.at(v.name));
    }
    return program.bytes_ <= most_bytes;
  }

  bool input(const ValueInfo& v) {
    if (v.type.kind != TypeInfo::Kind::tensor || !contains(laid, v.type.element) || !v.type.shape || v.type.shape->empty()) return false;
    LaneValue value{v.type.element, {program.lanes_}};
    for (size_t axis = 1; axis < v.type.shape->size(); ++axis) {
      const auto size = (*v.type.shape)[axis].size;
      if (!size || *size < 1) return false;
      value.dims.push_back(*size);
    }
    return values.emplace(v.name, value).second;
  }
  LaneValue value(const std::string& name) const {
    if (name.empty()) return {};
    if (const auto it = values.find(name); it != values.end()) return it->second;
    const Tensor* t = at.constant ? at.constant(name) : nullptr;
    return t ? LaneValue{t->type(), t->dims(), t} : LaneValue{};
  }
  bool inferred(const Node& node) {
    Operation o{find_operator(node.domain, node.op), lane_form(node)};
    if (!o.op || (!o.form && !o.op->facts.shares_input)) return false;
    std::vector<Fact> in, out(node.outputs.size());
    for (const std::string& name : node.inputs) {
      const LaneValue v = value(name);
      if (!name.empty() && v.type == DataType::none) return false;
      in.push_back(v.type == DataType::none ? Fact{} : Fact{v.type, v.dims, v.constant, {}});
    }
    o.self = o.op->create({node, [](std::string_view) -> const Tensor* { return nullptr; }, {}});       // weights are laid out otherwise here
    NodeTypes(signature(node.domain, node.op), out.size()).begin(in, out);
    Inference io{in, out};
    o.op->infer(o.self.get(), io);
    for (size_t k = 0; k < out.size(); ++k) {
      if (!out[k].dims || out[k].dims->empty() || out[k].dims->front() != program.lanes_ || (!contains(laid, out[k].type) && out[k].type != DataType::str)) return false;
      o.outputs.push_back({out[k].type, *out[k].dims});
      if (o.outputs[k].columns() < 1) return false;
      values[node.outputs[k]] = o.outputs[k];
    }
    if (o.op->facts.shares_input) roots[node.outputs[0]] = root(node.inputs[0]);
    operations.push_back(std::move(o));
    return true;
  }

  std::string_view root(const std::string& name) const {
    const auto it = roots.find(name);
    return it == roots.end() ? std::string_view(name) : it->second;
  }
  void find_last_reads() {
    for (size_t i = 0; i < graph.nodes.size(); ++i) for (const std::string& name : graph.nodes[i].inputs) last_reads[root(name)] = i;
    for (const ValueInfo& v : graph.outputs) last_reads[root(v.name)] = graph.nodes.size();
  }
  bool dies(const std::string& name, size_t node) const {
    const auto it = last_reads.find(root(name));
    return values.contains(name) && it != last_reads.end() && it->second == node;
  }
  int64_t bytes(const LaneValue& v) const { return v.columns() * program.lanes_ * int64_t(lane_size(v.type)); }

  const LaneValue& placed(const std::string& name) {
    LaneValue& v = values.at(name);
    const int64_t size = bytes(v);
    const auto fits = std::find_if(free.begin(), free.end(), [&](const auto& room) { return room.second == size; });
    if (fits != free.end()) v.at = fits->first, free.erase(fits);
    else v.at = program.bytes_, program.bytes_ += (size + 63) / 64 * 64;
    return v;
  }
  bool compiled(size_t i) {
    const Node& node = graph.nodes[i];
    Operation& o = operations[i];
    LaneSite site{*o.op, o.self.get(), {}, {}, program.lanes_};
    std::vector<LaneValue> in;
    for (const std::string& name : node.inputs) in.push_back(value(name));
    site.inputs = in;
    if (o.op->facts.shares_input) {
      if (in[0].at < 0 || in[0].columns() != o.outputs[0].columns()) return false;
      values.at(node.outputs[0]).at = in[0].at;
      return true;
    }
    if (node.outputs.size() != 1) return false;
    int64_t overwritten = -1;
    if (o.op->facts.in_place)
      for (size_t k = 0; k < in.size() && overwritten < 0; ++k)
        if (in[k].at >= 0 && dies(node.inputs[k], i) && in[k].dims == o.outputs[0].dims && in[k].type == o.outputs[0].type &&
            std::all_of(in.begin(), in.end(), [&](const LaneValue& other) { return other.at != in[k].at || other.dims == in[k].dims; }))
          overwritten = in[k].at;
    if (overwritten >= 0) values.at(node.outputs[0]).at = overwritten;
    else placed(node.outputs[0]);
    site.output = values.at(node.outputs[0]);
    LaneStep step = o.form(site);
    if (!step) return false;
    program.steps_.push_back({o.self, std::move(step)});
    for (const LaneValue& v : in) if (v.constant) program.constants_ += v.constant->size();
    for (size_t k = 0; k < in.size(); ++k)
      if (in[k].at >= 0 && in[k].at != overwritten && dies(node.inputs[k], i) && std::none_of(free.begin(), free.end(), [&](const auto& room) { return room.first == in[k].at; }))
        free.emplace_back(in[k].at, bytes(in[k]));
    return true;
  }
};

std::unique_ptr<const LaneProgram> LaneProgram::of(const Graph& graph, const Preparation& at, int64_t lanes) {
  auto program = std::make_unique<LaneProgram>();
  program->lanes_ = lanes;
  try {
    if (LaneCompiler{graph, at, *program}.all()) return program;
  } catch (const Error&) {                                // it belongs to the run
  } catch (const NothingKnown&) {
  }
  return nullptr;
}

// A kernel takes some 60 nanoseconds and 0.1 for each constant and row; a step 10, and 0.6 for each constant of sixteen lanes.
bool LaneProgram::pays_for(int64_t rows) const {
  const auto constants = double(constants_), steps = double(steps_.size());
  return 10 * steps + 0.04 * double(lanes_) * constants <= 60 * steps + 0.1 * constants * double(rows);
}

namespace {

// Rows to lanes; of missing rows the last is repeated, so that no number comes up that no row has.
template <class U> void lay(const char* from, int64_t columns, int64_t rows, int64_t lanes, char* to) {
  const U* x = reinterpret_cast<const U*>(from);
  U* side = reinterpret_cast<U*>(to);
  for (int64_t r = 0; r < lanes; ++r, x += r < rows ? columns : 0) for (int64_t c = 0; c < columns; ++c) side[c * lanes + r] = x[c];
}
void lay(const LaneValue& v, const char* from, int64_t rows, int64_t lanes, char* to) {
  const int64_t columns = v.columns();
  if (rows == lanes && columns > 1 && v.type == DataType::f64) return lay_side_by_side(reinterpret_cast<const double*>(from), columns, reinterpret_cast<double*>(to), lanes, false);
  if (rows == lanes && columns > 1 && v.type == DataType::f32) return lay_side_by_side(reinterpret_cast<const float*>(from), columns, reinterpret_cast<float*>(to), lanes, false);
  switch (size_of(v.type)) {
    case 1: return lay<uint8_t>(from, columns, rows, lanes, to);
    case 4: return lay<uint32_t>(from, columns, rows, lanes, to);
    default: return lay<uint64_t>(from, columns, rows, lanes, to);
  }
}

template <class U> void store(const char* from, int64_t columns, int64_t rows, int64_t lanes, char* to) {
  const U* side = reinterpret_cast<const U*>(from);
  U* y = reinterpret_cast<U*>(to);
  if (columns == 1) std::copy_n(side, rows, y);
  else if (columns == 2) for (int64_t r = 0; r < rows; ++r) y[2 * r] = side[r], y[2 * r + 1] = side[lanes + r];
  else for (int64_t r = 0; r < rows; ++r) for (int64_t c = 0; c < columns; ++c) *y++ = side[c * lanes + r];
}
void store(const LaneValue& v, const char* from, int64_t rows, int64_t lanes, char* to) {
  const int64_t columns = v.columns();
  if (v.type == DataType::str) {
    const auto* side = reinterpret_cast<const std::string* const*>(from);
    auto* y = reinterpret_cast<std::string*>(to);
    for (int64_t r = 0; r < rows; ++r) for (int64_t c = 0; c < columns; ++c) *y++ = *side[c * lanes + r];
    return;
  }
  switch (size_of(v.type)) {
    case 1: return store<uint8_t>(from, columns, rows, lanes, to);
    case 4: return store<uint32_t>(from, columns, rows, lanes, to);
    default: return store<uint64_t>(from, columns, rows, lanes, to);
  }
}

}  // namespace

void LaneProgram::run(std::span<const char* const> inputs, std::span<char* const> outputs, int64_t rows, char* block, int64_t ahead) const {
  for (size_t i = 0; i < inputs_.size(); ++i) lay(inputs_[i], inputs[i], rows, lanes_, block + inputs_[i].at);
  const auto steps = int64_t(steps_.size());
  for (int64_t k = 0; k < steps; ++k) {
    // The rows ahead are asked for bit by bit, so that they come while steps compute.
    if (ahead > 0) for (size_t i = 0; i < inputs_.size(); ++i) {
      const int64_t row = inputs_[i].columns() * int64_t(size_of(inputs_[i].type)), bytes = ahead * row;
      const char* const next = inputs[i] + rows * row;
      for (const char *line = next + bytes * k / steps, *end = next + bytes * (k + 1) / steps; line < end; line += line_bytes) __builtin_prefetch(line);
    }
    steps_[size_t(k)].run(block);
  }
  for (size_t k = 0; k < outputs_.size(); ++k) store(outputs_[k], block + outputs_[k].at, rows, lanes_, outputs[k]);
}

}  // namespace onward
