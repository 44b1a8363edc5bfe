#include "onward/estimators/pandas_values.h"

#include "onward/base/byte_reader.h"
#include "onward/estimators/categories.h"

namespace onward {
namespace {

using plain::Kind;
using plain::Value;

constexpr int64_t most_labels = int64_t{1} << 24, most_text = int64_t{1} << 30;  // bytes

bool is_object(const Value& v, std::string_view class_name) {
  return v.is(Kind::object) && v.object->callee.is(Kind::global) && v.object->callee.global->name == class_name;
}
std::span<const Value> arguments(const Value& v) { return v.object->args.items(); }

[[noreturn]] void fail_kind(const Value& v, std::string_view wanted) {
  const bool object = v.is(Kind::object) && v.object->callee.is(Kind::global);
  fail(Code::unsupported_estimator, "is ", object ? clipped(v.object->callee.global->name) : std::string(plain::name(v.kind)), "; convertible: ", wanted);
}

Value object_array(Arena& arena, std::span<const Value> items) {
  static constexpr plain::DType objects{.kind = 'O', .size = 8};
  Value* all = arena.array<Value>(items.size());
  std::copy(items.begin(), items.end(), all);
  int64_t* shape = arena.array<int64_t>(1);
  *shape = int64_t(items.size());
  Value v;
  v.kind = Kind::array, v.array = arena.make(plain::NdArray{.type = &objects, .shape = {shape, 1}, .objects = {all, items.size()}});
  return v;
}

// A slice or a range: start, stop, step.
std::vector<int64_t> stepped(std::span<const Value> numbers, int64_t expected) {
  const auto at = [&](size_t i, int64_t otherwise) { return i < numbers.size() && numbers[i].is(Kind::integer) ? numbers[i].integer : otherwise; };
  const int64_t start = at(0, 0), step = at(2, 1);
  if (expected > most_labels) fail(Code::limit_size, "has ", expected, " labels; at most ", most_labels, " are read");
  std::vector<int64_t> all;
  int64_t next = start;
  for (int64_t i = 0; i < expected; ++i) {
    all.push_back(next);
    if (__builtin_add_overflow(next, step, &next)) fail(Code::bad_file, "counts beyond 64 bits");
  }
  if (numbers.size() > 1 && at(1, next) != next && expected && std::abs(step) == 1) fail(Code::bad_file, "counts to ", at(1, 0), " for ", expected, " places");
  return all;
}

// Arrow's arrays of strings: bits that say which are there, offsets, and all text in one piece.
class ArrowStrings {
 public:
  explicit ArrowStrings(Arena& arena) : arena_(arena) {}
  void add(const Value& v) {
    if (is_object(v, "chunked_array") && !arguments(v).empty()) {
      if (chunked_) fail(Code::bad_file, "is an array of Arrow in pieces that are in pieces");
      chunked_ = true;
      for (const Value& piece : arguments(v)[0].items()) add(piece);
    } else if (is_object(v, "_restore_array") && arguments(v).size() == 1) {
      add_array(arguments(v)[0].items());
    } else {
      fail_kind(v, "an array of strings");
    }
  }
  Value made() const { return object_array(arena_, items_); }

