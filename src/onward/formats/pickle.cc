// The pickle machine: one table says every opcode's name, argument and effect; a loop reads and applies them.
#include "onward/formats/pickle.h"
#include <array>
#include <charconv>
#include <vector>
#include "onward/base/byte_reader.h"
#include "onward/formats/numpy_values.h"
namespace onward::formats {
namespace {

using plain::Kind;
using plain::Value;

struct Argument { int64_t n = 0; double x = 0; std::string_view s, s2; };

class Machine {
 public:
  Machine(ByteReader& in, Arena& arena, int depth) : in_(in), arena_(arena), depth_(depth) {}
  Value run();

  void push(Value v) { stack_.push_back(v); }
  Value pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail(Code::bad_file, "takes from an empty stack");
    Value v = stack_.back();
    stack_.pop_back();
    return v;
  }
  Value& top() { Value v = pop(); push(v); return stack_.back(); }
  void mark() { marks_.push_back(stack_.size()); }
  std::vector<Value> pop_to_mark() {
    if (marks_.empty()) fail(Code::bad_file, "has no MARK before it");
    auto from = stack_.begin() + static_cast<ptrdiff_t>(marks_.back());
    std::vector<Value> items(from, stack_.end());
    stack_.erase(from, stack_.end());
    marks_.pop_back();
    return items;
  }

  void push_text(std::string_view s, Kind kind = Kind::text) { push(plain::text(arena_, s, kind)); }
  void push_sequence(Kind kind, std::span<const Value> items = {}) { push(plain::sequence(arena_, kind, items)); }
  void push_tuple(size_t n) {
    Value items[3];
    for (size_t i = n; i-- > 0;) items[i] = pop();
    push_sequence(Kind::tuple, {items, n});
  }
  void push_integer(std::string_view little_endian);
  void push_decimal(std::string_view digits);
  void push_escaped(std::string_view raw, Kind);
  void push_global(std::string_view module, std::string_view name);
  void call(Value callee, Value args);
  void build(Value state);
  void extend(std::span<const Value> items, bool pairs);
  void remember(uint64_t index);
  void remember_next() { remember(memo_.size()); }
  void recall(uint64_t index) {
    if (index >= memo_.size()) fail(Code::bad_file, "uses memo ", index, ", which was never set");
    push(memo_[index]);
  }
  void stop() { running_ = false; }

 private:
  Value array_in_stream(const Value& wrapper);

