// com.onward.NgramHashes: the n-grams of a document counted by their hashes, as scikit-learn's HashingVectorizer counts.
#include "onward/ops/murmur.h"
#include "onward/ops/operator.h"
#include "onward/ops/text_analysis.h"

namespace onward::ops {
namespace {

struct NgramHashes {
  static constexpr Name standard_name{"com.onward", "NgramHashes", 1};
  TextAnalysis analysis;
  int64_t n_features = 1 << 20, alternate_sign = 1, binary = 0;
  std::string norm;

  void read(const Attributes& from) {
    analysis.read(from), from.read("n_features", n_features), from.read("alternate_sign", alternate_sign), from.read("binary", binary), from.read("norm", norm);
  }
  void prepare(const Preparation&) {
    analysis.prepare();
    if (!norm.empty() && norm != "l1" && norm != "l2") fail(Code::bad_model, "norm is '", norm, "', expected l1 or l2");
    if (n_features < 1 || n_features > INT32_MAX) fail(Code::bad_model, "n_features is ", n_features);
  }
  void infer(Inference& io) const {
    const Dims in = io.dims(0);
    if (in.empty() || in.size() > 2) invalid("expected documents of shape [N] or [N, 1], found ", shown(in));
    io.output(0, DataType::f64, {in[0], n_features});
  }
  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    const Tensor& y = call.output(0);
    const int64_t rows = x.dims()[0];
    if (x.type() != DataType::str || x.size() != rows) invalid("expected strings of shape [N] or [N, 1], found ", shown(x));
    std::fill_n(y.data<double>(), y.size(), 0.0);
    call.context.parallel(rows, 2000.0 + double(n_features), [&](int64_t begin, int64_t end) {
      std::vector<int64_t> reached;
      for (int64_t r = begin; r < end; ++r, reached.clear()) {
        double* counts = y.data<double>() + r * n_features;
        analysis.each_ngram(x.data<std::string>()[r], [&](std::string_view gram) {
          const auto hash = int32_t(murmur3(gram.data(), gram.size(), 0));
          reached.push_back(std::abs(int64_t(hash)) % n_features);
          // A place that was ever reached counts as one there, even where signs cancelled.
          if (binary) counts[reached.back()] = 1;
          else counts[reached.back()] += alternate_sign && hash < 0 ? -1 : 1;
        });
        if (!norm.empty()) normalise(counts, reached);
        call.context.check();
      }
    });
  }

 private:
  // Most of a row is nothing; what is there is added in the order of the columns.
  void normalise(double* counts, std::vector<int64_t>& reached) const {
    std::sort(reached.begin(), reached.end());
    reached.erase(std::unique(reached.begin(), reached.end()), reached.end());
    double sum = 0;
    for (const int64_t at : reached) sum += norm == "l1" ? std::abs(counts[at]) : counts[at] * counts[at];
    const double length = norm == "l1" ? sum : std::sqrt(sum);
    for (const int64_t at : reached) counts[at] /= length == 0 ? 1 : length;
  }
};

}  // namespace

Operators own_ngram_hashes() {
  static const std::string attributes = std::string(TextAnalysis::attributes) + ";n_features:INT=1048576;alternate_sign:INT=1;binary:INT=0;norm:STRING=\"\"";
  return {define<NgramHashes>({.examples = {"string [\"foo bar foo\"]; n_features=4 -> double [[-2, 1, 0, 0]]",
                                            "string [\"Bar bar\", \"\"]; n_features=4, norm=\"l1\" -> double [[0, 1, 0, 0], [0, 0, 0, 0]]"},
                               .inputs = "documents:tensor(string)", .outputs = "counts:tensor(double)", .attributes = attributes})};
}

}  // namespace onward::ops
