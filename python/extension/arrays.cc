// numpy arrays, lists and Python values to onward's values and back. numpy is imported when the first array comes by.
#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <numpy/arrayobject.h>

#include <cstring>

#include "extension.h"

namespace onward_python {
namespace {

void need_numpy() {
  static const bool ready = [] {
    if (_import_array() < 0) throw nb::python_error();
    return true;
  }();
  (void)ready;
}

// Types that ml_dtypes brings, by name; integers of 4 and 2 bits are a byte each there too.
constexpr struct { int element; const char* name; } ml_dtypes[] = {
    {ONWARD_BFLOAT16, "bfloat16"}, {ONWARD_FLOAT8E4M3FN, "float8_e4m3fn"}, {ONWARD_FLOAT8E4M3FNUZ, "float8_e4m3fnuz"}, {ONWARD_FLOAT8E5M2, "float8_e5m2"},
    {ONWARD_FLOAT8E5M2FNUZ, "float8_e5m2fnuz"}, {ONWARD_UINT4, "uint4"}, {ONWARD_INT4, "int4"}, {ONWARD_FLOAT4E2M1, "float4_e2m1fn"},
    {ONWARD_FLOAT8E8M0, "float8_e8m0fnu"}, {ONWARD_UINT2, "uint2"}, {ONWARD_INT2, "int2"}};

int element_of_type(int type) {
  switch (type) {
    case NPY_BOOL: return ONWARD_BOOL;
    case NPY_BYTE: return ONWARD_INT8;
    case NPY_UBYTE: return ONWARD_UINT8;
    case NPY_SHORT: return ONWARD_INT16;
    case NPY_USHORT: return ONWARD_UINT16;
    case NPY_INT: return ONWARD_INT32;
    case NPY_UINT: return ONWARD_UINT32;
    case NPY_LONG: return sizeof(long) == 8 ? ONWARD_INT64 : ONWARD_INT32;
    case NPY_ULONG: return sizeof(long) == 8 ? ONWARD_UINT64 : ONWARD_UINT32;
    case NPY_LONGLONG: return ONWARD_INT64;
    case NPY_ULONGLONG: return ONWARD_UINT64;
    case NPY_HALF: return ONWARD_FLOAT16;
    case NPY_FLOAT: return ONWARD_FLOAT;
    case NPY_DOUBLE: return ONWARD_DOUBLE;
    case NPY_CFLOAT: return ONWARD_COMPLEX64;
    case NPY_CDOUBLE: return ONWARD_COMPLEX128;
    default: return 0;
  }
}

int type_of_element(int element) {
  switch (element) {
    case ONWARD_BOOL: return NPY_BOOL;
    case ONWARD_INT8: return NPY_INT8;
    case ONWARD_UINT8: return NPY_UINT8;
    case ONWARD_INT16: return NPY_INT16;
    case ONWARD_UINT16: return NPY_UINT16;
    case ONWARD_INT32: return NPY_INT32;
    case ONWARD_UINT32: return NPY_UINT32;
    case ONWARD_INT64: return NPY_INT64;
    case ONWARD_UINT64: return NPY_UINT64;
    case ONWARD_FLOAT16: return NPY_HALF;
    case ONWARD_FLOAT: return NPY_FLOAT;
    case ONWARD_DOUBLE: return NPY_DOUBLE;
    case ONWARD_COMPLEX64: return NPY_CFLOAT;
    case ONWARD_COMPLEX128: return NPY_CDOUBLE;
    default: return -1;
  }
}

PyArrayObject* array(nb::handle object) { return reinterpret_cast<PyArrayObject*>(object.ptr()); }
std::string shown_type(nb::handle object) { return nb::cast<std::string>(nb::str(nb::handle(reinterpret_cast<PyObject*>(PyArray_DESCR(array(object)))))); }
nb::object numpy(const char* name) { return nb::module_::import_("numpy").attr(name); }

PyArray_Descr* descriptor(int element) {
  const int type = type_of_element(element);
  if (type >= 0) return PyArray_DescrFromType(type);
  for (const auto& [known, name] : ml_dtypes) {
    if (known != element) continue;
    try {
      return reinterpret_cast<PyArray_Descr*>(numpy("dtype")(nb::module_::import_("ml_dtypes").attr(name)).release().ptr());
    } catch (const nb::python_error&) {
      fail(ONWARD_BAD_INPUT, std::string("numpy has no type for ") + name, "pip install ml_dtypes");
    }
  }
  fail(ONWARD_INTERNAL, "element type " + std::to_string(element) + " has no numpy type");
}

// Text out of an array of texts, in order.
ValuePtr strings_of(nb::handle given, const Wanted& wanted) {
  nb::object objects = PyArray_TYPE(array(given)) == NPY_OBJECT ? nb::borrow(given) : given.attr("astype")("O");
  if (!PyArray_ISCARRAY_RO(array(objects))) objects = numpy("ascontiguousarray")(objects);      // makes a scalar (1): the dims are those of what was given
  PyObject* const* items = static_cast<PyObject* const*>(PyArray_DATA(array(objects)));
  const size_t size = size_t(PyArray_SIZE(array(objects)));
  constexpr size_t few = 16;
  const char* few_texts[few];
  size_t few_lengths[few];
  std::unique_ptr<const char*[]> more_texts(size > few ? new const char*[size] : nullptr);
  std::unique_ptr<size_t[]> more_lengths(size > few ? new size_t[size] : nullptr);
  const char** const texts = size > few ? more_texts.get() : few_texts;
  size_t* const lengths = size > few ? more_lengths.get() : few_lengths;
  for (size_t i = 0; i < size; ++i) {
    Py_ssize_t length = 0;
    if (items[i] && PyUnicode_Check(items[i]) && PyUnicode_IS_COMPACT_ASCII(items[i])) {
      texts[i] = reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(items[i])), length = PyUnicode_GET_LENGTH(items[i]);
    } else if (items[i] && PyUnicode_Check(items[i])) {
      texts[i] = PyUnicode_AsUTF8AndSize(items[i], &length);
      if (!texts[i]) throw nb::python_error();
    } else if (items[i] && PyBytes_Check(items[i])) {
      texts[i] = PyBytes_AS_STRING(items[i]), length = PyBytes_GET_SIZE(items[i]);
    } else {
      const std::string found = items[i] ? nb::cast<std::string>(nb::repr(nb::handle(items[i]))) : "nothing";
      fail(ONWARD_BAD_INPUT, std::string("input '") + wanted.name + "': expected text, found " + found + " at element " + std::to_string(i),
           "predict() takes tables with missing values; run() takes strings only");
    }
    lengths[i] = size_t(length);
  }
  onward_value* made = nullptr;
  check(onward_value_create_strings(PyArray_DIMS(array(given)), size_t(PyArray_NDIM(array(given))), texts, lengths, &made));
  return ValuePtr(made);
}

int element_of_array(nb::handle given, const Wanted& wanted) {
  if (const int element = element_of_type(PyArray_TYPE(array(given)))) return element;
  const std::string name = shown_type(given);
  for (const auto& [element, known] : ml_dtypes) if (name == known) return element;
  fail(ONWARD_BAD_INPUT, std::string("input '") + wanted.name + "': expected " + wanted.type + ", given an array of " + name);
}

// How many bits of its byte a small integer takes; 0 for other types.
int small_bits(int element) { return element == ONWARD_INT4 || element == ONWARD_UINT4 ? 4 : element == ONWARD_INT2 || element == ONWARD_UINT2 ? 2 : 0; }

// ml_dtypes keeps the other bits of the byte zero, onward extends the sign into them.
ValuePtr small_integers_of(nb::handle given, int element) {
  const auto* from = static_cast<const uint8_t*>(PyArray_DATA(array(given)));
  const int shift = 8 - small_bits(element);
  const bool is_signed = element == ONWARD_INT4 || element == ONWARD_INT2;
  std::vector<uint8_t> codes(from, from + PyArray_SIZE(array(given)));
  for (uint8_t& code : codes) code = is_signed ? uint8_t(int8_t(uint8_t(code << shift)) >> shift) : uint8_t(uint8_t(code << shift) >> shift);
  onward_value* made = nullptr;
  check(onward_value_create_tensor(element, PyArray_DIMS(array(given)), size_t(PyArray_NDIM(array(given))), codes.data(), codes.size(), &made));
  return ValuePtr(made);
}

void give_bytes(nb::handle made, const onward_value* value) {
  const size_t bytes = onward_value_bytes(value);
  if (!bytes) return;
  std::memcpy(PyArray_DATA(array(made)), onward_value_data(value), bytes);
  const int bits = small_bits(onward_value_element_type(value));
  auto* codes = static_cast<uint8_t*>(PyArray_DATA(array(made)));
  if (bits) for (size_t i = 0; i < bytes; ++i) codes[i] &= uint8_t((1 << bits) - 1);
}

ValuePtr tensor_of(nb::handle given, const Wanted& wanted, nb::object& keep) {
  const int type = PyArray_TYPE(array(given));
  if (type == NPY_OBJECT || type == NPY_UNICODE || type == NPY_STRING) return strings_of(given, wanted);
  if (type == NPY_VSTRING) return strings_of(given.attr("astype")("O"), wanted);
  const int element = element_of_array(given, wanted);
  if (!PyArray_ISCARRAY_RO(array(given))) {
    PyArray_Descr* native = PyArray_DescrNewByteorder(PyArray_DESCR(array(given)), NPY_NATIVE);
    if (!native) throw nb::python_error();
    keep = nb::steal(PyArray_FromArray(array(given), native, NPY_ARRAY_CARRAY_RO));
    if (!keep.is_valid()) throw nb::python_error();
    given = keep;
  } else {
    keep = nb::borrow(given);
  }
  if (small_bits(element)) return small_integers_of(given, element);
  onward_value* made = nullptr;
  check(onward_value_borrow_tensor(element, PyArray_DIMS(array(given)), size_t(PyArray_NDIM(array(given))), PyArray_DATA(array(given)), size_t(PyArray_NBYTES(array(given))),
                                   nullptr, nullptr, &made));
  return ValuePtr(made);
}

// Numbers and lists have no type of their own: they take the wanted one where no value is lost.
nb::object array_from_list(nb::handle given, const Wanted& wanted) {
  nb::object found = numpy("asarray")(given);
  const int type = wanted.element ? type_of_element(wanted.element) : -1;
  if (type < 0 || PyArray_TYPE(array(found)) == type || PyArray_SIZE(array(found)) == 0) {
    if (type < 0 || PyArray_SIZE(array(found)) > 0) return found;
    return found.attr("astype")(nb::steal(reinterpret_cast<PyObject*>(PyArray_DescrFromType(type))));
  }
  PyArray_Descr* to = PyArray_DescrFromType(type);
  const nb::object owner = nb::steal(reinterpret_cast<PyObject*>(to));
  if (!PyArray_CanCastTypeTo(PyArray_DESCR(array(found)), to, NPY_SAME_KIND_CASTING) && !(PyTypeNum_ISINTEGER(type) && PyArray_ISINTEGER(array(found)))) return found;
  nb::object cast = found.attr("astype")(owner);
  if (PyTypeNum_ISINTEGER(type) && !nb::cast<bool>(numpy("array_equal")(cast, found))) fail(ONWARD_BAD_INPUT, std::string("input '") + wanted.name + "': a number does not fit " + wanted.type);
  return cast;
}

// "tensor(float)" out of "seq(tensor(float))" or "map(int64,tensor(float))".
Wanted inner(const Wanted& wanted, std::string& storage) {
  const char* open = std::strchr(wanted.type, '(');
  storage = open ? std::string(open + 1, std::strlen(open + 1) - 1) : "";
  if (std::strncmp(wanted.type, "map(", 4) == 0) storage = storage.substr(storage.find(',') + 1);
  return {wanted.name, storage.c_str(), 0};
}

ValuePtr sequence_of(nb::handle given, const Wanted& wanted) {
  std::string storage;
  const Wanted item = inner(wanted, storage);
  std::vector<ValuePtr> items;
  std::vector<const onward_value*> pointers;
  std::vector<nb::object> kept;
  for (nb::handle element : given) {
    nb::object keep;
    items.push_back(to_value(element, item, keep));
    pointers.push_back(items.back().get());
    kept.push_back(std::move(keep));
  }
  // What is borrowed is copied: the sequence would outlive its arrays.
  for (size_t i = 0; i < items.size(); ++i) {
    const onward_value* v = pointers[i];
    if (!kept[i].is_valid() || onward_value_kind(v) != ONWARD_TENSOR || onward_value_element_type(v) == ONWARD_STRING) continue;
    onward_value* own = nullptr;
    check(onward_value_create_tensor(onward_value_element_type(v), onward_value_dims(v), onward_value_rank(v), onward_value_data(v), onward_value_bytes(v), &own));
    items[i].reset(own), pointers[i] = own;
  }
  onward_value* made = nullptr;
  check(onward_value_create_sequence(pointers.data(), pointers.size(), &made));
  return ValuePtr(made);
}

ValuePtr map_of(nb::handle given, const Wanted& wanted) {
  const nb::object keys = numpy("array")(nb::list(given.attr("keys")()));
  std::string storage;
  const Wanted item = inner(wanted, storage);
  const nb::object values = numpy("array")(nb::list(given.attr("values")()));
  nb::object keep_keys, keep_values;
  Wanted numbers{wanted.name, item.type, std::strstr(item.type, "(float)") || std::strcmp(item.type, "float") == 0 ? ONWARD_FLOAT : 0};
  const ValuePtr k = to_value(keys, {wanted.name}, keep_keys), v = to_value(array_from_list(values, numbers), numbers, keep_values);
  const auto own = [](const onward_value* from) {
    if (onward_value_element_type(from) == ONWARD_STRING) return ValuePtr();
    onward_value* copy = nullptr;
    check(onward_value_create_tensor(onward_value_element_type(from), onward_value_dims(from), onward_value_rank(from), onward_value_data(from), onward_value_bytes(from), &copy));
    return ValuePtr(copy);
  };
  const ValuePtr own_keys = own(k.get()), own_values = own(v.get());
  onward_value* made = nullptr;
  check(onward_value_create_map(own_keys ? own_keys.get() : k.get(), own_values ? own_values.get() : v.get(), &made));
  return ValuePtr(made);
}

bool starts_with(const char* text, const char* prefix) { return std::strncmp(text, prefix, std::strlen(prefix)) == 0; }

nb::object strings_to_array(const onward_value* value) {
  const nb::object made = nb::steal(PyArray_SimpleNew(int(onward_value_rank(value)), const_cast<npy_intp*>(onward_value_dims(value)), NPY_OBJECT));
  if (!made.is_valid()) throw nb::python_error();
  PyObject** items = static_cast<PyObject**>(PyArray_DATA(array(made)));
  const size_t size = onward_value_size(value);
  for (size_t i = 0; i < size; ++i) {
    const char* text = nullptr;
    size_t length = 0;
    check(onward_value_string(value, i, &text, &length));
    PyObject* item = PyUnicode_DecodeUTF8(text, Py_ssize_t(length), "surrogateescape");
    if (!item) throw nb::python_error();
    Py_XSETREF(items[i], item);
  }
  return made;
}

constexpr size_t small = 4096;                           // bytes that are copied faster than owned

nb::object tensor_to_array(ValuePtr value, bool copy) {
  const int element = onward_value_element_type(value.get());
  if (element == ONWARD_STRING) return strings_to_array(value.get());
  const int rank = int(onward_value_rank(value.get()));
  auto* dims = const_cast<npy_intp*>(onward_value_dims(value.get()));
  const size_t bytes = onward_value_bytes(value.get());
  const int type = type_of_element(element);
  if (copy || bytes <= small || small_bits(element)) {
    const nb::object made = nb::steal(type >= 0 ? PyArray_SimpleNew(rank, dims, type) : PyArray_NewFromDescr(&PyArray_Type, descriptor(element), rank, dims, nullptr, nullptr, 0, nullptr));
    if (!made.is_valid()) throw nb::python_error();
    give_bytes(made, value.get());
    return made;
  }
  void* data = onward_value_data(value.get());
  const nb::object made = nb::steal(PyArray_NewFromDescr(&PyArray_Type, descriptor(element), rank, dims, nullptr, data, NPY_ARRAY_CARRAY, nullptr));
  if (!made.is_valid()) throw nb::python_error();
  PyObject* owner = PyCapsule_New(value.get(), nullptr, [](PyObject* capsule) { onward_value_release(static_cast<onward_value*>(PyCapsule_GetPointer(capsule, nullptr))); });
  if (!owner) throw nb::python_error();
  value.release();
  if (PyArray_SetBaseObject(array(made), owner) < 0) throw nb::python_error();
  return made;
}

nb::object converted(ValuePtr value, bool copy);

// Keys and values are Python's own: {0: 0.25, 1: 0.75}.
nb::object map_to_dict(const onward_value* map) {
  onward_value* made = nullptr;
  check(onward_value_map_keys(map, &made));
  const nb::object keys = tensor_to_array(ValuePtr(made), true).attr("tolist")();
  check(onward_value_map_values(map, &made));
  const nb::object values = tensor_to_array(ValuePtr(made), true).attr("tolist")();
  return nb::module_::import_("builtins").attr("dict")(nb::module_::import_("builtins").attr("zip")(keys, values));
}

nb::object sequence_to_list(const onward_value* sequence) {
  nb::list out;
  const size_t size = onward_value_size(sequence);
  for (size_t i = 0; i < size; ++i) {
    onward_value* item = nullptr;
    check(onward_value_item(sequence, i, &item));
    out.append(converted(ValuePtr(item), true));
  }
  return out;
}

nb::object converted(ValuePtr value, bool copy) {
  switch (onward_value_kind(value.get())) {
    case ONWARD_TENSOR: return tensor_to_array(std::move(value), copy);
    case ONWARD_SEQUENCE: return sequence_to_list(value.get());
    case ONWARD_MAP: return map_to_dict(value.get());
    default: return nb::none();
  }
}

}  // namespace

