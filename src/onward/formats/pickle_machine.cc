#include "onward/formats/pickle_machine.h"

#include "onward/formats/numpy_dtype.h"
#include "onward/formats/numpy_values.h"

namespace onward::formats {

using plain::Kind;
using plain::Value;

void PickleMachine::too_many(const char* where) const { fail(Code::limit_memory, "puts more than ", slots_max_, " values on the ", where); }

void PickleMachine::mark() {
  if (marks_.size() >= slots_max_) too_many("stack");
  marks_.push_back(stack_.size());
}

std::vector<Value> PickleMachine::pop_to_mark() {
  if (marks_.empty()) fail(Code::bad_file, "has no MARK before it");
  const auto from = stack_.begin() + static_cast<ptrdiff_t>(marks_.back());
  std::vector<Value> items(from, stack_.end());
  stack_.erase(from, stack_.end());
  marks_.pop_back();
  return items;
}

void PickleMachine::push_tuple(size_t n) {
  Value items[3];
  for (size_t i = n; i-- > 0;) items[i] = pop();
  push_sequence(Kind::tuple, {items, n});
}

// Protocols 0 to 2 name the builtin things as Python 2 called them.
static plain::Global in_python3(plain::Global g) {
  if (g.module == "copy_reg") g.module = "copyreg";
  if (g.module != "__builtin__") return g;
  static constexpr std::string_view renamed[][2] = {{"xrange", "range"}, {"unicode", "str"}, {"long", "int"}, {"unichr", "chr"}};
  g.module = "builtins";
  for (const auto& [before, now] : renamed)
    if (g.name == before) g.name = now;
  return g;
}

void PickleMachine::push_global(std::string_view module, std::string_view name) {
  Value v;
  v.kind = Kind::global, v.global = arena_.make(in_python3({module, name}));
  push(v);
}

void PickleMachine::push_global(Value module, Value name) {
  if (!module.is(Kind::text) || !name.is(Kind::text))
    fail(Code::bad_file, "a class is named by ", plain::name(module.kind), " and ", plain::name(name.kind));
  push_global(module.str(), name.str());
}

// Protocols 0 to 2 say Class(...) through functions of copyreg, Cython's classes through functions of their own; the record holds
// the class itself.
static plain::Object recorded(Arena& arena, Value callee, Value args) {
  const auto& [module, name] = *callee.global;
  const std::span<const Value> items = args.items();
  if (items.empty() || !items[0].is(Kind::global)) return {callee, args, {}};
  const auto nothing = [&] { return plain::sequence(arena, Kind::tuple); };
  if (module == "copyreg") {
    if (name == "__newobj_ex__" && items.size() > 1) return {items[0], items[1], {}};
    if (name == "__newobj__") return {items[0], plain::sequence(arena, Kind::tuple, items.subspan(1)), {}};
    if (name == "_reconstructor" && items.size() > 2) {   // class, the builtin it extends, what that held
      plain::Object o{items[0], nothing(), {}};
      if (items[2].is(Kind::list)) o.list = items[2].sequence;
      else if (items[2].is(Kind::dict)) o.dict = items[2].sequence;
      else if (!items[2].is(Kind::none)) o.args = plain::sequence(arena, Kind::tuple, items.subspan(2));
      return o;
    }
  }
  if (name == "newObj" && items.size() == 1) return {items[0], nothing(), {}};
  if (name.starts_with("__pyx_unpickle_") && items.size() == 3)   // class, checksum, state
    return {items[0], items[2].is(Kind::tuple) ? items[2] : nothing(), {}};
  return {callee, args, {}};
}

void PickleMachine::call(Value callee, Value args) {
  plain::Object record{callee, args, {}};
  if (callee.is(Kind::global)) {
    if (auto value = known_call(arena_, *callee.global, args)) return push(*value);
    record = recorded(arena_, callee, args);
  }
  Value v;
  v.kind = Kind::object, v.object = arena_.make(record);
  push(v);
}

static bool is_array_wrapper(const Value& callee) {
  if (!callee.is(Kind::global) || !callee.global->module.ends_with("joblib.numpy_pickle")) return false;   // once inside sklearn.externals
  const std::string_view name = callee.global->name;
  if (name == "NDArrayWrapper" || name == "ZNDArrayWrapper")
    throw Error(Code::unsupported_format, "arrays in files of their own, as joblib before 0.10 (2016) wrote them",
                "load it and dump it again with a newer joblib");
  return name == "NumpyArrayWrapper";
}

void PickleMachine::build(Value state) {
  const Value self = top();
  if (self.is(Kind::dtype)) return build_dtype(arena_, *self.dtype, state);
  if (self.is(Kind::array)) return build_array(arena_, *self.array, state);
  if (!self.is(Kind::object)) return;
  self.object->state = state;
  if (is_array_wrapper(self.object->callee)) {
    pop();
    push(array_in_stream(self));
  }
}

// joblib writes an array's items straight after the object that describes it: padding, then raw memory; a whole pickle for objects.
Value PickleMachine::array_in_stream(const Value& wrapper) {
  const size_t fields = wrapper.object->state.items().size();
  if (fields > 64) fail(Code::bad_file, "joblib's array has ", fields, " fields");   // each look-up goes through them
  const auto dtype = wrapper.find("dtype"), shape = wrapper.find("shape"), order = wrapper.find("order");
  if (!dtype || !shape) fail(Code::bad_file, "joblib's array has no dtype or no shape");
  Value v;
  v.kind = Kind::array, v.array = arena_.make(described_array(arena_, *dtype, *shape, order && order->str() == "F"));
  if (v.array->type->kind == 'O') {
    if (depth_ <= 0) fail(Code::limit_size, "object arrays are nested too deeply");
    const Value inner = PickleMachine(in_, arena_, slots_max_ / 2, depth_ - 1).run();
    if (!inner.is(Kind::array)) fail(Code::bad_file, "joblib's object array holds ", plain::name(inner.kind));
    return inner;
  }
  // Written since joblib 1.1; before, the items followed at once.
  const auto padding = wrapper.find("numpy_array_alignment_bytes");
  if (padding && !padding->is(Kind::none)) in_.take(in_.little<uint8_t>());
  v.array->bytes = in_.take(static_cast<uint64_t>(v.array->size()) * v.array->type->size);
  return v;
}

void PickleMachine::extend(std::span<const Value> items, bool pairs) {
  if (pairs && items.size() % 2) fail(Code::bad_file, "has a key without a value");
  Value& to = top();
  plain::Sequence* s = nullptr;
  if (to.is(Kind::object)) {
    plain::Sequence*& part = pairs ? to.object->dict : to.object->list;
    s = part ? part : part = arena_.make(plain::Sequence{});
  } else if (pairs ? to.is(Kind::dict) : to.is(Kind::list) || to.is(Kind::set)) {
    s = to.sequence;
  } else {
    fail(Code::bad_file, "puts items into ", plain::name(to.kind));
  }
  for (const Value& v : items) s->push(arena_, v);
}

void PickleMachine::remember(uint64_t index) {
  // Writers number in order, so an index beyond the steps taken is an attempt to make the memo large.
  if (index > steps_) fail(Code::bad_file, "memo index ", index, " after ", steps_, " opcodes");
  if (index >= slots_max_) too_many("memo");
  if (index >= memo_.size()) memo_.resize(index + 1);
  memo_[index] = top();
}

void PickleMachine::recall(uint64_t index) {
  if (index >= memo_.size() || !memo_[index]) fail(Code::bad_file, "uses memo ", index, ", which was never set");
  push(*memo_[index]);
}

}  // namespace onward::formats
