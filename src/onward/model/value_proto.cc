// Single values in and out: TensorProto, SequenceProto, OptionalProto and MapProto, as the official test suite stores them.
#include "onward/model/type_proto.h"

namespace onward {
namespace {

// SequenceProto and OptionalProto number the fields of their contents alike, and the kinds of contents (field 2).
enum Field { kind = 2, tensor = 3, sparse = 4, sequence = 5, map = 6, optional = 7 };
enum Holds { nothing = 0, tensors = 1, sequences = 3, maps = 4, optionals = 5 };

Sequence read_sequence(std::string_view bytes, ReadContext& context);

// The values of a map: one tensor of them all, or one tensor each.
Tensor joined(const Sequence& values, int64_t n) {
  if (n == 0 && values.items.empty()) return Tensor(DataType::f32, {0});
  if (values.items.size() == 1 && values.items[0].tensor() && values.items[0].tensor()->size() == n) return *values.items[0].tensor();
  if (int64_t(values.items.size()) != n) fail(Code::bad_model, "a map has ", n, " keys and ", values.items.size(), " values");
  for (const Value& v : values.items)
    if (!v.tensor() || v.tensor()->size() != 1 || v.tensor()->type() != values.type) fail(Code::bad_model, "a map's values are not numbers or strings of one type");
  Tensor out(values.type, {n});
  for_type<every_type>(values.type, [&]<class T>() {
    for (int64_t i = 0; i < n; ++i) out.data<T>()[i] = values.items[size_t(i)].tensor()->data<T>()[0];
  });
  return out;
}

Map read_map(std::string_view bytes, ReadContext& context) {
  std::vector<int64_t> ints;
  std::vector<std::string> strings;
  Sequence values;
  uint64_t key = 0;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 2: key = f.integer(); break;
    case 3: append_varints(f, ints, context.file); break;
    case 4: context.charge(sizeof(std::string)), strings.emplace_back(f.body()); break;
    case 5: values = read_sequence(f.body(), context); break;
    default: break;
  }
  constexpr Types integer_keys = i8 | i16 | i32 | i64 | u8 | u16 | u32 | u64;
  if (key >= uint64_t(DataType::count) || !contains(integer_keys | str, DataType(key))) fail(Code::bad_model, "a map's keys have type ", key, ", expected strings or integers");
  Map out;
  out.keys = DataType(key) == DataType::str ? Tensor::of({int64_t(strings.size())}, strings) : Tensor::of({int64_t(ints.size())}, ints);
  out.values = joined(values, out.keys.size());
  return out;
}

Value read_optional(std::string_view bytes, ReadContext& context);

// Sets `into` where the field is one of contents.
bool read_contents(const WireField& f, ReadContext& context, Value& into) {
  switch (f.number) {
    case tensor: into = read_tensor(f.body(), context); return true;
    case sparse: into = read_sparse(f.body(), context).dense(); return true;
    case sequence: into = read_sequence(f.body(), context); return true;
    case map: into = read_map(f.body(), context); return true;
    case optional: into = read_optional(f.body(), context); return true;
    default: return false;
  }
}

Sequence read_sequence(std::string_view bytes, ReadContext& context) {
  const Level level(context);
  Sequence out;
  Value item;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) {
    if (!read_contents(f, context, item)) continue;
    context.charge(sizeof(Value));
    out.items.push_back(std::move(item));
  }
  if (!out.items.empty()) if (const Tensor* t = out.items[0].tensor()) out.type = t->type();
  return out;
}

Value read_optional(std::string_view bytes, ReadContext& context) {
  const Level level(context);
  Value out;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) read_contents(f, context, out);
  return out;
}

void write_map(WireWriter& w, const Map& map) {
  if (map.keys.size() != map.values.size()) fail(Code::bad_model, "a map has ", map.keys.size(), " keys and ", map.values.size(), " values");
  w.integer(2, int64_t(map.keys.type()));
  if (map.keys.type() == DataType::str) for (const std::string& s : map.keys.values<std::string>()) w.bytes(4, s);
  else w.packed(3, map.keys.values<int64_t>());
  w.message(5, [&](WireWriter& m) {
    m.integer(kind, tensors);
    for_type<every_type>(map.values.type(), [&]<class T>() {
      for (const T& v : map.values.values<T>()) m.message(tensor, [&](WireWriter& t) { write_tensor(t, Tensor::scalar(v)); });
    });
  });
}

Holds holds(const Value& v) {
  return v.tensor() ? tensors : std::holds_alternative<Sequence>(v) ? sequences : std::holds_alternative<Map>(v) ? maps : optionals;
}

void write_sequence(WireWriter& w, const Sequence& s) {
  w.integer(kind, s.items.empty() ? tensors : holds(s.items[0]));
  for (const Value& item : s.items) {
    if (auto* t = item.tensor()) w.message(tensor, [&](WireWriter& m) { write_tensor(m, *t); });
    else if (auto* q = std::get_if<Sequence>(&item)) w.message(sequence, [&](WireWriter& m) { write_sequence(m, *q); });
    else if (auto* p = std::get_if<Map>(&item)) w.message(map, [&](WireWriter& m) { write_map(m, *p); });
    else w.message(optional, [&](WireWriter& m) { m.integer(kind, nothing); });
  }
}

}  // namespace

ValueProto guess_value_proto(std::string_view bytes) {
  bool only_kind = true, holds_nothing = true;
  WireField f;
  for (WireReader m(bytes, bytes.data()); m.next(f);) {
    if (f.number == 1 && f.wire == 0) return ValueProto::tensor;          // dims, unpacked
    if (f.number == 2 && f.wire == 0) holds_nothing = f.value == nothing;
    else if (f.number != 1) only_kind = false;
    if (f.number == 4 || (f.number >= 8 && f.number <= 14)) return ValueProto::tensor;
    if (f.number == 3 && f.wire == 2) return ValueProto::sequence;
  }
  return !only_kind ? ValueProto::tensor : holds_nothing ? ValueProto::optional : ValueProto::sequence;
}

Value read_value(std::string_view bytes, ValueProto kind) {
  ReadContext context(bytes, nullptr, "", ReadLimits{});
  switch (kind) {
    case ValueProto::sequence: return read_sequence(bytes, context);
    case ValueProto::optional: return read_optional(bytes, context);
    default: return read_tensor(bytes, context);
  }
}

std::string write_value(const Value& value, bool as_optional) {
  std::string out;
  WireWriter w(out);
  if (as_optional && !value.empty()) {
    w.integer(kind, holds(value));
    w.bytes(value.tensor() ? tensor : std::holds_alternative<Sequence>(value) ? sequence : map, write_value(value));
  } else if (auto* t = value.tensor()) write_tensor(w, *t);
  else if (auto* s = std::get_if<Sequence>(&value)) write_sequence(w, *s);
  else if (auto* m = std::get_if<Map>(&value)) write_map(w, *m);
  else w.integer(kind, nothing);
  return out;
}

}  // namespace onward