 private:
  // type, length, count of gaps, offset, buffers, children, dictionary
  void add_array(std::span<const Value> parts) {
    if (parts.size() < 5 || !parts[1].is(Kind::integer) || !parts[3].is(Kind::integer)) fail(Code::bad_file, "is no array of Arrow");
    const std::string_view type = is_object(parts[0], "type_for_alias") && !arguments(parts[0]).empty() ? arguments(parts[0])[0].str() : "";
    if (type != "string" && type != "large_string") fail(Code::unsupported_estimator, "is an array of Arrow of ", type.empty() ? "a nested type" : clipped(type), "; convertible: string and large_string");
    const std::span<const Value> buffers = parts[4].items();
    const int64_t size = parts[1].integer, offset = parts[3].integer, width = type == "string" ? 4 : 8;
    if (buffers.size() != 3 || size < 0 || offset < 0 || size > most_labels || offset > most_labels) fail(Code::bad_file, "is an array of Arrow of ", size, " items from ", offset, " on");
    const std::string_view valid = bytes(buffers[0]), starts = bytes(buffers[1]), content = bytes(buffers[2]);
    const int64_t end = offset + size;
    if (int64_t(items_.size()) + size > most_labels) fail(Code::limit_size, "has more than ", most_labels, " strings");
    if (int64_t(starts.size()) < (end + 1) * width || (!valid.empty() && int64_t(valid.size()) * 8 < end)) fail(Code::bad_file, "is an array of Arrow that is shorter than it says");
    const auto start = [&](int64_t i) {
      ByteReader in(starts.substr(size_t(i * width), size_t(width)));
      return width == 4 ? int64_t(in.little<int32_t>()) : in.little<int64_t>();
    };
    for (int64_t i = offset; i < end; ++i) {
      const int64_t from = start(i), to = start(i + 1);
      if (from < 0 || to < from || to > int64_t(content.size())) fail(Code::bad_file, "is an array of Arrow whose text ", i, " lies outside of it");
      text_ += to - from;                // pieces may be one and the same, and texts lie in each other
      if (text_ > most_text) fail(Code::limit_size, "has more than ", most_text, " bytes of text");
      const bool there = valid.empty() || (uint8_t(valid[size_t(i / 8)]) >> (i % 8) & 1);
      items_.push_back(there ? plain::text(arena_, content.substr(size_t(from), size_t(to - from))) : plain::real(__builtin_nan("")));
    }
  }
  static std::string_view bytes(const Value& v) {
    if (v.is(Kind::none)) return {};
    if (!is_object(v, "py_buffer") || arguments(v).size() != 1) fail(Code::bad_file, "is an array of Arrow without its bytes");
    return arguments(v)[0].str();
  }
  Arena& arena_;
  std::vector<Value> items_;
  int64_t text_ = 0;
  bool chunked_ = false;
};

// numpy's array, whichever of pandas' own is around it.
Value array_of(Arena& arena, const Value& v) {
  if (v.is(Kind::array)) return v;
  if (is_object(v, "StringArray") || is_object(v, "StringArrayNumpySemantics"))  // its state: dtype and array, in either order
    for (const Value& part : v.object->state.items())
      if (part.is(Kind::array)) return part;
  if (v.is(Kind::object))
    for (const std::string_view name : {"_pa_array", "_data"})
      if (const auto inner = v.find(name)) {
        ArrowStrings strings(arena);
        strings.add(*inner);
        return strings.made();
      }
  fail_kind(v, "numbers, strings and bools");
}

// expected: how many labels there are, which a range does not need to be believed about
Value labels_in(Arena& arena, const Value& index, int64_t expected) {
  if (!is_object(index, "_new_Index") || arguments(index).size() != 2) fail_kind(index, "an Index of pandas");
  const Value &cls = arguments(index)[0], &parts = arguments(index)[1];
  const std::string_view name = cls.is(Kind::global) ? cls.global->name : "";
  if (name == "RangeIndex") {
    std::vector<Value> bounds, all;
    for (const std::string_view bound : {"start", "stop", "step"}) bounds.push_back(parts.find(bound).value_or(Value()));
    for (const int64_t i : stepped(bounds, expected)) all.push_back(plain::integer(i));
    return object_array(arena, all);
  }
  const auto data = parts.find("data");
  const bool plain_index = name == "Index" || name == "Int64Index" || name == "UInt64Index" || name == "Float64Index";
  if (!plain_index || !data) fail(Code::unsupported_estimator, "has an index that is a ", clipped(name), "; convertible: one of numbers, strings or bools");
  return array_of(arena, *data);
}

struct Block {
  Value values;
  std::vector<int64_t> places;
};

int64_t columns_in(const Value& values) {
  return values.array->shape.size() == 2 ? values.array->shape[0] : 1;
}

Block block_of(Arena& arena, const Value& values, const Value& places) {
  Block block{array_of(arena, values), {}};
  if (is_object(places, "slice")) block.places = stepped(arguments(places), columns_in(block.values));
  else if (places.is(Kind::array))
    for (const int64_t at : as_array<int64_t>(*places.array, nullptr)) block.places.push_back(at);
  if (int64_t(block.places.size()) != columns_in(block.values)) fail(Code::bad_file, "has a block of ", columns_in(block.values), " columns at ", block.places.size(), " places");
  return block;
}

// axes: the columns, where there are several, and the labels
struct Parts {
  std::vector<Value> axes;
  std::vector<Block> blocks;
};

Parts parts_of(Arena& arena, const Value& held) {
  const auto manager = held.find("_mgr");
  if (!manager || !manager->is(Kind::object)) fail_kind(held, "a Series or a DataFrame of pandas 1.3 or newer");
  Parts parts;
  const std::span<const Value> args = arguments(*manager), state = manager->object->state.items();
  if (args.size() == 2) {  // blocks, axes
    for (const Value& block : args[0].items()) {
      if (!is_object(block, "_unpickle_block") || arguments(block).size() < 2) fail(Code::bad_file, "has a block that is none of pandas");
      parts.blocks.push_back(block_of(arena, arguments(block)[0], arguments(block)[1]));
    }
    parts.axes.assign(args[1].items().begin(), args[1].items().end());
  } else if (state.size() >= 2 && !state[0].items().empty() && !state[1].items().empty()) {  // axes, values of the one block
    parts.axes.assign(state[0].items().begin(), state[0].items().end());
    parts.blocks.push_back({array_of(arena, state[1].items()[0]), {0}});
  } else {
    fail(Code::bad_file, "holds no blocks of values");
  }
  return parts;
}

LabelledNumbers labelled(Fields& f, std::string_view name, const Value& held) {
  Arena& arena = *f.reading().document->arena;
  const Parts parts = parts_of(arena, held);
  if (parts.axes.empty() || parts.axes.size() > 2) fail(Code::bad_file, "has ", parts.axes.size(), " axes");
  int64_t width = 0, rows = parts.blocks.empty() ? 0 : parts.blocks[0].values.array->size();
  for (const Block& b : parts.blocks) width += columns_in(b.values);
  if (!parts.blocks.empty() && parts.blocks[0].values.array->shape.size() == 2) rows = parts.blocks[0].values.array->shape[1];

  LabelledNumbers out;
  const Value labels = labels_in(arena, parts.axes.back(), rows);
  if (parts.blocks.empty()) rows = labels.array->size();
  f.assign(text(name, ".index"), labels, out.labels, {});
  if (!out.labels.values) return {};
  if (out.labels.size() != rows) fail(Code::bad_file, "has ", out.labels.size(), " labels for ", rows, " rows");
  if (parts.axes.size() == 2) {
    const Value columns = labels_in(arena, parts.axes[0], width);
    CategoryList names;
    f.assign(text(name, ".columns"), columns, names, {});
    if (names.size() != width) fail(Code::bad_file, "has ", names.size(), " names for ", width, " columns");
    for (int64_t i = 0; i < width; ++i) out.columns.push_back(category_name(names, i));
  }
  if (width && rows > most_labels / width) fail(Code::limit_size, "has ", rows, " rows of ", width, " columns; at most ", most_labels, " numbers are read");
  std::vector<double> values(size_t(rows * width));
  for (const Block& b : parts.blocks) {
    const Numbers block = as_array<double>(*b.values.array, nullptr);
    if (block.size() != rows * int64_t(b.places.size())) fail(Code::bad_file, "has blocks of different lengths");
    for (size_t k = 0; k < b.places.size(); ++k) {
      if (b.places[k] < 0 || b.places[k] >= width) fail(Code::bad_file, "has a block at column ", b.places[k], " of ", width);
      for (int64_t i = 0; i < rows; ++i) values[size_t(i * width + b.places[k])] = block[int64_t(k) * rows + i];
    }
  }
  out.values = Numbers({rows, width}, values);
  return out;
}

}  // namespace

CategoryList labels_of(Fields& f, std::string_view name, std::span<const plain::Value> listed) {
  CategoryList labels;
  f.assign(name, object_array(*f.reading().document->arena, listed), labels, {});
  return labels;
}

LabelledNumbers read_labelled(Fields& f, std::string_view name, const plain::Value& held) {
  try {
    return labelled(f, name, held);
  } catch (Error& e) {
    if (e.code == Code::bad_file) f.bad(name, e.message);
    else if (e.code == Code::unsupported_estimator) f.refuse(name, e.message, e.hint);
    else throw;
    return {};
  }
}

std::string label_name(Fields& f, std::string_view name, const plain::Value& label) {
  const CategoryList one = labels_of(f, name, {&label, 1});
  return one.size() == 1 ? category_name(one, 0) : std::string();
}

std::optional<int64_t> place_of_number(const CategoryList& labels, double label) {
  std::optional<int64_t> place;
  for_type<i64 | f64>(labels.values.type(), [&]<class T>() {
    for (int64_t i = 0; i < labels.size() && !place; ++i)
      if (double(labels.values.data<T>()[i]) == label) place = i;
  });
  return place;
}

}  // namespace onward
