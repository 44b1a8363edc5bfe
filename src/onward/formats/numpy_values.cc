#include "onward/formats/numpy_values.h"
#include <charconv>
#include "onward/base/byte_reader.h"
namespace onward::formats {
namespace {

using plain::Kind;
using plain::Value;

Value array_value(Arena& arena, plain::NdArray a) {
  Value v;
  v.kind = Kind::array, v.array = arena.make(a);
  return v;
}

const plain::DType& dtype_of(const Value& v) {
  if (!v.is(Kind::dtype)) fail(Code::bad_file, "expected a dtype, found ", plain::name(v.kind));
  return *v.dtype;
}

std::span<const int64_t> shape_of(Arena& arena, const Value& v) {
  std::span<const Value> dims = v.is(Kind::integer) ? std::span(&v, 1) : v.items();
  int64_t* shape = arena.array<int64_t>(dims.size());
  for (size_t i = 0; i < dims.size(); ++i) {
    if (!dims[i].is(Kind::integer)) fail(Code::bad_file, "a shape holds ", plain::name(dims[i].kind));
    shape[i] = dims[i].integer;
  }
  return {shape, dims.size()};
}

void set_bytes(plain::NdArray& a, std::string_view bytes) {
  int64_t expected = 0;
  if (__builtin_mul_overflow(a.size(), static_cast<int64_t>(a.type->size), &expected) || static_cast<uint64_t>(expected) != bytes.size())
    fail(Code::bad_file, "an array of ", a.size(), " items of ", a.type->size, " bytes comes with ", bytes.size(), " bytes");
  a.bytes = bytes;
}

// One row per constructor: what calling it would give, as data. `at(i)` is an argument, None beyond the last.
struct Args {
  Arena& arena;
  std::span<const Value> items;
  Value at(size_t i) const { return i < items.size() ? items[i] : Value(); }
};
struct Constructor {
  std::string_view name;
  bool (*from)(std::string_view module);
  Value (*value)(const Args&);
};

bool multiarray(std::string_view m) { return m == "numpy.core.multiarray" || m == "numpy._core.multiarray"; }
bool numeric(std::string_view m) { return m == "numpy.core.numeric" || m == "numpy._core.numeric"; }
bool builtins(std::string_view m) { return m == "builtins" || m == "__builtin__"; }

constexpr Constructor constructors[] = {
    {"dtype", [](std::string_view m) { return m == "numpy"; }, [](const Args& a) {
       Value v;
       v.kind = Kind::dtype, v.dtype = a.arena.make(parse_dtype(a.at(0).str()));
       return v;
     }},
    {"_reconstruct", multiarray, [](const Args& a) { return array_value(a.arena, {}); }},
    {"scalar", multiarray, [](const Args& a) {
       const plain::DType& type = dtype_of(a.at(0));
       std::string_view item = a.at(1).is(Kind::text) ? latin1(a.arena, a.at(1).str()) : a.at(1).str();
       if (item.size() != type.size || type.kind == 'O') fail(Code::bad_file, "a numpy scalar of ", type.size, " bytes comes with ", item.size());
       return scalar(a.arena, type, item.data());
     }},
    {"_frombuffer", numeric, [](const Args& a) {
       plain::NdArray array = described_array(a.arena, a.at(1), a.at(2), a.at(3).str() == "F");
       set_bytes(array, a.at(0).str());
       return array_value(a.arena, array);
     }},
    {"encode", [](std::string_view m) { return m == "_codecs"; }, [](const Args& a) { return plain::text(a.arena, latin1(a.arena, a.at(0).str()), Kind::bytes); }},
    {"bytes", builtins, [](const Args& a) { return plain::text(a.arena, a.at(0).str(), Kind::bytes); }},
    {"bytearray", builtins, [](const Args& a) { return plain::text(a.arena, latin1(a.arena, a.at(0).str()), Kind::bytes); }},
    {"OrderedDict", [](std::string_view m) { return m == "collections"; }, [](const Args& a) { return plain::sequence(a.arena, Kind::dict); }},
    {"defaultdict", [](std::string_view m) { return m == "collections"; }, [](const Args& a) { return plain::sequence(a.arena, Kind::dict); }},
    {"set", builtins, [](const Args& a) { return plain::sequence(a.arena, Kind::set, a.at(0).items()); }},
};

template <class T> T load(const char* p, bool big_endian) {
  ByteReader in({p, sizeof(T)});
  return big_endian ? in.big<T>() : in.little<T>();
}

}  // namespace

std::optional<Value> known_call(Arena& arena, const plain::Global& callee, const Value& args) {
  for (const Constructor& c : constructors)
    if (c.name == callee.name && c.from(callee.module)) return c.value({arena, args.items()});
  return {};
}

plain::DType parse_dtype(std::string_view code) {
  plain::DType type;
  if (!code.empty() && (code[0] == '<' || code[0] == '>' || code[0] == '|' || code[0] == '=')) {
    type.big_endian = code[0] == '>';
    code.remove_prefix(1);
  }
  if (code.empty()) fail(Code::bad_file, "a dtype has no type letter");
  type.kind = code[0];
  if (code.size() > 1 && std::from_chars(code.data() + 1, code.data() + code.size(), type.size).ec != std::errc()) fail(Code::bad_file, "dtype '", code, "' has no size");
  if (type.kind == 'U') {
    if (type.size > UINT32_MAX / 4) fail(Code::bad_file, "dtype '", code, "' is too large");
    type.size *= 4;
  }
  if (type.kind == 'O') type.size = 8;
  if (type.kind == '?') type = {'b', 1};
  if (std::string_view("fiubOUSVMmc").find(type.kind) == std::string_view::npos) fail(Code::unsupported_format, "arrays of dtype '", code, "'");
  return type;
}

void build_dtype(Arena& arena, plain::DType& type, const Value& state) {
  std::span<const Value> s = state.items();
  if (s.size() < 6) return;
  if (s[1].str() == ">") type.big_endian = true;
  if (s[3].is(Kind::none)) return;
  std::span<const Value> names = s[3].items();
  auto* fields = arena.array<plain::Field>(names.size());
  if (!s[5].is(Kind::integer) || s[5].integer < 0 || s[5].integer > 1 << 20) fail(Code::bad_file, "a record dtype has no size");
  type.size = static_cast<uint32_t>(s[5].integer);
  for (size_t i = 0; i < names.size(); ++i) {
    auto entry = s[4].find(names[i].str());
    std::span<const Value> e = entry ? entry->items() : std::span<const Value>();
    if (e.size() < 2 || !e[0].is(Kind::dtype) || !e[1].is(Kind::integer)) fail(Code::bad_file, "record field '", names[i].str(), "' is not described");
    const plain::DType* of = e[0].dtype;
    if (!of->fields.empty() || e[1].integer < 0 || static_cast<uint64_t>(e[1].integer) + of->size > type.size)
      fail(Code::bad_file, "record field '", names[i].str(), "' lies outside its record");
    fields[i] = {names[i].str(), of, static_cast<uint32_t>(e[1].integer)};
  }
  type.fields = {fields, names.size()};
}

plain::NdArray described_array(Arena& arena, const Value& dtype, const Value& shape, bool fortran) {
  plain::NdArray a;
  // A copy: a dtype that is changed after an array was made of it must not change the array.
  a.type = arena.make(plain::DType(dtype_of(dtype)));
  a.shape = shape_of(arena, shape);
  a.fortran = fortran;
  int64_t bytes = 0;
  if (__builtin_mul_overflow(a.size(), static_cast<int64_t>(a.type->size), &bytes)) fail(Code::bad_file, "an array is impossibly large");
  return a;
}

void build_array(Arena& arena, plain::NdArray& a, const Value& state) {
  std::span<const Value> s = state.items();   // version, shape, dtype, fortran, items
  if (s.size() != 5) fail(Code::bad_file, "an array's state has ", s.size(), " parts; expected 5");
  plain::NdArray built = described_array(arena, s[2], s[1], s[3].is(Kind::boolean) && s[3].boolean);
  if (built.type->kind == 'O') {
    if (built.size() != static_cast<int64_t>(s[4].items().size())) fail(Code::bad_file, "an object array of ", built.size(), " items comes with ", s[4].items().size());
    built.objects = s[4].items();
  } else {
    set_bytes(built, s[4].is(Kind::text) ? latin1(arena, s[4].str()) : s[4].str());
  }
  a = built;
}

Value scalar(Arena& arena, const plain::DType& type, const char* p) {
  switch (type.kind) {
    case 'b': return plain::boolean(*p != 0);
    case 'f':
      if (type.size == 8) return plain::real(load<double>(p, type.big_endian));
      if (type.size == 4) return plain::real(load<float>(p, type.big_endian));
      break;
    case 'i':
    case 'u': {
      bool s = type.kind == 'i';
      if (type.size == 8) return plain::integer(load<int64_t>(p, type.big_endian));
      if (type.size == 4) return plain::integer(s ? load<int32_t>(p, type.big_endian) : static_cast<int64_t>(load<uint32_t>(p, type.big_endian)));
      if (type.size == 2) return plain::integer(s ? load<int16_t>(p, type.big_endian) : static_cast<int64_t>(load<uint16_t>(p, type.big_endian)));
      if (type.size == 1) return plain::integer(s ? static_cast<int8_t>(*p) : static_cast<int64_t>(static_cast<uint8_t>(*p)));
      break;
    }
    case 'S': return plain::text(arena, std::string_view(p, strnlen(p, type.size)), Kind::bytes);
    case 'U': {   // UCS-4, zero-padded
      std::string out;
      for (uint32_t i = 0; i + 4 <= type.size; i += 4) {
        uint32_t c = load<uint32_t>(p + i, type.big_endian);
        if (!c) break;
        if (c < 0x80) out += static_cast<char>(c);
        else if (c < 0x800) (out += static_cast<char>(0xc0 | c >> 6)) += static_cast<char>(0x80 | (c & 63));
        else if (c < 0x10000) ((out += static_cast<char>(0xe0 | c >> 12)) += static_cast<char>(0x80 | (c >> 6 & 63))) += static_cast<char>(0x80 | (c & 63));
        else (((out += static_cast<char>(0xf0 | (c >> 18 & 7))) += static_cast<char>(0x80 | (c >> 12 & 63))) += static_cast<char>(0x80 | (c >> 6 & 63))) += static_cast<char>(0x80 | (c & 63));
      }
      return plain::text(arena, arena.copy(out));
    }
  }
  return plain::text(arena, {p, type.size}, Kind::bytes);
}

std::string_view latin1(Arena& arena, std::string_view utf8) {
  char* out = arena.array<char>(utf8.size());
  size_t n = 0;
  for (size_t i = 0; i < utf8.size(); ++i) {
    uint8_t c = static_cast<uint8_t>(utf8[i]);
    if (c >= 0xc2 && c <= 0xc3 && i + 1 < utf8.size()) c = static_cast<uint8_t>((c & 3) << 6 | (static_cast<uint8_t>(utf8[++i]) & 63));
    out[n++] = static_cast<char>(c);
  }
  return {out, n};
}

}  // namespace onward::formats