  ByteReader& in_;
  Arena& arena_;
  int depth_;
  std::vector<Value> stack_;
  std::vector<size_t> marks_;
  std::vector<Value> memo_;
  uint64_t steps_ = 0;
  bool running_ = true;
};

enum class Form : uint8_t { none, u1, u2, i4, u4, u8, f8, line, two_lines, bytes1, bytes4, bytes8 };

struct Opcode {
  uint8_t code;
  const char* name;
  Form form;
  void (*effect)(Machine&, const Argument&);
};

[[noreturn]] void refuse(const char* what) { fail(Code::unsupported_format, what, ": such a pickle needs parts that are not in the file"); }

#define DO [](Machine& m, [[maybe_unused]] const Argument& a)
constexpr Opcode opcodes[] = {
    // protocol and framing
    {0x80, "PROTO", Form::u1, DO { if (a.n > 5) fail(Code::unsupported_format, "pickle protocol ", a.n, "; known are 0 to 5"); (void)m; }},
    {0x95, "FRAME", Form::u8, DO { (void)m; }},
    {'.', "STOP", Form::none, DO { m.stop(); }},
    // scalars
    {'N', "NONE", Form::none, DO { m.push(Value()); }},
    {0x88, "NEWTRUE", Form::none, DO { m.push(plain::boolean(true)); }},
    {0x89, "NEWFALSE", Form::none, DO { m.push(plain::boolean(false)); }},
    {'K', "BININT1", Form::u1, DO { m.push(plain::integer(a.n)); }},
    {'M', "BININT2", Form::u2, DO { m.push(plain::integer(a.n)); }},
    {'J', "BININT", Form::i4, DO { m.push(plain::integer(a.n)); }},
    {0x8a, "LONG1", Form::bytes1, DO { m.push_integer(a.s); }},
    {0x8b, "LONG4", Form::bytes4, DO { m.push_integer(a.s); }},
    {'I', "INT", Form::line, DO { a.s == "00" || a.s == "01" ? m.push(plain::boolean(a.s == "01")) : m.push_decimal(a.s); }},
    {'L', "LONG", Form::line, DO { m.push_decimal(a.s.substr(0, a.s.size() - a.s.ends_with('L'))); }},
    {'G', "BINFLOAT", Form::f8, DO { m.push(plain::real(a.x)); }},
    {'F', "FLOAT", Form::line, DO { m.push(plain::real(std::strtod(std::string(a.s).c_str(), nullptr))); }},
    // text and bytes
    {0x8c, "SHORT_BINUNICODE", Form::bytes1, DO { m.push_text(a.s); }},
    {'X', "BINUNICODE", Form::bytes4, DO { m.push_text(a.s); }},
    {0x8d, "BINUNICODE8", Form::bytes8, DO { m.push_text(a.s); }},
    {'V', "UNICODE", Form::line, DO { m.push_escaped(a.s, Kind::text); }},
    {'C', "SHORT_BINBYTES", Form::bytes1, DO { m.push_text(a.s, Kind::bytes); }},
    {'B', "BINBYTES", Form::bytes4, DO { m.push_text(a.s, Kind::bytes); }},
    {0x8e, "BINBYTES8", Form::bytes8, DO { m.push_text(a.s, Kind::bytes); }},
    {0x96, "BYTEARRAY8", Form::bytes8, DO { m.push_text(a.s, Kind::bytes); }},
    {'U', "SHORT_BINSTRING", Form::bytes1, DO { m.push_text(a.s, Kind::bytes); }},
    {'T', "BINSTRING", Form::bytes4, DO { m.push_text(a.s, Kind::bytes); }},
    {'S', "STRING", Form::line, DO { m.push_escaped(a.s.size() < 2 ? a.s : a.s.substr(1, a.s.size() - 2), Kind::bytes); }},
    // containers
    {'(', "MARK", Form::none, DO { m.mark(); }},
    {'0', "POP", Form::none, DO { m.pop(); }},
    {'1', "POP_MARK", Form::none, DO { m.pop_to_mark(); }},
    {'2', "DUP", Form::none, DO { m.push(Value(m.top())); }},
    {')', "EMPTY_TUPLE", Form::none, DO { m.push_tuple(0); }},
    {0x85, "TUPLE1", Form::none, DO { m.push_tuple(1); }},
    {0x86, "TUPLE2", Form::none, DO { m.push_tuple(2); }},
    {0x87, "TUPLE3", Form::none, DO { m.push_tuple(3); }},
    {'t', "TUPLE", Form::none, DO { m.push_sequence(Kind::tuple, m.pop_to_mark()); }},
    {']', "EMPTY_LIST", Form::none, DO { m.push_sequence(Kind::list); }},
    {'l', "LIST", Form::none, DO { m.push_sequence(Kind::list, m.pop_to_mark()); }},
    {'a', "APPEND", Form::none, DO { Value item = m.pop(); m.extend({&item, 1}, false); }},
    {'e', "APPENDS", Form::none, DO { m.extend(m.pop_to_mark(), false); }},
    {'}', "EMPTY_DICT", Form::none, DO { m.push_sequence(Kind::dict); }},
    {'d', "DICT", Form::none, DO { m.push_sequence(Kind::dict, m.pop_to_mark()); }},
    {'s', "SETITEM", Form::none, DO { Value kv[2]; kv[1] = m.pop(), kv[0] = m.pop(); m.extend(kv, true); }},
    {'u', "SETITEMS", Form::none, DO { m.extend(m.pop_to_mark(), true); }},
    {0x8f, "EMPTY_SET", Form::none, DO { m.push_sequence(Kind::set); }},
    {0x90, "ADDITEMS", Form::none, DO { m.extend(m.pop_to_mark(), false); }},
    {0x91, "FROZENSET", Form::none, DO { m.push_sequence(Kind::set, m.pop_to_mark()); }},
    // memo
    {'p', "PUT", Form::line, DO { m.push_decimal(a.s); uint64_t i = static_cast<uint64_t>(m.pop().integer); m.remember(i); }},
    {'q', "BINPUT", Form::u1, DO { m.remember(static_cast<uint64_t>(a.n)); }},
    {'r', "LONG_BINPUT", Form::u4, DO { m.remember(static_cast<uint64_t>(a.n)); }},
    {0x94, "MEMOIZE", Form::none, DO { m.remember_next(); }},
    {'g', "GET", Form::line, DO { m.push_decimal(a.s); uint64_t i = static_cast<uint64_t>(m.pop().integer); m.recall(i); }},
    {'h', "BINGET", Form::u1, DO { m.recall(static_cast<uint64_t>(a.n)); }},
    {'j', "LONG_BINGET", Form::u4, DO { m.recall(static_cast<uint64_t>(a.n)); }},
    // classes and calls, as records
    {'c', "GLOBAL", Form::two_lines, DO { m.push_global(a.s, a.s2); }},
    {0x93, "STACK_GLOBAL", Form::none, DO { Value name = m.pop(), module = m.pop(); m.push_global(module.str(), name.str()); }},
    {'R', "REDUCE", Form::none, DO { Value args = m.pop(), callee = m.pop(); m.call(callee, args); }},
    {0x81, "NEWOBJ", Form::none, DO { Value args = m.pop(), callee = m.pop(); m.call(callee, args); }},
    {0x92, "NEWOBJ_EX", Form::none, DO { m.pop(); Value args = m.pop(), callee = m.pop(); m.call(callee, args); }},
    {'i', "INST", Form::two_lines, DO { m.push_sequence(Kind::tuple, m.pop_to_mark()); Value args = m.pop(); m.push_global(a.s, a.s2); m.call(m.pop(), args); }},
    {'o', "OBJ", Form::none, DO { auto items = m.pop_to_mark(); if (items.empty()) fail(Code::bad_file, "has no class"); m.push_sequence(Kind::tuple, std::span(items).subspan(1)); m.call(items[0], m.pop()); }},
    {'b', "BUILD", Form::none, DO { m.build(m.pop()); }},
    // parts outside the file
    {'P', "PERSID", Form::line, DO { (void)m; refuse("a persistent id"); }},
    {'Q', "BINPERSID", Form::none, DO { (void)m; refuse("a persistent id"); }},
    {0x82, "EXT1", Form::u1, DO { (void)m; refuse("an extension code"); }},
    {0x83, "EXT2", Form::u2, DO { (void)m; refuse("an extension code"); }},
    {0x84, "EXT4", Form::i4, DO { (void)m; refuse("an extension code"); }},
    {0x97, "NEXT_BUFFER", Form::none, DO { (void)m; refuse("an out-of-band buffer"); }},
    {0x98, "READONLY_BUFFER", Form::none, DO { (void)m; refuse("an out-of-band buffer"); }},
};
#undef DO

constexpr auto by_code = [] {
  std::array<const Opcode*, 256> table{};
  for (const Opcode& op : opcodes) table[op.code] = &op;
  return table;
}();

Argument read_argument(ByteReader& in, Form form) {
  Argument a;
  switch (form) {
    case Form::none: break;
    case Form::u1: a.n = in.little<uint8_t>(); break;
    case Form::u2: a.n = in.little<uint16_t>(); break;
    case Form::i4: a.n = in.little<int32_t>(); break;
    case Form::u4: a.n = in.little<uint32_t>(); break;
    case Form::u8: a.n = in.little<int64_t>(); break;
    case Form::f8: a.x = in.big<double>(); break;
    case Form::line: a.s = in.line(); break;
    case Form::two_lines: a.s = in.line(), a.s2 = in.line(); break;
    case Form::bytes1: a.s = in.take(in.little<uint8_t>()); break;
    case Form::bytes4: a.s = in.take(in.little<uint32_t>()); break;
    case Form::bytes8: a.s = in.take(in.little<uint64_t>()); break;
  }
  return a;
}

Value Machine::run() {
  while (running_) {
    size_t at = in_.position();
    uint8_t code = in_.little<uint8_t>();
    const Opcode* op = by_code[code];
    if (!op) fail(Code::bad_file, "byte ", at, ": ", int{code}, " is no pickle opcode");
    ++steps_;
    try {
      op->effect(*this, read_argument(in_, op->form));
    } catch (Error& e) {
      throw e.within(text("byte ", at, ", opcode ", op->name));
    }
  }
  return pop();
}

void Machine::push_integer(std::string_view s) {
  // Larger integers occur only as random seeds, which no converter reads; their bytes stand for them.
  if (s.size() > 8) return push_text(s, Kind::bytes);
  int64_t v = !s.empty() && s.back() < 0 ? -1 : 0;
  s.copy(reinterpret_cast<char*>(&v), s.size());
  push(plain::integer(v));
}

void Machine::push_decimal(std::string_view digits) {
  int64_t v = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), v);
  if (error == std::errc::result_out_of_range) return push_text(digits, Kind::bytes);
  if (error != std::errc() || end != digits.data() + digits.size()) fail(Code::bad_file, "'", digits, "' is no integer");
  push(plain::integer(v));
}