ValuePtr to_value(nb::handle object, const Wanted& wanted, nb::object& keep) {
  need_numpy();
  if (PyArray_Check(object.ptr())) return tensor_of(object, wanted, keep);
  if (object.is_none() && starts_with(wanted.type, "optional(")) return nullptr;
  std::string storage;
  if (starts_with(wanted.type, "optional(")) {
    const Wanted item = inner(wanted, storage);
    return to_value(object, item, keep);
  }
  if (starts_with(wanted.type, "seq(") && (PyList_Check(object.ptr()) || PyTuple_Check(object.ptr()))) return sequence_of(object, wanted);
  if (starts_with(wanted.type, "map(") && PyDict_Check(object.ptr())) return map_of(object, wanted);
  // Frames, tensors of other libraries: with a type of their own.
  const bool typed = nb::hasattr(object, "__array__") || nb::hasattr(object, "__array_interface__") || nb::hasattr(object, "__dlpack__");
  const nb::object made = typed ? numpy("asarray")(object) : array_from_list(object, wanted);
  return tensor_of(made, wanted, keep);
}

nb::object to_python(ValuePtr value) {
  need_numpy();
  return converted(std::move(value), false);
}

nb::object copy_to_python(const onward_value* value) {
  need_numpy();
  switch (onward_value_kind(value)) {
    case ONWARD_SEQUENCE: return sequence_to_list(value);
    case ONWARD_MAP: return map_to_dict(value);
    case ONWARD_TENSOR: break;
    default: return nb::none();
  }
  if (onward_value_element_type(value) == ONWARD_STRING) return strings_to_array(value);
  const nb::object made = nb::steal(PyArray_NewFromDescr(&PyArray_Type, descriptor(onward_value_element_type(value)), int(onward_value_rank(value)),
                                                         const_cast<npy_intp*>(onward_value_dims(value)), nullptr, nullptr, 0, nullptr));
  if (!made.is_valid()) throw nb::python_error();
  give_bytes(made, value);
  return made;
}

