// Looks at every byte that plain values point to, so that a sanitizer sees a span that is too long.
#pragma once
#include "onward/estimators/plain.h"

namespace onward::fuzz {

class Toucher {
 public:
  void touch(const plain::Value& v, int depth = 40) {
    if (depth == 0 || steps_ == 0) return;   // values may hold themselves
    --steps_;
    using plain::Kind;
    touch_bytes(v.str());
    for (const plain::Value& item : v.items()) touch(item, depth - 1);
    if (v.is(Kind::global)) touch_bytes(v.global->module), touch_bytes(v.global->name);
    if (v.is(Kind::dtype)) touch(*v.dtype);
    if (v.is(Kind::object)) touch(*v.object, depth - 1);
    if (v.is(Kind::array)) touch(*v.array, depth - 1);
  }

 private:
  void touch_bytes(std::string_view bytes) {
    for (size_t i = 0; i < bytes.size(); i += 64) sum_ = sum_ + static_cast<uint8_t>(bytes[i]);
    if (!bytes.empty()) sum_ = sum_ + static_cast<uint8_t>(bytes.back());
  }
  void touch(const plain::Object& o, int depth) {
    for (const plain::Value& part : {o.callee, o.args, o.state}) touch(part, depth);
    for (const plain::Sequence* part : {o.list, o.dict})
      for (size_t i = 0; part && i < part->size; ++i) touch(part->data[i], depth);
  }
  void touch(const plain::DType& type) {
    for (const plain::Field& field : type.fields) {
      touch_bytes(field.name);
      ONWARD_CHECK(field.offset <= type.size && field.type->size <= type.size - field.offset);
    }
  }
  void touch(const plain::NdArray& a, int depth) {
    touch(*a.type);
    if (a.type->kind == 0) return;   // announced, never built
    const auto size = static_cast<size_t>(a.size());
    ONWARD_CHECK(a.type->kind == 'O' ? a.objects.size() == size : a.bytes.size() == size * a.type->size);
    touch_bytes(a.bytes);
    for (const plain::Value& item : a.objects) touch(item, depth);
  }

  int steps_ = 20000;
  volatile unsigned sum_ = 0;
};

}  // namespace onward::fuzz
