#include "onward/model/tensor_proto.h"

#include <climits>
#include <cstdlib>

#include "onward/base/unicode.h"

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

std::string pack(const Tensor& t, size_t bits) {
  std::string raw((size_t(t.size()) * bits + 7) / 8, '\0');
  for (int64_t i = 0; i < t.size(); ++i) raw[size_t(i) * bits / 8] |= char((t.data<uint8_t>()[i] & ((1 << bits) - 1)) << (size_t(i) * bits % 8));
  return raw;
}

// The fields of a TensorProto as they stand.
struct Fields {
  Dims dims;
  DataType type = DataType::none;
  bool has_raw = false, is_external = false;
  std::string_view raw;
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<int64_t> ints;
  std::vector<std::string_view> strings;
  std::map<std::string, std::string, std::less<>> external;

  size_t given(size_t bits) const {
    if (has_raw) return raw.size() * 8 / bits;
    if (type == DataType::str) return strings.size();
    if (type == DataType::c64) return floats.size() / 2;
    if (type == DataType::c128) return doubles.size() / 2;
    return std::max({floats.size(), doubles.size(), ints.size() * (bits < 8 ? 8 / bits : 1)});
  }
};

Fields read_fields(std::string_view bytes, ReadContext& context, std::string* name) {
  Fields t;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: append_varints(f, t.dims, context.file); break;
    case 2: t.type = f.value < uint64_t(DataType::count) ? DataType(f.value) : DataType::count; break;
    case 3: unsupported("a tensor stored in segments");
    case 4: append_floats(f, t.floats); break;
    case 5: case 7: case 11: append_varints(f, t.ints, context.file); break;
    case 6: t.strings.push_back(f.bytes); break;
    case 8: if (name) *name = text_of(f.bytes); break;
    case 9: t.raw = f.bytes; t.has_raw = true; break;
    case 10: append_doubles(f, t.doubles); break;
    case 13: {
      std::string key, value;
      WireField g;
      for (WireReader e(f.bytes, context.file); e.next(g);) (g.number == 1 ? key : value) = text_of(g.bytes);
      t.external[key] = value;
      break;
    }
    case 14: t.is_external = f.value == 1; break;
    default: break;
  }
  return t;
}

uint64_t number(const std::string& s, const char* what) {
  uint64_t v = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (error != std::errc() || end != s.data() + s.size()) fail(Code::bad_model, "external data: ", what, " is '", s, "', expected a number");
  return v;
}

// External data may only lie inside the model's folder, whatever links and dots say.
std::string_view external_bytes(const Fields& t, ReadContext& context, std::shared_ptr<const void>& owner) {
  const auto given = t.external.find("location");
  if (given == t.external.end()) fail(Code::bad_model, "external data without a location");
  const std::string& location = given->second;
  if (context.folder.empty()) fail(Code::bad_model, "external data ('", location, "') of a model that is not read from a file");
  if (location.empty() || location[0] == '/' || location.find('\0') != location.npos) fail(Code::bad_model, "external data: '", location, "' is not a path inside the model's folder");
  auto file = context.external.find(location);
  if (file == context.external.end()) {
    char root[PATH_MAX], real[PATH_MAX];
    if (!realpath(context.folder.c_str(), root)) fail(Code::io, context.folder, ": cannot be opened");
    if (!realpath((context.folder + "/" + location).c_str(), real)) fail(Code::io, "external data '", location, "' cannot be opened");
    const std::string inside = std::string(root) + (std::string_view(root) == "/" ? "" : "/");
    if (!std::string_view(real).starts_with(inside)) fail(Code::bad_model, "external data: '", location, "' is outside the model's folder");
    file = context.external.emplace(location, map_file(real)).first;
  }
  const std::string_view all = file->second.bytes;
  const uint64_t offset = t.external.contains("offset") ? number(t.external.at("offset"), "offset") : 0;
  if (offset > all.size()) fail(Code::bad_model, "external data: offset ", offset, " is behind the end of '", location, "' (", all.size(), " bytes)");
  const uint64_t length = t.external.contains("length") ? number(t.external.at("length"), "length") : all.size() - offset;
  if (length > all.size() - offset) fail(Code::bad_model, "external data: ", length, " bytes at ", offset, " are asked of '", location, "', which has ", all.size());
  owner = file->second.owner;
  return all.substr(offset, length);
}

