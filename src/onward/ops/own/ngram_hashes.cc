// com.onward.NgramHashes: the n-grams of a document counted by their hashes, as scikit-learn's HashingVectorizer counts.
#include "onward/ops/murmur.h"
#include "onward/ops/own/ngram_rows.h"
#include "onward/ops/text_analysis.h"

namespace onward::ops {
namespace {

struct NgramHashes {
  static constexpr Name standard_name{"com.onward", "NgramHashes", 1};
  TextAnalysis analysis;
  NgramRows rows;
  int64_t n_features = 1 << 20, alternate_sign = 1;

  void read(const Attributes& from) {
    analysis.read(from), rows.read(from), from.read("n_features", n_features), from.read("alternate_sign", alternate_sign);
  }
  void prepare(const Preparation&) {
    analysis.prepare(), rows.prepare();
    if (n_features < 1 || n_features > INT32_MAX) fail(Code::bad_model, "n_features is ", n_features);
  }
  void infer(Inference& io) const { rows.infer(io, n_features); }
  void run(Call& call) const {
    rows.run(call, n_features, [&](std::string_view document, auto&& f) {
      analysis.each_ngram(document, [&](std::string_view gram) {
        const auto hash = int32_t(murmur3(gram.data(), gram.size(), 0));
        f(std::abs(int64_t(hash)) % n_features, alternate_sign && hash < 0 ? -1.0 : 1.0);
      });
    });
  }
};

}  // namespace

Operators own_ngram_hashes() {
  static const std::string attributes =
      std::string(TextAnalysis::attributes) + ";" + std::string(NgramRows::attributes) + ";n_features:INT=1048576;alternate_sign:INT=1";
  return {define<NgramHashes>(
      {.examples = {"string [\"foo bar foo\"]; n_features=4 -> double [[-2, 1, 0, 0]]",
                    "string [\"Bar bar\", \"\"]; n_features=4, norm=\"l1\" -> double [[0, 1, 0, 0], [0, 0, 0, 0]]"},
       .inputs = "documents:tensor(string) idf?:tensor(double) matrix?:tensor(double)", .outputs = "counts:tensor(double)", .attributes = attributes})};
}

}  // namespace onward::ops
