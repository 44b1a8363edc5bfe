// ZipMap, CastMap, DictVectorizer (ai.onnx.ml): between tensors and maps.
#include <unordered_map>

#include "onward/ops/convert.h"
#include "onward/ops/ml/numeric_rows.h"

namespace onward::ops {
namespace {

struct ZipMap : standard::ZipMap {
  void prepare(const Preparation&) const {
    if (classlabels_int64s.empty() == classlabels_strings.empty()) fail(Code::bad_model, "expected either classlabels_int64s or classlabels_strings");
  }
  void infer(Inference& io) const {
    const DataType key = classlabels_strings.empty() ? DataType::i64 : DataType::str;
    io.output_of(0, TypeInfo::Kind::sequence, {.type = key, .kind = TypeInfo::Kind::map, .item = std::make_shared<const Fact>(Fact{.type = DataType::f32, .dims = Dims{}})});
  }
  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    if (x.type() != DataType::f32) unsupported("element type ", name_of(x.type()));
    const auto [rows, columns] = rows_and_columns(x.dims());
    const auto n = int64_t(std::max(classlabels_int64s.size(), classlabels_strings.size()));
    if (n != columns) invalid("the input has ", columns, " columns for ", n, " labels");
    Sequence out;
    out.items.reserve(size_t(rows));
    for (int64_t r = 0; r < rows; ++r) {
      Tensor keys = classlabels_strings.empty() ? small(classlabels_int64s.data(), n) : small(classlabels_strings.data(), n);
      out.items.emplace_back(Map{std::move(keys), small(x.data<float>() + r * n, n)});
    }
    call.outputs[0] = std::move(out);
  }

 private:
  // One allocation each, of which there are two a row. Keys are not shared: whoever is given a map may write to it.
  template <class E> static Tensor small(const E* from, int64_t n) {
    const auto own = std::make_shared_for_overwrite<E[]>(size_t(n));
    std::copy_n(from, n, own.get());
    return Tensor::view(type_of<E>, {n}, own.get(), own);
  }
};

struct CastMap : standard::CastMap {
  void prepare(const Preparation&) const {
    if (map_form != "DENSE" && map_form != "SPARSE") fail(Code::bad_model, "map_form is '", map_form, "', expected DENSE or SPARSE");
    if (cast_to != "TO_FLOAT" && cast_to != "TO_STRING" && cast_to != "TO_INT64") fail(Code::bad_model, "cast_to is '", cast_to, "', expected TO_FLOAT, TO_STRING or TO_INT64");
    if (max_map < 0) fail(Code::bad_model, "max_map is ", max_map);
  }
  DataType type() const { return cast_to == "TO_FLOAT" ? DataType::f32 : cast_to == "TO_STRING" ? DataType::str : DataType::i64; }
  void infer(Inference& io) const { if (io.symbols) io.output(0, type(), {1, map_form == "DENSE" ? io.unknown() : max_map}); }
  void run(Call& call) const {
    const Map& map = call.map(0);
    if (map.keys.type() != DataType::i64) invalid("the keys are ", name_of(map.keys.type()), ", expected int64");
    const DataType type = this->type();
    Tensor cast = call.scratch(type, map.values.dims());
    convert(map.values.type(), map.values.raw(), type, cast.raw(), cast.size());
    std::vector<int64_t> order(size_t(map.keys.size()));
    for (size_t i = 0; i < order.size(); ++i) order[i] = int64_t(i);
    const int64_t* keys = map.keys.data<int64_t>();
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return keys[a] < keys[b]; });
    const int64_t width = map_form == "DENSE" ? int64_t(order.size()) : max_map;
    const Tensor& y = call.allocate(0, type, {1, width});
    for_type<f32 | str | i64>(type, [&]<class T>() {
      T* to = y.data<T>();
      std::fill_n(to, width, T{});
      for (size_t i = 0; i < order.size(); ++i) {
        const int64_t at = map_form == "DENSE" ? int64_t(i) : keys[order[i]];
        if (at < 0 || at >= width) invalid("key ", at, " is outside a sparse map of ", width);
        to[at] = cast.data<T>()[order[i]];
      }
    });
  }
};

struct DictVectorizer : standard::DictVectorizer {
  void prepare(const Preparation&) const {
    if (int64_vocabulary.empty() == string_vocabulary.empty()) fail(Code::bad_model, "expected either int64_vocabulary or string_vocabulary");
  }
  void infer(Inference& io) const {
    if (io.symbols && io.item(0)) io.output(0, io.item(0)->type, {1, int64_t(std::max(int64_vocabulary.size(), string_vocabulary.size()))});
  }
  void run(Call& call) const {
    const Map& map = call.map(0);
    const bool words = int64_vocabulary.empty();
    if (map.keys.type() != (words ? DataType::str : DataType::i64)) invalid("the keys are ", name_of(map.keys.type()), ", the vocabulary is ", words ? "string" : "int64");
    const auto width = int64_t(std::max(int64_vocabulary.size(), string_vocabulary.size()));
    const Tensor& y = call.allocate(0, map.values.type(), {1, width});
    const bool known = for_type<f32 | f64 | i64 | str>(y.type(), [&]<class T>() {
      if (words) fill(map.keys.data<std::string>(), string_vocabulary, map, y.data<T>());
      else fill(map.keys.data<int64_t>(), int64_vocabulary, map, y.data<T>());
    });
    if (!known) unsupported("values of type ", name_of(y.type()));
  }

 private:
  template <class K, class T> static void fill(const K* keys, const std::vector<K>& vocabulary, const Map& map, T* to) {
    std::unordered_map<K, int64_t> at;
    for (int64_t i = 0; i < map.keys.size(); ++i) at.emplace(keys[i], i);
    for (const K& word : vocabulary) {
      const auto it = at.find(word);
      *to++ = it == at.end() ? T{} : map.values.data<T>()[it->second];
    }
  }
};

}  // namespace

Operators ml_maps() { return {define<ZipMap>(), define<CastMap>(), define<DictVectorizer>()}; }

}  // namespace onward::ops
