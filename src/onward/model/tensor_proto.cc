#include "onward/model/tensor_proto.h"

namespace onward {
namespace {

size_t file_bits(DataType type) { return contains(u4 | i4 | f4e2m1, type) ? 4 : contains(u2 | i2, type) ? 2 : size_of(type) * 8; }

void unpack(std::string_view raw, size_t bits, const Tensor& t) {
  auto* out = t.data<uint8_t>();
  for (int64_t i = 0; i < t.size(); ++i) {
    const auto code = uint8_t(uint8_t(raw[size_t(i) * bits / 8]) >> (size_t(i) * bits % 8) & ((1 << bits) - 1));
    const bool negative = contains(i4 | i2, t.type()) && (code >> (bits - 1));
    out[i] = negative ? uint8_t(code | (0xff << bits)) : code;
  }
}

void write_packed(WireWriter& w, const Tensor& t, size_t bits) {
  constexpr int64_t chunk = 8192;                         // elements; a multiple of those in a byte
  for (int64_t start = 0; start < t.size(); start += chunk) {
    const int64_t n = std::min(chunk, t.size() - start);
    std::string raw((size_t(n) * bits + 7) / 8, '\0');
    for (int64_t i = 0; i < n; ++i) raw[size_t(i) * bits / 8] |= char((t.data<uint8_t>()[start + i] & ((1 << bits) - 1)) << (size_t(i) * bits % 8));
    w.raw(raw);
  }
}

// The fields of a TensorProto as they stand.
struct Fields {
  Dims dims;
  uint64_t number = 0;                                    // of the type, as the file says it
  DataType type = DataType::none;
  bool has_raw = false, is_external = false, in_segments = false;
  std::string_view raw;
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<int64_t> ints;
  std::vector<std::string_view> strings;
  ExternalData external;

  // The elements that the field of this type holds.
  size_t given(size_t bits) const {
    switch (type) {
      case DataType::str: return strings.size();
      case DataType::f32: return floats.size();
      case DataType::c64: return floats.size() / 2;
      case DataType::f64: return doubles.size();
      case DataType::c128: return doubles.size() / 2;
      default: return ints.size() * (bits < 8 ? 8 / bits : 1);
    }
  }
};

Fields read_fields(std::string_view bytes, ReadContext& context, std::string* name) {
  Fields t;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: append_varints(f, t.dims, context.file); break;
    case 2: t.number = f.integer(); break;
    case 3: t.in_segments = true; break;
    case 4: append_floats(f, t.floats); break;
    case 5: case 7: case 11: append_varints(f, t.ints, context.file); break;
    case 6: context.charge(sizeof(std::string_view)), t.strings.push_back(f.body()); break;
    case 8: { const std::string s = f.text(); if (name) *name = s; break; }
    case 9: t.raw = f.body(); t.has_raw = true; break;
    case 10: append_doubles(f, t.doubles); break;
    case 13: t.external.insert(read_entry(f, context)); break;
    case 14: t.is_external = f.integer() == 1; break;
    default: break;
  }
  return t;
}

void fill(const Tensor& t, const Fields& f, size_t bits) {
  const auto n = size_t(t.size());
  if (bits < 8) return unpack(std::string(f.ints.begin(), f.ints.end()), bits, t);
  for_type<every_type - small_ints>(t.type(), [&]<class T>() {
    T* out = t.data<T>();
    for (size_t i = 0; i < n; ++i) {
      if constexpr (std::is_same_v<T, std::string>) out[i] = f.strings[i];
      else if constexpr (std::is_same_v<T, float>) out[i] = f.floats[i];
      else if constexpr (std::is_same_v<T, double>) out[i] = f.doubles[i];
      else if constexpr (type_of<T> == DataType::c64) out[i] = T(f.floats[2 * i], f.floats[2 * i + 1]);
      else if constexpr (type_of<T> == DataType::c128) out[i] = T(f.doubles[2 * i], f.doubles[2 * i + 1]);
      else if constexpr (contains(small_floats, type_of<T>)) out[i].bits = decltype(T::bits)(f.ints[i]);
      else out[i] = T(f.ints[i]);
    }
  });
}

// Throws unless `f` holds exactly or, where fields repeat, at least the values that its shape asks for; returns how many these are.
size_t checked_size(const Fields& f, size_t bits) {
  constexpr size_t highest_rank = 64;
  if (f.dims.size() > highest_rank) fail(Code::limit_size, "has ", f.dims.size(), " dimensions, more than ", highest_rank);
  const auto n = size_t(count(f.dims));
  if (!f.has_raw) {
    if (f.given(bits) < n) fail(Code::bad_model, "shape ", shown(f.dims), " needs ", n, " values, found ", f.given(bits));
    return n;
  }
  if (f.type == DataType::str) fail(Code::bad_model, "strings cannot be raw data");
  size_t total = 0;
  if (__builtin_mul_overflow(n, bits, &total) || total > SIZE_MAX - 7) fail(Code::limit_size, "a shape of ", shown(f.dims), " is larger than any file");
  const size_t needed = (total + 7) / 8;
  if (f.is_external && f.raw.size() > needed && !f.external.contains("length")) return n;        // up to the end of a shared file
  if (f.raw.size() != needed) fail(Code::bad_model, "shape ", shown(f.dims), " needs ", needed, " bytes of ", name_of(f.type), ", found ", f.raw.size());
  return n;
}

Tensor tensor_of(Fields& f, ReadContext& context) {
  if (f.in_segments) unsupported("is stored in segments");
  f.type = element_type(f.number);
  if (f.type == DataType::none) fail(Code::bad_model, "has no element type");
  std::shared_ptr<const void> owner = context.owner;
  if (f.is_external) f.raw = external_bytes(f.external, context, owner), f.has_raw = true;
  const size_t bits = file_bits(f.type), size = size_of(f.type), n = checked_size(f, bits);
  const bool in_place = f.has_raw && bits >= 8 && f.type != DataType::b8;
  if (in_place && owner && reinterpret_cast<uintptr_t>(f.raw.data()) % std::min<size_t>(size, 8) == 0) return Tensor::view(f.type, f.dims, f.raw.data(), owner);
  context.charge(n * size);
  Tensor t(f.type, f.dims);                               // only now: a damaged file must not make us allocate
  if (!f.has_raw) fill(t, f, bits);
  else if (in_place) { if (n) std::memcpy(t.raw(), f.raw.data(), n * size); }
  else if (bits < 8) unpack(f.raw, bits, t);
  else for (size_t i = 0; i < n; ++i) t.data<bool>()[i] = f.raw[i] != 0;
  return t;
}

}  // namespace

