// Element types of ONNX tensors: their numbers in the standard, their C++ types, sets of them, and dispatch over a set.
#pragma once
#include <algorithm>
#include <complex>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include "onward/base/error.h"
#include "onward/base/small_floats.h"

namespace onward {

// 4- and 2-bit integers occupy one byte each in memory and are packed only in files: every layout operator then
// treats them as bytes. Kernels for packed weights keep their own packed copy.
template <int bits, bool is_signed>
struct SmallInt {
  using Code = std::conditional_t<is_signed, int8_t, uint8_t>;
  Code value = 0;
  SmallInt() = default;
  explicit SmallInt(int64_t v) : value(Code(is_signed ? int8_t(v << (8 - bits)) >> (8 - bits) : v & ((1 << bits) - 1))) {}
  explicit operator int64_t() const { return value; }
  auto operator<=>(const SmallInt&) const = default;
};
using int4 = SmallInt<4, true>;
using uint4 = SmallInt<4, false>;
using int2 = SmallInt<2, true>;
using uint2 = SmallInt<2, false>;

// One row per element type, in the order of TensorProto.DataType.
template <class T, size_t bits = sizeof(T) * 8>
struct Element { using type = T; static constexpr size_t file_bits = bits; };
template <class... E> struct ElementList {};
using Elements = ElementList<Element<void, 8>, Element<float>, Element<uint8_t>, Element<int8_t>, Element<uint16_t>, Element<int16_t>,
    Element<int32_t>, Element<int64_t>, Element<std::string>, Element<bool>, Element<float16>, Element<double>, Element<uint32_t>,
    Element<uint64_t>, Element<std::complex<float>>, Element<std::complex<double>>, Element<bfloat16>, Element<float8e4m3fn>,
    Element<float8e4m3fnuz>, Element<float8e5m2>, Element<float8e5m2fnuz>, Element<uint4, 4>, Element<int4, 4>,
    Element<float4e2m1, 4>, Element<float8e8m0>, Element<uint2, 2>, Element<int2, 2>>;
enum class DataType : uint8_t { none, f32, u8, i8, u16, i16, i32, i64, str, b8, f16, f64, u32, u64, c64, c128, bf16,
    f8e4m3fn, f8e4m3fnuz, f8e5m2, f8e5m2fnuz, u4, i4, f4e2m1, f8e8m0, u2, i2, count };
inline constexpr std::string_view type_names[] = {"undefined", "float", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool",
    "float16", "double", "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2",
    "float8e5m2fnuz", "uint4", "int4", "float4e2m1", "float8e8m0", "uint2", "int2"};
inline std::string name_of(DataType type) { return std::string(type < DataType::count ? type_names[size_t(type)] : "unknown"); }

namespace detail {
template <size_t I, class First, class... Rest> struct At : At<I - 1, Rest...> {};
template <class First, class... Rest> struct At<0, First, Rest...> { using type = First; };
template <size_t I, class... E> auto at(ElementList<E...>) -> typename At<I, E...>::type;
template <class T, class... E> constexpr size_t index(ElementList<E...>) {
  size_t i = 0;
  (void)((std::is_same_v<T, typename E::type> || (++i, false)) || ...);
  return i;
}
}  // namespace detail

template <DataType type> using ElementAt = typename decltype(detail::at<size_t(type)>(Elements{}))::type;
template <class T> inline constexpr DataType type_of = DataType(detail::index<std::remove_const_t<T>>(Elements{}));

// A set of element types.
enum class Types : uint32_t {};
constexpr Types one(DataType type) { return Types(1u << unsigned(type)); }
constexpr Types operator|(Types a, Types b) { return Types(uint32_t(a) | uint32_t(b)); }
constexpr Types operator&(Types a, Types b) { return Types(uint32_t(a) & uint32_t(b)); }
constexpr Types operator-(Types a, Types b) { return Types(uint32_t(a) & ~uint32_t(b)); }
constexpr bool contains(Types set, DataType type) { return (uint32_t(set) >> unsigned(type)) & 1; }

inline constexpr Types f32 = one(DataType::f32), f64 = one(DataType::f64), f16 = one(DataType::f16), bf16 = one(DataType::bf16),
    u8 = one(DataType::u8), u16 = one(DataType::u16), u32 = one(DataType::u32), u64 = one(DataType::u64), i8 = one(DataType::i8),
    i16 = one(DataType::i16), i32 = one(DataType::i32), i64 = one(DataType::i64), str = one(DataType::str), b8 = one(DataType::b8),
    c64 = one(DataType::c64), c128 = one(DataType::c128), f8e4m3fn = one(DataType::f8e4m3fn), f8e4m3fnuz = one(DataType::f8e4m3fnuz),
    f8e5m2 = one(DataType::f8e5m2), f8e5m2fnuz = one(DataType::f8e5m2fnuz), u4 = one(DataType::u4), i4 = one(DataType::i4),
    f4e2m1 = one(DataType::f4e2m1), f8e8m0 = one(DataType::f8e8m0), u2 = one(DataType::u2), i2 = one(DataType::i2);
inline constexpr Types small_floats = f16 | bf16 | f8e4m3fn | f8e4m3fnuz | f8e5m2 | f8e5m2fnuz | f4e2m1 | f8e8m0;
inline constexpr Types small_ints = u4 | i4 | u2 | i2, complex_types = c64 | c128;

// Calls f.operator()<T>() for the element type `type` if it is in `set`; only members of the set are instantiated.
template <Types set, class F>
bool for_type(DataType type, F&& f) {
  return [&]<size_t... I>(std::index_sequence<I...>) {
    const auto attempt = [&]<DataType candidate>() {
      if constexpr (contains(set, candidate)) {
        if (type == candidate) return f.template operator()<ElementAt<candidate>>(), true;
      }
      return false;
    };
    return (attempt.template operator()<DataType(I)>() || ...);
  }(std::make_index_sequence<size_t(DataType::count)>());
}

template <Types set, class F>
void for_each_type(F&& f) {
  for (unsigned t = 0; t < unsigned(DataType::count); ++t) for_type<set>(DataType(t), f);
}

inline constexpr Types every_type = Types((1u << unsigned(DataType::count)) - 2);
inline size_t size_of(DataType type) {
  size_t size = 0;
  for_type<every_type>(type, [&]<class T>() { size = sizeof(T); });
  return size;
}

// The type in which arithmetic on T happens.
template <class T> struct Compute { using type = T; };
template <class T> requires (contains(small_floats, type_of<T>)) struct Compute<T> { using type = float; };
template <class T> requires (contains(small_ints, type_of<T>)) struct Compute<T> { using type = int64_t; };
template <class T> using compute_t = typename Compute<T>::type;

}  // namespace onward