void Machine::push_escaped(std::string_view raw, Kind kind) {
  std::string out;
  auto utf8 = [&](uint32_t c) {
    if (kind == Kind::bytes || c < 0x80) out += static_cast<char>(c);
    else if (c < 0x800) (out += static_cast<char>(0xc0 | c >> 6)) += static_cast<char>(0x80 | (c & 63));
    else if (c < 0x10000) ((out += static_cast<char>(0xe0 | c >> 12)) += static_cast<char>(0x80 | (c >> 6 & 63))) += static_cast<char>(0x80 | (c & 63));
    else (((out += static_cast<char>(0xf0 | c >> 18)) += static_cast<char>(0x80 | (c >> 12 & 63))) += static_cast<char>(0x80 | (c >> 6 & 63))) += static_cast<char>(0x80 | (c & 63));
  };
  for (size_t i = 0; i < raw.size();) {
    char next = raw[i] == '\\' && i + 1 < raw.size() ? raw[i + 1] : 0;
    size_t digits = next == 'u' ? 4 : next == 'U' ? 8 : next == 'x' && kind == Kind::bytes ? 2 : 0;
    uint32_t c = 0;
    if (digits && i + 2 + digits <= raw.size() && std::from_chars(&raw[i + 2], &raw[i + 2] + digits, c, 16).ptr == &raw[i + 2] + digits) {
      utf8(c & 0x1fffff), i += 2 + digits;
    } else if (next && kind == Kind::bytes) {
      out += next == 'n' ? '\n' : next == 't' ? '\t' : next == 'r' ? '\r' : next, i += 2;
    } else {
      utf8(static_cast<uint8_t>(raw[i++]));
    }
  }
  push_text(arena_.copy(out), kind);
}

