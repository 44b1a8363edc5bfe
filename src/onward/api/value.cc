// Tensors, sequences and maps across the boundary.
#include "onward/api/boundary.h"

using namespace onward;
using onward::api::guarded;
using onward::api::require;
using onward::api::value_of;

namespace {

DataType element_of(int number) {
  if (number <= 0 || number >= int(DataType::count)) fail(Code::usage, "element type ", number, " does not exist; ONNX numbers them from 1 to ", int(DataType::count) - 1);
  return DataType(number);
}

Dims dims_of(const int64_t* dims, size_t rank) {
  if (rank > 0) require(dims, "dims");
  if (rank > 64) fail(Code::limit_size, "a tensor of ", rank, " axes; at most 64");
  for (size_t axis = 0; axis < rank; ++axis) if (dims[axis] < 0) fail(Code::bad_input, "axis ", axis, " has the negative size ", dims[axis]);
  return Dims(dims, dims + rank);
}

void check_bytes(DataType type, const Dims& dims, size_t bytes) {
  if (type == DataType::str) throw Error(Code::usage, "string tensors are not made of raw bytes", "use onward_value_create_strings");
  const size_t expected = size_t(count(dims)) * size_of(type);
  if (bytes != expected) fail(Code::bad_input, name_of(type), " ", shown(dims), " takes ", expected, " bytes, given ", bytes);
}

const Tensor& tensor_in(const onward_value* value, const char* name) {
  require(value, name);
  const Tensor* tensor = value->value.tensor();
  if (!tensor) fail(Code::usage, name, " is no tensor");
  return *tensor;
}

}  // namespace

onward_status* onward_value_create_tensor(int element_type, const int64_t* dims, size_t rank, const void* data, size_t bytes, onward_value** value) {
  return guarded([&] {
    require(value, "value");
    const DataType type = element_of(element_type);
    const Dims shape = dims_of(dims, rank);
    check_bytes(type, shape, bytes);
    if (bytes) require(data, "data");
    Tensor tensor(type, shape);
    if (bytes) std::memcpy(tensor.raw(), data, bytes);
    *value = value_of(std::move(tensor));
  });
}

onward_status* onward_value_borrow_tensor(int element_type, const int64_t* dims, size_t rank, const void* data, size_t bytes,
                                          void (*release)(void*), void* owner, onward_value** value) {
  return guarded([&] {
    require(value, "value");
    const DataType type = element_of(element_type);
    Dims shape = dims_of(dims, rank);
    check_bytes(type, shape, bytes);
    if (bytes) require(data, "data");
    const size_t alignment = contains(complex_types, type) ? size_of(type) / 2 : size_of(type);
    if (reinterpret_cast<uintptr_t>(data) % alignment) fail(Code::bad_input, "the data of a ", name_of(type), " tensor is not aligned to ", alignment, " bytes");
    auto handle = std::make_unique<onward_value>();
    if (release) handle->value = Tensor::view(type, std::move(shape), data, std::shared_ptr<const void>(owner, [release](void* held) { release(held); }));
    else handle->value = Tensor::view(type, std::move(shape), data);
    *value = handle.release();
  });
}

onward_status* onward_value_create_empty(int element_type, const int64_t* dims, size_t rank, onward_value** value) {
  return guarded([&] {
    require(value, "value");
    Tensor tensor(element_of(element_type), dims_of(dims, rank));
    if (tensor.type() != DataType::str && tensor.bytes()) std::memset(tensor.raw(), 0, tensor.bytes());
    *value = value_of(std::move(tensor));
  });
}

onward_status* onward_value_create_strings(const int64_t* dims, size_t rank, const char* const* texts, const size_t* lengths, onward_value** value) {
  return guarded([&] {
    require(value, "value");
    Tensor tensor(DataType::str, dims_of(dims, rank));
    if (tensor.size()) require(texts, "texts");
    std::string* to = tensor.data<std::string>();
    for (size_t i = 0; i < size_t(tensor.size()); ++i) {
      require(texts[i], "a text");
      lengths ? to[i].assign(texts[i], lengths[i]) : to[i].assign(texts[i]);
    }
    *value = value_of(std::move(tensor));
  });
}

onward_status* onward_value_create_sequence(const onward_value* const* items, size_t count, onward_value** value) {
  return guarded([&] {
    require(value, "value");
    if (count) require(items, "items");
    Sequence sequence;
    for (size_t i = 0; i < count; ++i) {
      require(items[i], "an item");
      sequence.items.push_back(items[i]->value);
      if (const Tensor* tensor = items[i]->value.tensor()) sequence.type = tensor->type();
    }
    *value = value_of(std::move(sequence));
  });
}

