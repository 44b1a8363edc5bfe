// com.onward.NgramCounts: how often each n-gram of a vocabulary occurs in a document, as scikit-learn's CountVectorizer counts. Standard
// operators know neither Python's words nor its lower case.
#include "onward/ops/operator.h"
#include "onward/ops/text_analysis.h"
#include "onward/ops/text_table.h"

namespace onward::ops {
namespace {

struct NgramCounts {
  static constexpr Name standard_name{"com.onward", "NgramCounts", 1};
  TextAnalysis analysis;
  std::vector<std::string> vocabulary;
  TextTable places;
  int64_t binary = 0;

  void read(const Attributes& from) { analysis.read(from), from.read("vocabulary", vocabulary), from.read("binary", binary); }
  void prepare(const Preparation&) {
    analysis.prepare();
    places = TextTable(vocabulary);
  }
  void infer(Inference& io) const {
    const Dims in = io.dims(0);
    if (in.empty() || in.size() > 2) invalid("expected documents of shape [N] or [N, 1], found ", shown(in));
    io.output(0, DataType::f64, {in[0], int64_t(vocabulary.size())});
  }
  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    const Tensor& y = call.output(0);
    const auto width = int64_t(vocabulary.size()), rows = x.dims()[0];
    if (x.type() != DataType::str || x.size() != rows) invalid("expected strings of shape [N] or [N, 1], found ", shown(x));
    std::fill_n(y.data<double>(), y.size(), 0.0);
    call.context.parallel(rows, 2000.0 + double(width), [&](int64_t begin, int64_t end) {
      std::string key;
      for (int64_t r = begin; r < end; ++r) {
        double* counts = y.data<double>() + r * width;
        analysis.each_ngram(x.data<std::string>()[r], [&](std::string_view gram) {
          key.assign(gram);
          if (const int64_t at = places.find(key); at >= 0) counts[at] = binary ? 1 : counts[at] + 1;
        });
        call.context.check();
      }
    });
  }
};

}  // namespace

Operators own_ngram_counts() {
  static const std::string attributes = std::string(TextAnalysis::attributes) + ";vocabulary:STRINGS!;binary:INT=0";
  return {define<NgramCounts>(
      {.examples = {"string [\"The cat, the \u00e9t\u00e9\", \"\"]; vocabulary=[\"the\", \"\u00e9t\u00e9\", \"the cat\"], ngram_range=[1, 2] -> double [[2, 1, 1], [0, 0, 0]]",
                    "string [[\"ab  a\"]]; vocabulary=[\" a\", \"a \", \"ab\"], analyzer=\"char_wb\", ngram_range=[2, 2], binary=1 -> double [[1, 1, 1]]"},
       .inputs = "documents:tensor(string)", .outputs = "counts:tensor(double)", .attributes = attributes})};
}

}  // namespace onward::ops
