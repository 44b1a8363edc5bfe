// TfIdfVectorizer: how often each n-gram of a pool occurs in a row of words or numbers, weighted.
#include "onward/ops/operator.h"
#include "onward/ops/text_table.h"

namespace onward::ops {
namespace {

struct TfIdfVectorizer : standard::TfIdfVectorizer {
  // Items of the pool have numbers, and n-grams are paths of a tree: a child is found by its parent and the number of its item.
  NumberTable numbers, children;
  TextTable words;                                        // places in pool_strings
  std::vector<int64_t> first;                             // the child of the root for every item; -1: none
  std::vector<int64_t> gram;                              // of every node: the place of what ends there in ngram_indexes; -1: nothing
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
    words = TextTable(pool_strings);
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
      call.context.parallel(rows, 20.0 * double(length), [&](int64_t begin, int64_t end) {
        std::vector<int64_t> items(static_cast<size_t>(length));
        for (int64_t r = begin; r < end; ++r) {
          std::transform(x.data<T>() + r * length, x.data<T>() + (r + 1) * length, items.begin(), [&](const T& item) { return number(item); });
          row(items.data(), length, y.data<float>() + r * width);
        }
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
        if (id >= int64_t(ngram_indexes.size())) fail(Code::bad_model, "more n-grams than the ", ngram_indexes.size(), " of ngram_indexes");
        if (size < min_gram_length || size > max_gram_length) continue;
        int64_t node = -1;
        for (int64_t i = at; i < at + size; ++i) node = grown(node, numbered(pool[size_t(i)]));
        if (gram[size_t(node)] < 0) gram[size_t(node)] = id;
      }
    }
  }
  int64_t numbered(const std::string& item) { return words.find(item); }
  int64_t numbered(int64_t item) { return numbers.emplace(uint64_t(item), int64_t(numbers.size())); }
  int64_t number(const std::string& item) const { return words.find(item); }
  int64_t number(int64_t item) const { return numbers.find(uint64_t(item)); }

  static uint64_t edge(int64_t node, int64_t item) { return uint64_t(node) << 32 | uint64_t(item); }
  // The child of a node, or of the root (-1), made where there is none.
  int64_t grown(int64_t node, int64_t item) {
    const auto fresh = int64_t(gram.size());
    if (node < 0 && item >= int64_t(first.size())) first.resize(size_t(item) + 1, -1);
    int64_t& of_root = first[node < 0 ? size_t(item) : 0];
    const int64_t child = node >= 0 ? children.emplace(edge(node, item), fresh) : of_root >= 0 ? of_root : of_root = fresh;
    if (child == fresh) gram.push_back(-1);
    return child;
  }
  int64_t child(int64_t node, int64_t item) const {
    if (item < 0) return -1;
    if (node >= 0) return children.find(edge(node, item));
    return item < int64_t(first.size()) ? first[size_t(item)] : -1;
  }

  void row(const int64_t* items, int64_t length, float* counts) const {
    const auto weight = [&](int64_t id) { return weights.empty() ? 1.0f : weights[size_t(id)]; };
    const bool counts_only = mode == "TF", last_only = mode == "IDF";
    for (int64_t step = 1; step - 1 <= max_skip_count && step <= std::max<int64_t>(length, 1); ++step)
      for (int64_t from = 0; from < length; ++from)
        for (int64_t n = 1, at = from, node = -1; n <= max_gram_length && at < length; ++n, at += step) {
          node = child(node, items[at]);
          if (node < 0) break;
          const int64_t id = gram[size_t(node)];
          if (id < 0 || (n == 1 && step > 1)) continue;   // a single item skips nothing
          float& count = counts[ngram_indexes[size_t(id)]];
          if (counts_only) count += 1;
          else if (last_only) count = weight(id);
          else count += weight(id);
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