onward_status* onward_value_create_map(const onward_value* keys, const onward_value* values, onward_value** value) {
  return guarded([&] {
    require(value, "value");
    Map map{tensor_in(keys, "keys"), tensor_in(values, "values")};
    if (map.keys.rank() != 1 || !contains(i64 | str, map.keys.type())) fail(Code::bad_input, "the keys of a map: expected int64 or string [n], given ", shown(map.keys));
    if (map.keys.size() != map.values.size()) fail(Code::bad_input, "a map of ", map.keys.size(), " keys and ", map.values.size(), " values");
    *value = value_of(std::move(map));
  });
}

void onward_value_release(onward_value* value) { delete value; }

int onward_value_kind(const onward_value* value) { return value ? int(value->value.index()) : ONWARD_NOTHING; }

int onward_value_element_type(const onward_value* value) {
  if (!value) return 0;
  if (const Tensor* tensor = value->value.tensor()) return int(tensor->type());
  if (const auto* sequence = std::get_if<Sequence>(&value->value)) return int(sequence->type);
  return 0;
}

size_t onward_value_rank(const onward_value* value) { return value && value->value.tensor() ? value->value.tensor()->dims().size() : 0; }
const int64_t* onward_value_dims(const onward_value* value) { return value && value->value.tensor() ? value->value.tensor()->dims().data() : nullptr; }

size_t onward_value_size(const onward_value* value) {
  if (!value) return 0;
  if (const Tensor* tensor = value->value.tensor()) return size_t(tensor->size());
  if (const auto* sequence = std::get_if<Sequence>(&value->value)) return sequence->items.size();
  if (const auto* map = std::get_if<Map>(&value->value)) return size_t(map->keys.size());
  return 0;
}

size_t onward_value_bytes(const onward_value* value) {
  const Tensor* tensor = value ? value->value.tensor() : nullptr;
  return tensor && tensor->type() != DataType::str ? tensor->bytes() : 0;
}

void* onward_value_data(const onward_value* value) {
  const Tensor* tensor = value ? value->value.tensor() : nullptr;
  return tensor && tensor->type() != DataType::str ? tensor->raw() : nullptr;
}

onward_status* onward_value_string(const onward_value* value, size_t index, const char** text, size_t* length) {
  return guarded([&] {
    require(text, "text");
    const Tensor& tensor = tensor_in(value, "value");
    if (tensor.type() != DataType::str) fail(Code::usage, "a tensor of ", name_of(tensor.type()), " holds no strings");
    if (index >= size_t(tensor.size())) fail(Code::usage, "string ", index, " of ", tensor.size());
    const std::string& s = tensor.data<std::string>()[index];
    *text = s.c_str();
    if (length) *length = s.size();
  });
}

onward_status* onward_value_item(const onward_value* sequence, size_t index, onward_value** item) {
  return guarded([&] {
    require(sequence, "sequence"), require(item, "item");
    const auto* items = std::get_if<Sequence>(&sequence->value);
    if (!items) fail(Code::usage, "the value is no sequence");
    if (index >= items->items.size()) fail(Code::usage, "item ", index, " of ", items->items.size());
    *item = value_of(items->items[index]);
  });
}

onward_status* onward_value_set_string(onward_value* value, size_t index, const char* text, size_t length) {
  return guarded([&] {
    const Tensor& tensor = tensor_in(value, "value");
    if (length) require(text, "text");
    if (tensor.type() != DataType::str) fail(Code::usage, "a tensor of ", name_of(tensor.type()), " holds no strings");
    if (index >= size_t(tensor.size())) fail(Code::usage, "string ", index, " of ", tensor.size());
    tensor.data<std::string>()[index].assign(text ? text : "", length);
  });
}

static onward_status* give_part(const onward_value* map, onward_value** part, Tensor Map::*member) {
  return guarded([&] {
    require(map, "map"), require(part, "result");
    const auto* entries = std::get_if<Map>(&map->value);
    if (!entries) fail(Code::usage, "the value is no map");
    *part = value_of(entries->*member);
  });
}
onward_status* onward_value_map_keys(const onward_value* map, onward_value** keys) { return give_part(map, keys, &Map::keys); }
onward_status* onward_value_map_values(const onward_value* map, onward_value** values) { return give_part(map, values, &Map::values); }
