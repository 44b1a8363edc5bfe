// A plain value: what a fitted-model file says, with nothing imported and nothing called. Pickle, joblib, skops, JSON and
// UBJSON all read into it. Values are 16 bytes, point into an arena or into the file itself, and are valid as long as their Document.
//
// A file decides what the tree looks like: a value may contain itself, lie a million levels deep, or be shared a million times. Who
// walks it bounds its depth. An integer beyond 64 bits is its decimal digits as text.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include "onward/base/arena.h"
namespace onward::plain {

enum class Kind : uint8_t { none, boolean, integer, real, text, bytes, list, tuple, dict, set, global, object, dtype, array };
const char* name(Kind);

struct Sequence;
struct Global;
struct Object;
struct DType;
struct NdArray;

struct Value {
  Kind kind = Kind::none;
  union {
    bool boolean;
    int64_t integer;
    double real;
    const std::string_view* text;     // text and bytes
    Sequence* sequence;               // list, tuple, set; dict: key, value, key, value ...
    const Global* global;
    Object* object;
    DType* dtype;
    NdArray* array;
  };
  Value() : integer(0) {}

  bool is(Kind k) const { return kind == k; }
  std::span<const Value> items() const;                       // of a list, tuple, set or dict; empty for the rest
  std::optional<Value> find(std::string_view key) const;      // in a dict, or in an object's state; the last writer wins
  std::string_view str() const { return kind == Kind::text || kind == Kind::bytes ? *text : std::string_view(); }
};

struct Sequence {
  Value* data = nullptr;
  uint32_t size = 0, capacity = 0;
  void push(Arena&, Value);                                   // Error{limit_size} at two thousand million items
};

// A class or function by name, e.g. {"sklearn.svm._classes", "SVC"}.
struct Global { std::string_view module, name; };

// `callee(*args)` with its later state: the recipe of an object, never carried out. Readers normalise: where a file says
// __newobj__(Class, *args) or _reconstructor(Class, object, None), callee is the class itself.
struct Object {
  Value callee, args, state;
  Sequence* list = nullptr;
  Sequence* dict = nullptr;
};

struct Field;
struct DType {
  char kind = 0;                   // numpy's letter: f i u b O U S V M
  uint32_t size = 0;               // bytes per item
  bool big_endian = false;
  std::span<Field> fields{};       // of a record, by name: the offsets differ between library versions
};
struct Field { std::string_view name; const DType* type; uint32_t offset; };

inline constexpr DType no_dtype{};   // of an array that was announced and never built: no reader accepts it
struct NdArray {
  const DType* type = &no_dtype;
  std::span<const int64_t> shape{};
  bool fortran = false;
  std::string_view bytes{};           // a view of the file where the file holds it in one piece
  std::span<const Value> objects{};   // the items when type->kind is 'O'
  int64_t size() const;
};

Value boolean(bool);
Value integer(int64_t);
Value real(double);
Value text(Arena&, std::string_view, Kind = Kind::text);
Value sequence(Arena&, Kind, std::span<const Value> = {});

// The values of one file together with all they point into.
struct Document {
  std::shared_ptr<const void> file;
  std::shared_ptr<Arena> arena;
  Value root;
  // Opens bytes or text of this file that are a file themselves, as a booster's model inside a pickle. They must outlive what it
  // returns. Empty where nobody can.
  std::function<Document(std::string_view)> inner = {};
};

}  // namespace onward::plain
