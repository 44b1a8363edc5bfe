// com.onward.NgramCounts: how often each n-gram of a vocabulary occurs in a document, weighed, as scikit-learn's CountVectorizer and
// TfidfVectorizer have it. Standard operators know neither Python's words nor its lower case.
#include "onward/ops/own/ngram_rows.h"
#include "onward/ops/text_analysis.h"
#include "onward/ops/text_table.h"

namespace onward::ops {
namespace {

struct NgramCounts {
  static constexpr Name standard_name{"com.onward", "NgramCounts", 1};
  TextAnalysis analysis;
  NgramRows rows;
  std::vector<std::string> vocabulary;
  TextTable places;

  void read(const Attributes& from) { analysis.read(from), rows.read(from), from.read("vocabulary", vocabulary); }
  void prepare(const Preparation&) {
    analysis.prepare(), rows.prepare();
    places = TextTable(vocabulary);
  }
  void infer(Inference& io) const { rows.infer(io, int64_t(vocabulary.size())); }
  void run(Call& call) const {
    rows.run(call, int64_t(vocabulary.size()), [&](std::string_view document, auto&& f) {
      std::string key;
      analysis.each_ngram(document, [&](std::string_view gram) {
        key.assign(gram);
        if (const int64_t at = places.find(key); at >= 0) f(at, 1.0);
      });
    });
  }
};

}  // namespace

Operators own_ngram_counts() {
  static const std::string attributes = std::string(TextAnalysis::attributes) + ";" + std::string(NgramRows::attributes) + ";vocabulary:STRINGS!";
  return {define<NgramCounts>(
      {.examples = {"string [\"The cat, the \u00e9t\u00e9\", \"\"]; vocabulary=[\"the\", \"\u00e9t\u00e9\", \"the cat\"], ngram_range=[1, 2] -> double [[2, 1, 1], [0, 0, 0]]",
                    "string [[\"ab  a\"]]; vocabulary=[\" a\", \"a \", \"ab\"], analyzer=\"char_wb\", ngram_range=[2, 2], binary=1 -> double [[1, 1, 1]]",
                    "string [\"aa bb bb\"], double [2, 1.5]; vocabulary=[\"aa\", \"bb\"], norm=\"l1\" -> double [[0.4, 0.6]]",
                    "string [\"aa bb bb\"], , double [[1, 10], [2, 20]]; vocabulary=[\"aa\", \"bb\"] -> double [[5, 50]]"},
       .inputs = "documents:tensor(string) idf?:tensor(double) matrix?:tensor(double)", .outputs = "counts:tensor(double)", .attributes = attributes})};
}

}  // namespace onward::ops