void Machine::push_global(std::string_view module, std::string_view name) {
  Value v;
  v.kind = Kind::global, v.global = arena_.make(plain::Global{module, name});
  push(v);
}

// Protocols 0 and 1 say Class(...) through these functions.
bool constructs_its_first_argument(const Value& callee) {
  if (!callee.is(Kind::global)) return false;
  const auto& [module, name] = *callee.global;
  return (module == "copyreg" || module == "copy_reg") && (name == "_reconstructor" || name == "__newobj__" || name == "__newobj_ex__");
}

void Machine::call(Value callee, Value args) {
  if (callee.is(Kind::global))
    if (auto value = known_call(arena_, *callee.global, args)) return push(*value);
  if (constructs_its_first_argument(callee) && !args.items().empty() && args.items()[0].is(Kind::global)) {
    callee = args.items()[0];
    args = plain::sequence(arena_, Kind::tuple, args.items().subspan(1));
  }
  Value v;
  v.kind = Kind::object, v.object = arena_.make(plain::Object{callee, args, {}});
  push(v);
}

void Machine::build(Value state) {
  Value self = top();
  if (self.is(Kind::dtype)) return build_dtype(arena_, *self.dtype, state);
  if (self.is(Kind::array)) return build_array(arena_, *self.array, state);
  if (!self.is(Kind::object)) return;
  self.object->state = state;
  const Value& callee = self.object->callee;
  if (callee.is(Kind::global) && callee.global->name == "NumpyArrayWrapper" && callee.global->module == "joblib.numpy_pickle") {
    pop();
    push(array_in_stream(self));
  }
}