DataType element_type(uint64_t number) {
  constexpr std::string_view newer[] = {"float6e2m3", "float6e3m2"};            // of IR 14
  if (number < uint64_t(DataType::count)) return DataType(number);
  const uint64_t beyond = number - uint64_t(DataType::count);
  if (beyond < std::size(newer)) unsupported("element type ", newer[beyond], " is not read; the nearest that is read is float8e4m3fn");
  fail(Code::bad_model, "element type ", number, " is not in the standard");
}

std::pair<std::string, std::string> read_entry(const WireField& field, ReadContext& context) {
  context.charge(128);
  std::pair<std::string, std::string> out;
  WireField f;
  for (WireReader m(field.body(), context.file); m.next(f);) {
    if (f.number == 1) out.first = f.text();
    if (f.number == 2) out.second = f.text();
  }
  return out;
}

Tensor read_tensor(std::string_view bytes, ReadContext& context, std::string* name) {
  context.charge(sizeof(Tensor) + 128);
  Fields f = read_fields(bytes, context, name);
  try {
    return tensor_of(f, context);
  } catch (Error& e) {
    throw e.within(name && !name->empty() ? "tensor '" + *name + "'" : "a tensor");
  }
}

SparseTensor read_sparse(std::string_view bytes, ReadContext& context, std::string* name) {
  SparseTensor out;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: out.values = read_tensor(f.body(), context, name); break;
    case 2: out.indices = read_tensor(f.body(), context); break;
    case 3: append_varints(f, out.dims, context.file); break;
    default: break;
  }
  if (!out.values || !out.indices) fail(Code::bad_model, "a sparse tensor has no ", out.values ? "indices" : "values");
  uint64_t dense = 0;
  const bool too_large = __builtin_mul_overflow(uint64_t(count(out.dims)), size_of(out.values.type()), &dense);
  if (too_large || dense > context.dense_left) fail(Code::limit_memory, "sparse tensors become more than ", context.dense_left, " bytes");
  context.dense_left -= dense;
  return out;
}

// Who maps the file may use a tensor where it lies, if that is a multiple of its elements' size. DEFAULT, which `data_location` is anyway,
// is written before and behind the bytes in varints of as many bytes as it takes, all together always the same number: the length of the
// tensor depends on no position.
static void write_aligned(WireWriter& w, std::string_view bytes) {
  constexpr size_t alignment = 8, tag = 1;
  constexpr int data_location = 14, raw_data = 9;
  WireWriter length;
  length.varint(bytes.size());
  const size_t padding = (alignment - (w.at() + tag + 1 + tag + length.at()) % alignment) % alignment;
  w.long_integer(data_location, 0, 1 + padding);
  w.bytes(raw_data, bytes);
  w.long_integer(data_location, 0, alignment - padding);
}

void write_tensor(WireWriter& w, const Tensor& t, std::string_view name, const Aside* aside) {
  constexpr size_t worth_aligning = 1024;
  if (!t) fail(Code::bad_model, name.empty() ? "a tensor" : text("tensor '", name, "'"), " without an element type cannot be written");
  if (!t.dims().empty()) w.packed(1, t.dims());
  w.integer(2, int64_t(t.type()));
  const size_t bits = file_bits(t.type());
  if (t.type() == DataType::str) for (const auto& s : t.values<std::string>()) w.bytes(6, s);
  if (!name.empty()) w.bytes(8, name);
  if (t.type() == DataType::str) return;
  if (const uint64_t* at = aside ? aside->offset_of(t) : nullptr) return write_place(w, aside->location, *at, t.bytes());
  if (bits < 8) w.message(9, [&](WireWriter& m) { write_packed(m, t, bits); });
  else if (t.bytes() < worth_aligning) w.bytes(9, std::string_view(t.data<char>(), t.bytes()));
  else write_aligned(w, std::string_view(t.data<char>(), t.bytes()));
}

}  // namespace onward