void fill(const Tensor& t, const Fields& f, size_t bits) {
  const auto n = size_t(t.size());
  if (bits < 8) {
    const std::string codes(f.ints.begin(), f.ints.end());
    unpack(codes, bits, t);
    return;
  }
  for_type<every_type - str>(t.type(), [&]<class T>() {
    for (size_t i = 0; i < n; ++i) {
      if constexpr (type_of<T> == DataType::c64) t.data<T>()[i] = T(f.floats[2 * i], f.floats[2 * i + 1]);
      else if constexpr (type_of<T> == DataType::c128) t.data<T>()[i] = T(f.doubles[2 * i], f.doubles[2 * i + 1]);
      else if constexpr (contains(small_floats, type_of<T>)) t.data<T>()[i].bits = decltype(T::bits)(f.ints.empty() ? 0 : f.ints[i]);
      else if constexpr (contains(small_ints, type_of<T>)) t.data<T>()[i] = T(f.ints[i]);
      else t.data<T>()[i] = !f.floats.empty() ? T(f.floats[i]) : !f.doubles.empty() ? T(f.doubles[i]) : T(f.ints[i]);
    }
  });
}

}  // namespace

std::string text_of(std::string_view bytes) {
  if (!is_utf8(bytes)) fail(Code::bad_file, "a name is not valid UTF-8");
  return std::string(bytes);
}

Tensor read_tensor(std::string_view bytes, ReadContext& context, std::string* name) {
  Fields f = read_fields(bytes, context, name);
  const auto named = [&] { return name && !name->empty() ? text("tensor '", *name, "'") : std::string("a tensor"); };
  if (f.type == DataType::none || f.type >= DataType::count) fail(Code::bad_model, named(), " has no known element type");
  std::shared_ptr<const void> owner = context.owner;
  if (f.is_external) f.raw = external_bytes(f, context, owner), f.has_raw = true;
  const auto n = size_t(count(f.dims));
  const size_t bits = file_bits(f.type);
  if (f.has_raw && f.type == DataType::str) fail(Code::bad_model, named(), ": strings cannot be raw data");
  if (f.given(bits) < n) fail(Code::bad_model, named(), " of shape ", shown(f.dims), " needs ", n, " values, found ", f.given(bits));
  if (contains(small_floats, f.type) && bits == 8 && !f.has_raw && f.ints.size() < n) fail(Code::bad_model, named(), ": expected its values as integers");
  const size_t size = size_of(f.type);
  if (f.has_raw && bits >= 8 && f.type != DataType::b8 && owner && reinterpret_cast<uintptr_t>(f.raw.data()) % std::min<size_t>(size, 8) == 0)
    return Tensor::view(f.type, f.dims, f.raw.data(), owner);
  Tensor t(f.type, f.dims);              // only now: a damaged file must not make us allocate
  if (f.type == DataType::str) {
    for (size_t i = 0; i < n; ++i) t.data<std::string>()[i] = f.strings[i];
  } else if (f.type == DataType::b8 && f.has_raw) {
    for (size_t i = 0; i < n; ++i) t.data<bool>()[i] = f.raw[i] != 0;
  } else if (f.has_raw && bits >= 8) {
    if (n) std::memcpy(t.raw(), f.raw.data(), n * size);
  } else if (f.has_raw) {
    unpack(f.raw, bits, t);
  } else {
    fill(t, f, bits);
  }
  return t;
}

SparseTensor read_sparse(std::string_view bytes, ReadContext& context, std::string* name) {
  SparseTensor out;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: out.values = read_tensor(f.bytes, context, name); break;
    case 2: out.indices = read_tensor(f.bytes, context); break;
    case 3: append_varints(f, out.dims, context.file); break;
    default: break;
  }
  const uint64_t dense = uint64_t(count(out.dims)) * size_of(out.values.type());
  if (dense > context.dense_left) fail(Code::limit_memory, "sparse tensors become more than ", context.dense_left, " bytes");
  context.dense_left -= dense;
  return out;
}

void write_tensor(WireWriter& w, const Tensor& t, std::string_view name) {
  if (!t.dims().empty()) w.packed(1, t.dims());
  w.integer(2, int64_t(t.type()));
  const size_t bits = file_bits(t.type());
  if (t.type() == DataType::str) for (const auto& s : t.values<std::string>()) w.bytes(6, s);
  else if (bits < 8) w.bytes(9, pack(t, bits));
  else w.bytes(9, std::string_view(t.data<char>(), t.bytes()));
  if (!name.empty()) w.bytes(8, name);
}

}  // namespace onward
