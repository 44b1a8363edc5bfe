// TfIdfVectorizer: how often each n-gram of a pool occurs in a row of words or numbers, weighted.
#include <unordered_map>

#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

// The text under which an item goes into a key: unlike items never make like keys.
void put(std::string& key, const std::string& s) { key += text(s.size(), ":", s); }
void put(std::string& key, int64_t i) { key.append(reinterpret_cast<const char*>(&i), sizeof i); }

struct TfIdfVectorizer : standard::TfIdfVectorizer {
  std::unordered_map<std::string, int64_t> grams;         // n-gram -> its place in ngram_indexes
  int64_t width = 0;

  void prepare(const Preparation&) {
    if (mode != "TF" && mode != "IDF" && mode != "TFIDF") fail(Code::bad_model, "mode is '", mode, "', expected TF, IDF or TFIDF");
    if (min_gram_length < 1 || max_gram_length < min_gram_length || max_gram_length > 1 << 20) fail(Code::bad_model, "gram lengths from ", min_gram_length, " to ", max_gram_length);
    if (max_skip_count < 0) fail(Code::bad_model, "max_skip_count is ", max_skip_count);
    if (pool_strings.empty() == pool_int64s.empty()) fail(Code::bad_model, "expected either pool_strings or pool_int64s");
    if (!weights.empty() && weights.size() != ngram_indexes.size()) fail(Code::bad_model, weights.size(), " weights for ", ngram_indexes.size(), " n-grams");
    for (int64_t i : ngram_indexes) {
      if (i < 0 || i > 1 << 28) fail(Code::bad_model, "ngram_indexes has ", i);
      width = std::max(width, i + 1);
    }
    pool_strings.empty() ? read_pool(pool_int64s) : read_pool(pool_strings);
  }

  void infer(Inference& io) const {
    Dims out = io.dims(0);
    if (out.empty() || out.size() > 2) invalid("expected an input of shape [C] or [N, C], found ", shown(out));
    out.back() = width;
    io.output(0, DataType::f32, out);
  }

  void run(Call& call) const {
    const Tensor &x = call.tensor(0), &y = call.output(0);
    const int64_t rows = x.rank() == 2 ? x.dims()[0] : 1, length = x.dims().back();
    if ((x.type() == DataType::str) == pool_strings.empty()) invalid("the input is ", name_of(x.type()), ", the pool ", pool_strings.empty() ? "int64" : "string");
    std::fill_n(y.data<float>(), y.size(), 0.0f);
    for_type<str | i32 | i64>(x.type(), [&]<class T>() {
      call.context.parallel(rows, 200.0 * double(length), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) row(x.data<T>() + r * length, length, y.data<float>() + r * width);
      });
    });
  }

 private:
  template <class P> void read_pool(const std::vector<P>& pool) {
    int64_t id = 0;
    for (size_t n = 0; n < ngram_counts.size(); ++n) {
      const int64_t from = ngram_counts[n], to = n + 1 < ngram_counts.size() ? ngram_counts[n + 1] : int64_t(pool.size()), size = int64_t(n) + 1;
      if (from < 0 || to < from || to > int64_t(pool.size()) || (to - from) % size != 0) fail(Code::bad_model, "ngram_counts does not divide the pool of ", pool.size());
      for (int64_t at = from; at < to; at += size, ++id) {
        std::string key;
        for (int64_t i = at; i < at + size; ++i) put(key, pool[size_t(i)]);
        if (id >= int64_t(ngram_indexes.size())) fail(Code::bad_model, "more n-grams than the ", ngram_indexes.size(), " of ngram_indexes");
        if (size >= min_gram_length && size <= max_gram_length) grams.emplace(std::move(key), id);
      }
    }
  }
  template <class T> void row(const T* x, int64_t length, float* counts) const {
    const auto weight = [&](int64_t id) { return weights.empty() ? 1.0f : weights[size_t(id)]; };
    for (int64_t step = 1; step - 1 <= max_skip_count && step <= std::max<int64_t>(length, 1); ++step)
      for (int64_t from = 0; from < length; ++from) {
        std::string key;
        for (int64_t n = 1, at = from; n <= max_gram_length && at < length; ++n, at += step) {
          if constexpr (std::is_same_v<T, std::string>) put(key, x[at]);
          else put(key, int64_t(x[at]));
          if (n < min_gram_length || (n == 1 && step > 1)) continue;       // a single item skips nothing
          const auto it = grams.find(key);
          if (it == grams.end()) continue;
          float& count = counts[ngram_indexes[size_t(it->second)]];
          if (mode == "TF") count += 1;
          else if (mode == "IDF") count = weight(it->second);
          else count += weight(it->second);
        }
      }
  }
};

}  // namespace

Operators text_tf_idf() {
  return {define<TfIdfVectorizer>({.examples = {
      "int64 [[1, 2, 1]]; mode=\"TF\", min_gram_length=1, max_gram_length=2, max_skip_count=1, ngram_counts=[0, 2], ngram_indexes=[0, 1, 2], pool_int64s=[1, 2, 1, 1] -> float [[2, 1, 1]]",
      "string [\"a\", \"b\"]; mode=\"TFIDF\", min_gram_length=1, max_gram_length=1, max_skip_count=0, ngram_counts=[0], ngram_indexes=[1, 0], pool_strings=[\"a\", \"z\"], weights=[0.5, 2.0] -> float [0, 0.5]"}})};
}

}  // namespace onward::ops