nb::object array_of(int element, const void* data, size_t size) {
  need_numpy();
  npy_intp dims = npy_intp(size);
  const nb::object made = nb::steal(PyArray_SimpleNew(1, &dims, type_of_element(element)));
  if (!made.is_valid()) throw nb::python_error();
  if (size) std::memcpy(PyArray_DATA(array(made)), data, size_t(PyArray_NBYTES(array(made))));
  return made;
}

nb::object array_of_lines(int element, const std::vector<const void*>& lines, size_t length) {
  need_numpy();
  npy_intp dims[2] = {npy_intp(lines.size()), npy_intp(length)};
  const nb::object made = nb::steal(PyArray_SimpleNew(2, dims, type_of_element(element)));
  if (!made.is_valid()) throw nb::python_error();
  const size_t bytes = lines.empty() ? 0 : size_t(PyArray_NBYTES(array(made))) / lines.size();
  for (size_t k = 0; bytes && k < lines.size(); ++k) std::memcpy(static_cast<char*>(PyArray_DATA(array(made))) + k * bytes, lines[k], bytes);
  return made;
}

bool lines_of(nb::handle given, Lines& lines) {
  need_numpy();
  if (!PyArray_Check(given.ptr())) return false;
  PyArrayObject* const a = array(given);
  const int axes = lines.axes = PyArray_NDIM(a);
  const bool objects = PyArray_TYPE(a) == NPY_OBJECT;
  lines.element = objects ? 0 : element_of_type(PyArray_TYPE(a));
  if (axes < 1 || axes > 2 || !PyArray_ISBEHAVED_RO(a) || (!objects && !lines.element)) return false;
  lines.data = static_cast<const char*>(PyArray_DATA(a));
  lines.count = axes == 2 ? PyArray_DIM(a, 0) : 1, lines.line_step = axes == 2 ? PyArray_STRIDE(a, 0) : 0;
  lines.length = PyArray_DIM(a, axes - 1), lines.step = PyArray_STRIDE(a, axes - 1);
  return true;
}

}  // namespace onward_python
