// Where a program's values lie: recorded by one run, laid out after it, used by the next with the same shapes.
#include <climits>

#include "onward/runtime/memory_plan.h"
#include "onward/runtime/scope.h"

namespace onward {

// A kernel may hand on an input as part of its output (a sequence, an optional value, what a subgraph saw from outside). Such a value
// may outlive the place that the plan gave it: it gets memory of its own.
void Program::keep_out_of_block(const Step& step, std::span<Value> outputs, const Scope& scope) const {
  const auto own = [&](Value& v, auto&& self) -> void {
    if (auto* t = std::get_if<Tensor>(&v); t && scope.in_block(t->raw())) *t = t->copy();
    else if (auto* s = std::get_if<Sequence>(&v)) for (Value& item : s->items) self(item, self);
    else if (auto* m = std::get_if<Map>(&v)) for (Tensor* part : {&m->keys, &m->values}) if (scope.in_block(part->raw())) *part = part->copy();
  };
  if (step.op->facts.shares_input) {
    if (outputs[0].tensor()) return;                      // its group has a place for as long as any of it lives
  }
  for (size_t k = 0; k < outputs.size(); ++k) {
    const auto slot = size_t(step.first_output) + k;
    const Tensor* t = outputs[k].tensor();
    const bool in_its_place = t && slot < scope.planned.size() && scope.planned[slot].type != DataType::none && t->raw() == static_cast<char*>(scope.block.get()) + scope.offsets[slot];
    if (!in_its_place) own(outputs[k], own);
  }
}

// Groups of slots that share memory, and which of them the plan may place: tensors that a step makes and nobody outside ever sees.
void Program::find_planned() {
  const auto slots = size_t(slot_count_);
  group_.resize(slots);
  group_dies_.assign(slots, -1);
  for (size_t s = 0; s < slots; ++s) group_[s] = int(s);
  std::vector<int> dies(slots, INT_MAX);
  for (const Step& step : steps_) {
    for (int slot : step.dies) dies[size_t(slot)] = step.index;
    if (step.op->facts.shares_input && !step.inputs.empty() && step.inputs[0].slot >= 0) group_[size_t(step.first_output)] = group_[size_t(step.inputs[0].slot)];
  }
  for (size_t s = 0; s < slots; ++s) {
    int& last = group_dies_[size_t(group_[s])];
    last = std::max(last, dies[s]);
  }
  planned_.assign(slots, false);
  for (const Step& step : steps_)
    for (int k = 0; k < step.output_count; ++k) {
      const auto slot = size_t(step.first_output + k);
      planned_[slot] = group_[slot] == int(slot) && group_dies_[slot] != INT_MAX;
    }
}

Tensor Program::place(size_t slot, DataType type, const Dims& dims, Scope& scope, const RunContext& context) const {
  if (!planned_[slot] || type == DataType::str) return {type, dims, context.budget};
  const size_t bytes = size_t(count(dims)) * size_of(type);
  scope.recorded[slot] = {type, bytes};
  if (slot < scope.handed_on.size() && scope.handed_on[slot]) return {type, dims, context.budget};
  if (slot < scope.planned.size() && scope.planned[slot].type == type && scope.planned[slot].bytes == bytes)
    return Tensor::view(type, dims, static_cast<char*>(scope.block.get()) + scope.offsets[slot]);
  scope.missed = true;
  return {type, dims, context.budget};
}

// Values in whose place an output of the program is made, step by step: they need memory that may leave it.
std::vector<bool> Program::handed_on(const Scope& scope) const {
  std::vector<bool> out(scope.slots.size());
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    const auto made = size_t(step->first_output);
    if (!step->op->facts.in_place || !(out[made] || (group_[made] == int(made) && group_dies_[made] == INT_MAX))) continue;
    const auto& inferred = scope.known[size_t(step->index)].outputs;
    if (inferred.empty() || !inferred[0].dims || inferred[0].type == DataType::str) continue;
    const size_t bytes = size_t(count(*inferred[0].dims)) * size_of(inferred[0].type);
    for (size_t i = 0; i < std::min<size_t>(step->inputs.size(), step->inputs.size() <= 2 ? 2 : 1); ++i) {
      const int from = step->inputs[i].slot;
      if (from < 0 || !(step->overwritable >> i & 1) || !planned_[size_t(from)]) continue;
      const Scope::Size size = scope.recorded[size_t(from)];
      if (size.type != inferred[0].type || size.bytes != bytes) continue;
      out[size_t(from)] = true;
      break;
    }
  }
  return out;
}

// Lays out what this run allocated. A value that may overwrite a dying input of its size takes over its place.
void Program::make_plan(Scope& scope, std::span<const Value* const> arguments, const RunContext& context) const {
  constexpr size_t most_slots = 1 << 20;
  if (scope.slots.size() > most_slots) return;
  std::vector<Dims> shapes;
  for (const Value* v : arguments) shapes.push_back(v && v->tensor() ? v->tensor()->dims() : Dims{});
  if (scope.block && shapes == scope.planned_for) return; // sizes follow the data, not the shapes: this will not get better
  scope.handed_on = handed_on(scope);
  const auto placed = [&](size_t slot) { return planned_[slot] && !scope.handed_on[slot] && scope.recorded[slot].type != DataType::none; };
  MemoryPlanner planner;
  std::vector<size_t> offsets(scope.slots.size());
  std::vector<bool> held(scope.slots.size());             // a place that is to be given back
  std::vector<std::vector<int>> ends(steps_.size());
  for (const Step& step : steps_)
    for (int k = 0; k < step.output_count; ++k)
      if (const int slot = step.first_output + k; placed(size_t(slot))) ends[size_t(group_dies_[size_t(slot)])].push_back(slot);
  for (const Step& step : steps_) {
    for (int k = 0; k < step.output_count; ++k) {
      const auto slot = size_t(step.first_output + k);
      const Scope::Size size = scope.recorded[slot];
      if (!placed(slot)) continue;
      for (size_t i = 0; k == 0 && step.op->facts.in_place && !held[slot] && i < step.inputs.size() && i < (step.inputs.size() <= 2 ? 2u : 1u); ++i) {
        if (step.inputs[i].slot < 0) continue;
        const auto from = size_t(group_[size_t(step.inputs[i].slot)]);
        if (!held[from] || group_dies_[from] != step.index || scope.recorded[from].type != size.type || scope.recorded[from].bytes != size.bytes) continue;
        offsets[slot] = offsets[from], held[slot] = true, held[from] = false;
      }
      if (!held[slot]) offsets[slot] = planner.take(size.bytes), held[slot] = true;
    }
    for (int slot : ends[size_t(step.index)])
      if (held[size_t(slot)]) planner.give_back(offsets[size_t(slot)]), held[size_t(slot)] = false;
  }
  try {
    scope.block.reset();
    scope.planned.clear();
    scope.block = allocate(planner.total(), context.budget);
  } catch (const Error&) {
    return;                                               // no room beside what is alive: runs go on without a plan
  }
  scope.block_bytes = planner.total();
  scope.planned = scope.recorded;
  scope.offsets = std::move(offsets);
  scope.planned_for = std::move(shapes);
}

}  // namespace onward
