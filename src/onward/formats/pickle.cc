// The pickle machine's table: every opcode's name, argument and effect; a loop reads and applies them.
#include "onward/formats/pickle.h"

#include <array>

#include "onward/base/byte_reader.h"
#include "onward/formats/open.h"
#include "onward/formats/pickle_machine.h"
#include "onward/formats/pickle_text.h"

namespace onward::formats {
namespace {

using plain::Kind;
using plain::Value;

struct Argument {
  int64_t n = 0;
  double x = 0;
  std::string_view s, s2;
};

enum class Form : uint8_t { none, u1, u2, i4, u4, u8, f8, line, two_lines, bytes1, bytes4, bytes8 };

struct Opcode {
  uint8_t code;
  const char* name;
  Form form;
  void (*effect)(PickleMachine&, const Argument&);
};

[[noreturn]] void refuse(const char* what) {
  throw Error(Code::unsupported_format, text(what, ": such a pickle needs parts that are not in the file"),
              "write it with pickle.dump or joblib.dump, without a persistent_id, extension registry or buffer_callback");
}

void instance(PickleMachine& m, std::string_view module, std::string_view name) {
  const Value args = plain::sequence(m.arena(), Kind::tuple, m.pop_to_mark());
  m.push_global(module, name);
  m.call(m.pop(), args);
}
void object(PickleMachine& m) {
  const std::vector<Value> items = m.pop_to_mark();
  if (items.empty()) fail(Code::bad_file, "has no class");
  m.call(items[0], plain::sequence(m.arena(), Kind::tuple, std::span(items).subspan(1)));
}

// An object that whoever wrote the pickle keeps: its class, what it says of its columns, and its number; or the name of code that no
// pickle holds (formats/open.h).
void live_object(PickleMachine& m) {
  const Value id = m.pop();
  const auto parts = id.items();
  if (id.is(Kind::tuple) && parts.size() == 3 && parts[0].str() == "onward.code" && parts[1].is(Kind::text) && parts[2].is(Kind::text))
    return m.push_global(*parts[1].text, *parts[2].text);
  if (!id.is(Kind::tuple) || parts.size() != 6 || parts[0].str() != "onward.live" || !parts[1].is(Kind::text) || !parts[2].is(Kind::text) || !parts[3].is(Kind::integer)) refuse("a persistent id");
  std::vector<Value> state{plain::text(m.arena(), live_mark), parts[3]};
  if (parts[4].is(Kind::integer)) state.push_back(plain::text(m.arena(), "n_features_in_")), state.push_back(parts[4]);
  if (parts[5].is(Kind::list)) {
    static constexpr plain::DType objects{.kind = 'O', .size = 8};
    const auto names = parts[5].items();
    int64_t* shape = m.arena().array<int64_t>(1);
    *shape = int64_t(names.size());
    Value array;
    array.kind = Kind::array, array.array = m.arena().make(plain::NdArray{.type = &objects, .shape = {shape, 1}, .objects = names});
    state.push_back(plain::text(m.arena(), "feature_names_in_")), state.push_back(array);
  }
  m.push_global(*parts[1].text, *parts[2].text);
  Value object;
  object.kind = Kind::object, object.object = m.arena().make(plain::Object{.callee = m.pop(), .args = plain::sequence(m.arena(), Kind::tuple), .state = plain::sequence(m.arena(), Kind::dict, state)});
  m.push(object);
}

#define DO []([[maybe_unused]] PickleMachine& m, [[maybe_unused]] const Argument& a)
constexpr Opcode opcodes[] = {
    // protocol and framing
    {0x80, "PROTO", Form::u1, DO { if (a.n > 5) fail(Code::unsupported_format, "pickle protocol ", a.n, "; known are 0 to 5"); }},
    {0x95, "FRAME", Form::u8, DO {}},
    {'.', "STOP", Form::none, DO { m.stop(); }},
    // scalars
    {'N', "NONE", Form::none, DO { m.push(Value()); }},
    {0x88, "NEWTRUE", Form::none, DO { m.push(plain::boolean(true)); }},
    {0x89, "NEWFALSE", Form::none, DO { m.push(plain::boolean(false)); }},
    {'K', "BININT1", Form::u1, DO { m.push(plain::integer(a.n)); }},
    {'M', "BININT2", Form::u2, DO { m.push(plain::integer(a.n)); }},
    {'J', "BININT", Form::i4, DO { m.push(plain::integer(a.n)); }},
    {0x8a, "LONG1", Form::bytes1, DO { m.push(integer_of_bytes(m.arena(), a.s)); }},
    {0x8b, "LONG4", Form::bytes4, DO { m.push(integer_of_bytes(m.arena(), a.s)); }},
    {'I', "INT", Form::line, DO { m.push(a.s == "00" || a.s == "01" ? plain::boolean(a.s == "01") : integer_of_digits(m.arena(), a.s)); }},
    {'L', "LONG", Form::line, DO { m.push(integer_of_digits(m.arena(), a.s.substr(0, a.s.size() - a.s.ends_with('L')))); }},
    {'G', "BINFLOAT", Form::f8, DO { m.push(plain::real(a.x)); }},
    {'F', "FLOAT", Form::line, DO { m.push(plain::real(real_of_digits(a.s))); }},
    // text and bytes
    {0x8c, "SHORT_BINUNICODE", Form::bytes1, DO { m.push(checked_text(m.arena(), a.s)); }},
    {'X', "BINUNICODE", Form::bytes4, DO { m.push(checked_text(m.arena(), a.s)); }},
    {0x8d, "BINUNICODE8", Form::bytes8, DO { m.push(checked_text(m.arena(), a.s)); }},
    {'V', "UNICODE", Form::line, DO { m.push(plain::text(m.arena(), unicode_escaped(m.arena(), a.s))); }},
    {'C', "SHORT_BINBYTES", Form::bytes1, DO { m.push(plain::text(m.arena(), a.s, Kind::bytes)); }},
    {'B', "BINBYTES", Form::bytes4, DO { m.push(plain::text(m.arena(), a.s, Kind::bytes)); }},
    {0x8e, "BINBYTES8", Form::bytes8, DO { m.push(plain::text(m.arena(), a.s, Kind::bytes)); }},
    {0x96, "BYTEARRAY8", Form::bytes8, DO { m.push(plain::text(m.arena(), a.s, Kind::bytes)); }},
    {'U', "SHORT_BINSTRING", Form::bytes1, DO { m.push(python2_string(m.arena(), a.s)); }},
    {'T', "BINSTRING", Form::bytes4, DO { m.push(python2_string(m.arena(), a.s)); }},
    {'S', "STRING", Form::line, DO { m.push(python2_string(m.arena(), string_escaped(m.arena(), a.s))); }},
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
    {'p', "PUT", Form::line, DO { m.remember(index_of_digits(a.s)); }},
    {'q', "BINPUT", Form::u1, DO { m.remember(static_cast<uint64_t>(a.n)); }},
    {'r', "LONG_BINPUT", Form::u4, DO { m.remember(static_cast<uint64_t>(a.n)); }},
    {0x94, "MEMOIZE", Form::none, DO { m.remember_next(); }},
    {'g', "GET", Form::line, DO { m.recall(index_of_digits(a.s)); }},
    {'h', "BINGET", Form::u1, DO { m.recall(static_cast<uint64_t>(a.n)); }},
    {'j', "LONG_BINGET", Form::u4, DO { m.recall(static_cast<uint64_t>(a.n)); }},
    // classes and calls, as records
    {'c', "GLOBAL", Form::two_lines, DO { m.push_global(a.s, a.s2); }},
    {0x93, "STACK_GLOBAL", Form::none, DO { Value name = m.pop(), module = m.pop(); m.push_global(module, name); }},
    {'R', "REDUCE", Form::none, DO { Value args = m.pop(), callee = m.pop(); m.call(callee, args); }},
    {0x81, "NEWOBJ", Form::none, DO { Value args = m.pop(), callee = m.pop(); m.call(callee, args); }},
    {0x92, "NEWOBJ_EX", Form::none, DO { m.pop(); Value args = m.pop(), callee = m.pop(); m.call(callee, args); }},
    {'i', "INST", Form::two_lines, DO { instance(m, a.s, a.s2); }},
    {'o', "OBJ", Form::none, DO { object(m); }},
    {'b', "BUILD", Form::none, DO { m.build(m.pop()); }},
    // parts outside the file
    {'P', "PERSID", Form::line, DO { refuse("a persistent id"); }},
    {'Q', "BINPERSID", Form::none, DO { live_object(m); }},
    {0x82, "EXT1", Form::u1, DO { refuse("an extension code"); }},
    {0x83, "EXT2", Form::u2, DO { refuse("an extension code"); }},
    {0x84, "EXT4", Form::i4, DO { refuse("an extension code"); }},
    {0x97, "NEXT_BUFFER", Form::none, DO { refuse("an out-of-band buffer"); }},
    {0x98, "READONLY_BUFFER", Form::none, DO { refuse("an out-of-band buffer"); }},
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

}  // namespace

Value PickleMachine::run() {
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

plain::Document read_pickle(std::string_view bytes, std::shared_ptr<const void> owner, const Limits& limits) {
  const size_t memory = budget(limits.memory, limits.memory_per_byte, bytes.size());
  auto arena = std::make_shared<Arena>(memory);
  ByteReader in(bytes);
  const Value root = PickleMachine(in, *arena, memory / 4 / sizeof(Value), limits.nesting).run();
  return {std::move(owner), arena, root};
}

std::vector<OpcodeRow> opcode_table() {
  std::vector<OpcodeRow> rows;
  for (const Opcode& op : opcodes) rows.push_back({op.code, op.name});
  return rows;
}

}  // namespace onward::formats
