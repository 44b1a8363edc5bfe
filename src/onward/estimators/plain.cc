#include "onward/estimators/plain.h"
#include <algorithm>
namespace onward::plain {

const char* name(Kind kind) {
  static constexpr const char* names[] = {"None", "a bool", "an int", "a float", "a string", "bytes", "a list", "a tuple", "a dict", "a set", "a class or function", "an object", "a dtype", "an array"};
  return names[static_cast<int>(kind)];
}

std::span<const Value> Value::items() const {
  bool has = kind == Kind::list || kind == Kind::tuple || kind == Kind::dict || kind == Kind::set;
  return has ? std::span<const Value>(sequence->data, sequence->size) : std::span<const Value>();
}

std::optional<Value> Value::find(std::string_view key) const {
  if (kind == Kind::object) {
    // BUILD's state may be (state, slot state).
    const Value& s = object->state;
    if (!s.is(Kind::tuple)) return s.is(Kind::dict) ? s.find(key) : std::nullopt;
    for (const Value& part : s.items())
      if (part.is(Kind::dict))
        if (auto v = part.find(key)) return v;
    return {};
  }
  if (kind != Kind::dict) return {};
  std::span<const Value> kv = items();
  for (size_t i = kv.size() / 2; i-- > 0;)
    if (kv[2 * i].is(Kind::text) && *kv[2 * i].text == key) return kv[2 * i + 1];
  return {};
}

void Sequence::push(Arena& arena, Value v) {
  if (size == capacity) {
    if (capacity > UINT32_MAX / 2) fail(Code::limit_size, "more than ", capacity, " items in one place");
    capacity = capacity ? 2 * capacity : 4;
    Value* grown = arena.array<Value>(capacity);
    std::copy_n(data, size, grown);
    data = grown;
  }
  data[size++] = v;
}

int64_t NdArray::size() const {
  int64_t n = 1;
  for (int64_t d : shape)
    if (d < 0 || __builtin_mul_overflow(n, d, &n)) fail(Code::bad_file, "an array's shape is impossible");
  return n;
}

Value boolean(bool b) { Value v; v.kind = Kind::boolean, v.boolean = b; return v; }
Value integer(int64_t i) { Value v; v.kind = Kind::integer, v.integer = i; return v; }
Value real(double d) { Value v; v.kind = Kind::real, v.real = d; return v; }
Value text(Arena& arena, std::string_view s, Kind kind) {
  Value v;
  v.kind = kind, v.text = arena.make(s);
  return v;
}
Value sequence(Arena& arena, Kind kind, std::span<const Value> items) {
  Value v;
  v.kind = kind, v.sequence = arena.make(Sequence{});
  if (items.empty()) return v;
  if (items.size() > UINT32_MAX) fail(Code::limit_size, items.size(), " items in one place");
  v.sequence->data = arena.array<Value>(items.size());
  std::copy(items.begin(), items.end(), v.sequence->data);
  v.sequence->size = v.sequence->capacity = static_cast<uint32_t>(items.size());
  return v;
}

}  // namespace onward::plain
