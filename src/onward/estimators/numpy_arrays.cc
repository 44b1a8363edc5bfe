#include "onward/estimators/numpy_arrays.h"

#include <cmath>

#include "onward/base/byte_reader.h"
#include "onward/base/unicode.h"

namespace onward {
namespace {

using plain::DType;
using plain::Kind;
using plain::NdArray;

// The stored types, in one place: calls f with a value of the stored type.
template <class F>
void with_stored_type(const DType& t, F f) {
  switch (t.kind) {
    case 'f':
      if (t.size == 8) return f(double{});
      if (t.size == 4) return f(float{});
      if (t.size == 2) return f(float16{});
      break;
    case 'i':
      switch (t.size) {
        case 8:
          return f(int64_t{});
        case 4:
          return f(int32_t{});
        case 2:
          return f(int16_t{});
        case 1:
          return f(int8_t{});
      }
      break;
    case 'u':
      switch (t.size) {
        case 8:
          return f(uint64_t{});
        case 4:
          return f(uint32_t{});
        case 2:
          return f(uint16_t{});
        case 1:
          return f(uint8_t{});
      }
      break;
    case 'b':
      return f(bool{});
  }
  if (!t.kind) fail(Code::bad_file, "is an array without content");
  fail(Code::bad_file, "holds items of numpy type ", t.kind, t.size, "; expected numbers");
}

template <class From>
From load(const char* p, bool big_endian) {
  ByteReader in({p, sizeof(From)});
  if constexpr (std::is_same_v<From, bool>) return in.little<uint8_t>() != 0;
  else return big_endian && sizeof(From) > 1 ? in.big<From>() : in.little<From>();
}

template <class T, class From>
T number(From x) {
  if constexpr (std::is_same_v<From, float16>) return number<T>(float(x));
  else if constexpr (std::is_integral_v<T> && std::is_floating_point_v<From>) {
    if (!(std::fabs(x) < 9.2e18) || x != std::trunc(x)) fail(Code::bad_file, "holds ", double(x), "; expected integers");
    return T(x);
  } else if constexpr (std::is_same_v<From, uint64_t> && std::is_signed_v<T> && std::is_integral_v<T>) {
    if (x > uint64_t(INT64_MAX)) fail(Code::unsupported_estimator, "holds ", x, ", which no int64 holds");
    return T(x);
  } else return static_cast<T>(x);
}

// Where flat row-major item i lies in memory, for column-major arrays.
int64_t fortran_offset(const NdArray& a, int64_t i) {
  int64_t offset = 0, stride = 1;
  Dims index(a.shape.size());
  for (size_t d = a.shape.size(); d-- > 0;) index[d] = i % a.shape[d], i /= a.shape[d];
  for (size_t d = 0; d < a.shape.size(); ++d) offset += index[d] * stride, stride *= a.shape[d];
  return offset;
}

void check_content(const NdArray& a) {
  const int64_t n = a.size();
  int64_t bytes = 0;
  const bool there = a.type->kind == 'O' ? int64_t(a.objects.size()) >= n
                                         : !__builtin_mul_overflow(n, int64_t(a.type->size), &bytes) && int64_t(a.bytes.size()) >= bytes;
  if (!there) fail(Code::bad_file, "holds less than its shape ", shown(a.shape), " says");
}

template <class T>
Array<T> converted(const NdArray& a, const DType& type, uint32_t offset, uint32_t stride) {
  check_content(a);
  Array<T> out;
  const bool f = a.fortran && a.shape.size() > 1;
  with_stored_type(type, [&]<class From>(From) {
    const char* base = a.bytes.data() + offset;
    out = Array<T>::of(Dims(a.shape),
                       [&](int64_t i) { return number<T>(load<From>(base + (f ? fortran_offset(a, i) : i) * stride, type.big_endian)); });
  });
  return out;
}

const plain::Field* find_field(const NdArray& a, std::string_view name) {
  for (const plain::Field& f : a.type->fields)
    if (f.name == name) return &f;
  return nullptr;
}

std::string text_item(const NdArray& a, int64_t i) {
  const char* p = a.bytes.data() + i * a.type->size;
  if (a.type->kind == 'S') return checked_text({p, strnlen(p, a.type->size)});
  std::string out;
  for (uint32_t k = 0; k + 4 <= a.type->size; k += 4) {
    const uint32_t c = load<uint32_t>(p + k, a.type->big_endian);
    if (!c) break;
    append_utf8(out, c);
  }
  return out;
}

}  // namespace

template <class T>
Array<T> as_array(const NdArray& a, const std::shared_ptr<const void>& owner) {
  if (a.type->kind == 'O') {
    check_content(a);
    return Array<T>::of(Dims(a.shape), [&](int64_t i) {
      const plain::Value& v = a.objects[size_t(i)];
      if (v.is(Kind::real)) return number<T>(v.real);
      if (v.is(Kind::integer)) return static_cast<T>(v.integer);
      if (v.is(Kind::boolean)) return static_cast<T>(v.boolean);
      if (v.is(Kind::none) && std::is_same_v<T, double>) return static_cast<T>(__builtin_nan(""));
      fail(Code::bad_file, "holds ", plain::name(v.kind), "; expected numbers");
    });
  }
  constexpr char kind = std::is_same_v<T, bool> ? 'b' : std::is_floating_point_v<T> ? 'f' : 'i';
  const bool same = a.type->kind == kind && a.type->size == sizeof(T) && !a.type->big_endian && (!a.fortran || a.shape.size() < 2);
  const bool aligned = reinterpret_cast<uintptr_t>(a.bytes.data()) % alignof(T) == 0;
  if (!same || !aligned || kind == 'b') return converted<T>(a, *a.type, 0, a.type->size);
  check_content(a);
  return Array<T>::view(Dims(a.shape), reinterpret_cast<const T*>(a.bytes.data()), owner);
}

// A missing item (None or NaN among strings) is the empty string here; who must tell them apart reads Categories.
template <>
Array<std::string> as_array(const NdArray& a, const std::shared_ptr<const void>&) {
  if (a.type->kind != 'U' && a.type->kind != 'S' && a.type->kind != 'O') fail(Code::bad_file, "holds numbers; expected strings");
  check_content(a);
  const bool f = a.fortran && a.shape.size() > 1;
  return Array<std::string>::of(Dims(a.shape), [&](int64_t i) {
    if (a.type->kind != 'O') return text_item(a, f ? fortran_offset(a, i) : i);
    const plain::Value& v = a.objects[size_t(i)];
    if (v.is(Kind::none) || (v.is(Kind::real) && v.real != v.real)) return std::string();
    if (!v.is(Kind::text)) fail(Code::unsupported_estimator, "mixes strings and ", plain::name(v.kind));
    return checked_text(v.str());
  });
}

std::string checked_text(std::string_view text) {
  if (!is_utf8(text)) fail(Code::bad_file, "holds text that is not UTF-8");
  return std::string(text);
}

template Array<double> as_array(const NdArray&, const std::shared_ptr<const void>&);
template Array<int64_t> as_array(const NdArray&, const std::shared_ptr<const void>&);
template Array<bool> as_array(const NdArray&, const std::shared_ptr<const void>&);

bool has_field(const NdArray& a, std::string_view name) { return find_field(a, name) != nullptr; }

template <class T>
Array<T> record_field(const NdArray& a, std::string_view name) {
  const plain::Field* f = find_field(a, name);
  if (!f) fail(Code::bad_file, "has no record field '", name, "'");
  if (uint64_t(f->offset) + f->type->size > a.type->size) fail(Code::bad_file, "has a record field '", name, "' outside the record");
  return converted<T>(a, *f->type, f->offset, a.type->size);
}
template Array<double> record_field(const NdArray&, std::string_view);
template Array<int32_t> record_field(const NdArray&, std::string_view);
template Array<uint8_t> record_field(const NdArray&, std::string_view);

}  // namespace onward
