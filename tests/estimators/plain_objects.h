// Fitted estimators written down in a test, as a file reader would make them.
#pragma once
#include "onward/estimators/convert.h"
#include "onward/estimators/reading.h"

namespace onward::plain {

class Objects {
 public:
  Value text(std::string_view s) { return plain::text(*arena_, arena_->copy(s)); }
  Value list(std::initializer_list<Value> items, Kind kind = Kind::list) {
    return sequence(*arena_, kind, std::span(items.begin(), items.size()));
  }
  Value list(std::span<const Value> items) { return sequence(*arena_, Kind::list, items); }
  Value tuple(std::initializer_list<Value> items) { return list(items, Kind::tuple); }
  Value none() { return Value(); }
  Value global(std::string_view module, std::string_view name) {
    Value v;
    v.kind = Kind::global, v.global = arena_->make(Global{module, name});
    return v;
  }
  Value object(std::string_view module, std::string_view name, std::initializer_list<std::pair<std::string_view, Value>> state) {
    Value v;
    v.kind = Kind::object, v.object = arena_->make(Object{global(module, name), Value(), sequence(*arena_, Kind::dict)});
    for (const auto& [key, value] : state) set(v, key, value);
    return v;
  }
  // What a class of which only calls are known was called with.
  Value call(std::string_view name, std::initializer_list<Value> args) {
    Value v;
    v.kind = Kind::object, v.object = arena_->make(Object{global("module", name), tuple(args), Value()});
    return v;
  }
  Value dict(std::initializer_list<std::pair<std::string_view, Value>> entries) {
    Value v = sequence(*arena_, Kind::dict);
    for (const auto& [key, value] : entries) v.sequence->push(*arena_, text(key)), v.sequence->push(*arena_, value);
    return v;
  }
  void set(Value object, std::string_view key, Value value) {
    object.object->state.sequence->push(*arena_, text(key));
    object.object->state.sequence->push(*arena_, value);
  }
  Value numbers(std::initializer_list<int64_t> shape, std::initializer_list<double> items) { return array('f', shape, items); }
  Value integers(std::initializer_list<int64_t> shape, std::initializer_list<int64_t> items) { return array('i', shape, items); }
  Value objects(std::initializer_list<Value> items) {
    NdArray a;
    a.type = arena_->make(DType{'O', 8});
    a.shape = copied<int64_t>({int64_t(items.size())});
    a.objects = copied<Value>(items);
    return made(a);
  }
  Document document(Value root) { return {nullptr, arena_, root}; }

 private:
  template <class T>
  std::span<T> copied(std::initializer_list<T> items) {
    T* p = arena_->array<T>(items.size());
    std::copy(items.begin(), items.end(), p);
    return {p, items.size()};
  }
  template <class T>
  Value array(char kind, std::initializer_list<int64_t> shape, std::initializer_list<T> items) {
    NdArray a;
    a.type = arena_->make(DType{kind, sizeof(T)});
    a.shape = copied(shape);
    const std::span<T> data = copied(items);
    a.bytes = {reinterpret_cast<const char*>(data.data()), data.size_bytes()};
    return made(a);
  }
  Value made(const NdArray& a) {
    Value v;
    v.kind = Kind::array, v.array = arena_->make(a);
    return v;
  }
  std::shared_ptr<Arena> arena_ = std::make_shared<Arena>(size_t{64} << 20);
};

}  // namespace onward::plain