// joblib writes an array's items straight after the object that describes it: padding, then raw memory; a whole pickle for objects.
Value Machine::array_in_stream(const Value& wrapper) {
  auto dtype = wrapper.find("dtype"), shape = wrapper.find("shape"), order = wrapper.find("order");
  if (!dtype || !shape) fail(Code::bad_file, "joblib's array has no dtype or no shape");
  Value v;
  v.kind = Kind::array, v.array = arena_.make(described_array(arena_, *dtype, *shape, order && order->str() == "F"));
  if (v.array->type->kind == 'O') {
    if (depth_ == 0) fail(Code::limit_size, "object arrays are nested too deeply");
    Value inner = Machine(in_, arena_, depth_ - 1).run();
    return inner;
  }
  auto padding = wrapper.find("numpy_array_alignment_bytes");
  if (padding && !padding->is(Kind::none)) in_.take(in_.little<uint8_t>());
  v.array->bytes = in_.take(static_cast<uint64_t>(v.array->size()) * v.array->type->size);
  return v;
}

void Machine::extend(std::span<const Value> items, bool pairs) {
  if (pairs && items.size() % 2) fail(Code::bad_file, "has a key without a value");
  Value& to = top();
  plain::Sequence* s = nullptr;
  if (to.is(Kind::object)) {
    plain::Sequence*& part = pairs ? to.object->dict : to.object->list;
    s = part ? part : part = arena_.make(plain::Sequence{});
  } else if (to.is(pairs ? Kind::dict : to.kind) && (to.is(Kind::dict) || to.is(Kind::list) || to.is(Kind::set))) {
    s = to.sequence;
  } else {
    fail(Code::bad_file, "puts items into ", plain::name(to.kind));
  }
  for (const Value& v : items) s->push(arena_, v);
}

void Machine::remember(uint64_t index) {
  // Writers number in order, so an index beyond the steps taken is an attempt to make the memo large.
  if (index > steps_) fail(Code::bad_file, "memo index ", index, " after ", steps_, " opcodes");
  if (index >= memo_.size()) memo_.resize(index + 1);
  memo_[index] = top();
}

}  // namespace

plain::Document read_pickle(std::string_view bytes, std::shared_ptr<const void> owner, const Limits& limits) {
  auto arena = std::make_shared<Arena>(limits.memory + limits.memory_per_byte * bytes.size());
  ByteReader in(bytes);
  Value root = Machine(in, *arena, limits.nesting).run();
  return {std::move(owner), arena, root};
}

std::vector<OpcodeRow> opcode_table() {
  std::vector<OpcodeRow> rows;
  for (const Opcode& op : opcodes) rows.push_back({op.code, op.name});
  return rows;
}

}  // namespace onward::formats
