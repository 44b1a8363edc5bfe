#include "onward/formats/numpy_values.h"

#include "onward/formats/numpy_dtype.h"

namespace onward::formats {
namespace {

using plain::Kind;
using plain::Value;

constexpr size_t dimensions_max = 64;   // numpy's own

const plain::DType& dtype_of(const Value& v) {
  if (!v.is(Kind::dtype)) fail(Code::bad_file, "expected a dtype, found ", plain::name(v.kind));
  return *v.dtype;
}

std::span<const int64_t> shape_of(Arena& arena, const Value& v) {
  const std::span<const Value> dims = v.is(Kind::integer) ? std::span(&v, 1) : v.items();
  if (dims.size() > dimensions_max) fail(Code::bad_file, "an array has ", dims.size(), " dimensions");
  int64_t* shape = arena.array<int64_t>(dims.size());
  for (size_t i = 0; i < dims.size(); ++i) {
    if (!dims[i].is(Kind::integer)) fail(Code::bad_file, "a shape holds ", plain::name(dims[i].kind));
    shape[i] = dims[i].integer;
  }
  return {shape, dims.size()};
}

// Up to protocol 2 bytes are written as text, decoded from Latin-1.
std::string_view latin1(Arena& arena, std::string_view utf8) {
  char* out = arena.array<char>(utf8.size());
  size_t n = 0;
  for (size_t i = 0; i < utf8.size(); ++i) {
    auto c = static_cast<uint8_t>(utf8[i]);
    if (c >= 0xc2 && c <= 0xc3 && i + 1 < utf8.size()) c = static_cast<uint8_t>((c & 3) << 6 | (static_cast<uint8_t>(utf8[++i]) & 63));
    out[n++] = static_cast<char>(c);
  }
  return {out, n};
}

std::string_view bytes_of(Arena& arena, const Value& v) { return v.is(Kind::text) ? latin1(arena, v.str()) : v.str(); }

// One row per constructor: what calling it would give, as data; nothing where the arguments say more than is known here, so that the
// record of the call stays. `at(i)` is an argument, None beyond the last.
using Known = std::optional<Value>;
struct Args {
  Arena& arena;
  std::span<const Value> items;
  Value at(size_t i) const { return i < items.size() ? items[i] : Value(); }
};

Known make_dtype(const Args& a) {
  Value v;
  v.kind = Kind::dtype, v.dtype = a.arena.make(parse_dtype(a.at(0).str()));
  return v;
}
Known make_scalar(const Args& a) {
  const plain::DType& type = dtype_of(a.at(0));
  if (type.kind == 'O') return a.at(1);
  const std::string_view item = bytes_of(a.arena, a.at(1));
  if (item.size() != type.size) fail(Code::bad_file, "a numpy scalar of ", type.size, " bytes comes with ", item.size());
  return scalar(a.arena, type, item);
}
Known array_from_buffer(const Args& a) {
  plain::NdArray array = described_array(a.arena, a.at(1), a.at(2), a.at(3).str() == "F");
  set_bytes(array, a.at(0).str());
  return array_value(a.arena, array);
}
Known make_bytes(const Args& a) {
  if (!a.items.empty() && !a.at(0).is(Kind::text) && !a.at(0).is(Kind::bytes)) return {};
  return plain::text(a.arena, bytes_of(a.arena, a.at(0)), Kind::bytes);
}
Known encode(const Args& a) {
  const std::string_view encoding = a.at(1).str();
  return encoding == "latin1" || encoding == "latin-1" ? make_bytes(a) : Known();
}
Known ordered_dict(const Args& a) { return a.items.empty() ? Known(plain::sequence(a.arena, Kind::dict)) : Known(); }
Known default_dict(const Args& a) { return a.items.size() < 2 ? Known(plain::sequence(a.arena, Kind::dict)) : Known(); }
Known make_set(const Args& a) { return plain::sequence(a.arena, Kind::set, a.at(0).items()); }

bool numpy(std::string_view m) { return m == "numpy"; }
bool multiarray(std::string_view m) { return m == "numpy.core.multiarray" || m == "numpy._core.multiarray"; }
bool numeric(std::string_view m) { return m == "numpy.core.numeric" || m == "numpy._core.numeric"; }
bool builtins(std::string_view m) { return m == "builtins" || m == "__builtin__"; }
bool codecs(std::string_view m) { return m == "_codecs"; }
bool collections(std::string_view m) { return m == "collections"; }

struct Constructor {
  std::string_view name;
  bool (*from)(std::string_view module);
  Known (*value)(const Args&);
};
constexpr Constructor constructors[] = {
    {"dtype", numpy, make_dtype},
    {"_reconstruct", multiarray, [](const Args& a) { return Known(array_value(a.arena, {})); }},
    {"scalar", multiarray, make_scalar},
    {"_frombuffer", numeric, array_from_buffer},
    {"encode", codecs, encode},
    {"bytes", builtins, make_bytes},
    {"bytearray", builtins, make_bytes},
    {"OrderedDict", collections, ordered_dict},
    {"defaultdict", collections, default_dict},
    {"set", builtins, make_set},
    {"frozenset", builtins, make_set},
};

}  // namespace

std::optional<Value> known_call(Arena& arena, const plain::Global& callee, const Value& args) {
  for (const Constructor& c : constructors)
    if (c.name == callee.name && c.from(callee.module)) return c.value({arena, args.items()});
  return {};
}

plain::NdArray described_array(Arena& arena, const Value& dtype, const Value& shape, bool fortran) {
  plain::NdArray a;
  // A copy: a dtype that is changed after an array was made of it must not change the array.
  a.type = arena.make(plain::DType(dtype_of(dtype)));
  a.shape = shape_of(arena, shape);
  a.fortran = fortran;
  int64_t bytes = 0;
  if (__builtin_mul_overflow(a.size(), static_cast<int64_t>(a.type->size), &bytes)) fail(Code::bad_file, "an array is impossibly large");
  if (a.type->size == 0 && a.size() > 0) fail(Code::unsupported_format, "an array of ", a.size(), " items of 0 bytes");
  return a;
}

void set_bytes(plain::NdArray& a, std::string_view bytes) {
  if (a.type->kind == 'O') fail(Code::bad_file, "an object array comes with bytes");
  if (static_cast<uint64_t>(a.size()) * a.type->size != bytes.size())
    fail(Code::bad_file, "an array of ", a.size(), " items of ", a.type->size, " bytes comes with ", bytes.size(), " bytes");
  a.bytes = bytes;
}

void set_objects(plain::NdArray& a, std::span<const Value> objects) {
  if (a.size() != static_cast<int64_t>(objects.size()))
    fail(Code::bad_file, "an object array of ", a.size(), " items comes with ", objects.size());
  a.objects = objects;
}

void build_array(Arena& arena, plain::NdArray& a, const Value& state) {
  const std::span<const Value> s = state.items();   // version, shape, dtype, fortran, items
  if (s.size() != 5) fail(Code::bad_file, "an array's state has ", s.size(), " parts; expected 5");
  const bool fortran = (s[3].is(Kind::boolean) && s[3].boolean) || (s[3].is(Kind::integer) && s[3].integer != 0);
  plain::NdArray built = described_array(arena, s[2], s[1], fortran);
  if (built.type->kind == 'O') {
    if (!s[4].is(Kind::list)) fail(Code::bad_file, "an object array's items are ", plain::name(s[4].kind), "; expected a list");
    set_objects(built, s[4].items());
  } else {
    set_bytes(built, bytes_of(arena, s[4]));
  }
  a = built;
}

Value array_value(Arena& arena, const plain::NdArray& a) {
  Value v;
  v.kind = Kind::array, v.array = arena.make(plain::NdArray(a));
  return v;
}

}  // namespace onward::formats
