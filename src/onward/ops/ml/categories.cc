// CategoryMapper, OneHotEncoder (ai.onnx.ml): words and numbers of categories.
#include <unordered_map>

#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct CategoryMapper : standard::CategoryMapper {
  std::unordered_map<std::string, int64_t> numbers;
  std::unordered_map<int64_t, std::string> words;

  void prepare(const Preparation&) {
    if (cats_int64s.size() != cats_strings.size()) fail(Code::bad_model, cats_int64s.size(), " numbers for ", cats_strings.size(), " words");
    for (size_t i = 0; i < cats_strings.size(); ++i) numbers[cats_strings[i]] = cats_int64s[i], words[cats_int64s[i]] = cats_strings[i];
  }
  void infer(Inference& io) const { io.output(0, io.type(0) == DataType::str ? DataType::i64 : DataType::str, io.dims(0)); }
  void run(Call& call) const {
    const Tensor &x = call.tensor(0), &y = call.output(0);
    for (int64_t i = 0; i < x.size(); ++i) {
      if (x.type() == DataType::str) {
        const auto it = numbers.find(x.data<std::string>()[i]);
        y.data<int64_t>()[i] = it == numbers.end() ? default_int64 : it->second;
      } else if (x.type() == DataType::i64) {
        const auto it = words.find(x.data<int64_t>()[i]);
        y.data<std::string>()[i] = it == words.end() ? default_string : it->second;
      } else {
        unsupported("element type ", name_of(x.type()));
      }
    }
  }
};

struct OneHotEncoder : standard::OneHotEncoder {
  std::unordered_map<std::string, int64_t> word_at;
  std::unordered_map<int64_t, int64_t> number_at;
  int64_t size = 0;

  void prepare(const Preparation&) {
    if (cats_int64s.empty() == cats_strings.empty()) fail(Code::bad_model, "expected either cats_int64s or cats_strings");
    for (const std::string& s : cats_strings) word_at[s] = size++;
    for (int64_t i : cats_int64s) number_at[i] = size++;
  }
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    out.push_back(size);
    io.output(0, DataType::f32, out);
  }
  template <class T> void run(In<T> x, Out<float> y) const {
    std::fill(y.begin(), y.end(), 0.0f);
    for (int64_t i = 0; i < x.size; ++i) {
      const int64_t at = place(x[i]);
      if (at >= 0) y[i * size + at] = 1;
      else if (!zeros) invalid("element ", i, " is none of the ", size, " categories, and zeros is 0");
    }
  }

 private:
  template <class T> int64_t place(const T& x) const {
    if constexpr (std::is_same_v<T, std::string>) {
      const auto it = word_at.find(x);
      return it == word_at.end() ? -1 : it->second;
    } else {
      if (!(double(x) >= -9.2e18 && double(x) <= 9.2e18)) return -1;
      const auto it = number_at.find(int64_t(x));
      return it == number_at.end() ? -1 : it->second;
    }
  }
};

}  // namespace

Operators ml_categories() {
  return {define<CategoryMapper>({.examples = {"string [\"b\", \"?\"]; cats_int64s=[1, 2], cats_strings=[\"a\", \"b\"] -> int64 [2, -1]", "int64 [1]; cats_int64s=[1, 2], cats_strings=[\"a\", \"b\"] -> string [\"a\"]"}}),
          define<OneHotEncoder, OneHotEncoder::T>({.examples = {"string [\"b\", \"?\"]; cats_strings=[\"a\", \"b\"] -> float [[0, 1], [0, 0]]", "float [[2]]; cats_int64s=[1, 2, 3] -> float [[[0, 1, 0]]]"}})};
}

}  // namespace onward::ops
