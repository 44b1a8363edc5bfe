// Documents to numbers: counts of n-grams, weighted. What a word is and what lower case is are Python's; standard operators have
// neither, so an operator of our own counts.
#include <cmath>

#include "onward/base/python_regex.h"
#include "onward/estimators/english_stop_words.h"
#include "onward/estimators/fields.h"

namespace onward {
namespace {

constexpr std::string_view need = "cutting text into Python's words";
constexpr const char *counts_operator = "NgramCounts", *hashes_operator = "NgramHashes";

// What stands before counting: how a document becomes n-grams.
struct TextAnalyzer {
  bool lowercase = true;
  std::string accents, analyzer = "word", pattern;
  std::vector<int64_t> range = {1, 1};
  std::vector<std::string> stop_words;

  void learned(Fields& f) {
    f.documents();
    std::string content;
    f.choice<std::string>("input", content, {{"content", "content"}});
    const auto is_code = [&](std::string_view name, std::string_view instead) {
      if (f.given(name)) f.refuse(name, text("is ", f.said(*f.get(name))), text("refit with ", instead, ", or register a converter for the vectorizer"));
    };
    is_code("preprocessor", "lowercase and strip_accents");
    is_code("tokenizer", "token_pattern, a regular expression");
    f.choice<std::string>("analyzer", analyzer, {{"word", "word"}, {"char", "char"}, {"char_wb", "char_wb"}});
    f.choice<std::string>("strip_accents", accents, {{"None", ""}, {"unicode", "unicode"}, {"ascii", "ascii"}, {"False", ""}});
    f("lowercase", lowercase);
    range.clear();
    f("ngram_range", range, {"2"});
    if (f.ok() && (range[0] < 1 || range[1] < range[0] || range[1] > 1 << 20)) f.bad("ngram_range", text("is from ", range[0], " to ", range[1]));
    if (analyzer != "word" || f.given("tokenizer")) return;
    f("token_pattern", pattern);
    check_pattern(f);
    read_stop_words(f);
  }
  // `more` is what the operator needs beside how n-grams are made.
  Expr count(const std::string& op, const Frame& x, Attributes more, int64_t width, const std::optional<Numbers>& idf = {}) const {
    more["lowercase"] = int64_t{lowercase}, more["analyzer"] = analyzer, more["ngram_range"] = range;
    if (!accents.empty()) more["strip_accents"] = accents;
    if (!pattern.empty()) more["token_pattern"] = pattern;
    if (!stop_words.empty()) more["stop_words"] = stop_words;
    std::vector<Expr> inputs{x.string(0)};
    if (idf) inputs.push_back(x.graph().constant(*idf));
    return x.graph().own(op, std::move(inputs), std::move(more), {DataType::f64, {rows, width}}, need);
  }

 private:
  void check_pattern(Fields& f) const {
    try {
      const python::Regex regex(pattern);
      if (regex.groups() > 1) f.bad("token_pattern", text("has ", regex.groups(), " groups; the library takes one at most"));
    } catch (const Error& e) {
      f.refuse("token_pattern", text("is '", clipped(pattern), "': ", e.message), "write the pattern without it");
    }
  }
  void read_stop_words(Fields& f) {
    const auto v = f.get("stop_words");
    if (!v || v->is(plain::Kind::none)) return;
    if (v->str() == "english") {
      std::string_view all = english_stop_words();
      for (size_t end; !all.empty(); all.remove_prefix(std::min(end + 1, all.size())))
        end = std::min(all.find(' '), all.size()), stop_words.emplace_back(all.substr(0, end));
      return;
    }
    if (v->is(plain::Kind::set)) {
      for (const plain::Value& word : v->items()) f.assign("stop_words", word, stop_words.emplace_back(), {});
      return;
    }
    f.assign("stop_words", *v, stop_words, {});
  }
};

// numpy.float32, numpy.int64, ...: a class by name, or a dtype.
std::string number_type(Fields& f) {
  const auto v = f.get("dtype");
  if (!v) return "";
  if (v->is(plain::Kind::global)) return std::string(v->global->name);
  if (v->is(plain::Kind::dtype)) return v->dtype->kind == 'f' && v->dtype->size == 4 ? "float32" : v->dtype->kind == 'b' ? "bool" : "";
  return std::string(v->str());
}

enum class Norm : uint8_t { none, l1, l2 };

void read_norm(Fields& f, const std::optional<plain::Value>& v, Norm& norm) {
  const std::string_view name = v ? v->str() : "";
  if (name == "l2" || name == "l1") norm = name == "l2" ? Norm::l2 : Norm::l1;
  else if (v && v->is(plain::Kind::none)) norm = Norm::none;
  else f.refuse("norm", v ? text("is ", f.said(*v)) : "is missing", "convertible: l2, l1, None");
}

std::string name_of(Norm norm) { return norm == Norm::l1 ? "l1" : "l2"; }

Outputs in_sparse_matrix(Frame x) {
  x.sparse = true;
  return transformed(std::move(x));
}

// Each row by its length, which float32 rows have in double; rows of nothing stay.
Expr normalised(Expr x, Norm norm) {
  if (norm == Norm::none) return x;
  const Expr wide = cast(x, DataType::f64);
  const Expr length = norm == Norm::l1 ? sum(abs(wide)) : sqrt(sum(wide * wide));
  return cast(wide / where(equal(length, 0.0), 1.0, length), x.type());
}

struct Tfidf {
  std::optional<Numbers> idf;
  bool sublinear = false, narrow = false;  // narrow: the library computes in float32
  Norm norm = Norm::l2;

  // A vectorizer keeps a transformer, which is what it asks; until 1.1 only that has the parameters.
  void learned(Fields& f, const plain::Value* transformer) {
    const auto field = [&](std::string_view name) { return transformer ? transformer->find(name) : f.get(name); };
    const auto flag = [&](std::string_view name, bool& into) {
      if (const auto v = field(name)) f.assign(name, *v, into, {});
      else f.bad(name, "is missing");
    };
    read_norm(f, field("norm"), norm);
    flag("sublinear_tf", sublinear);
    bool use_idf = true;
    flag("use_idf", use_idf);
    if (!use_idf) return;
    // Until 1.4 a diagonal matrix, of which `data` is the diagonal.
    auto v = field("idf_");
    if (!v)
      if (const auto diagonal = field("_idf_diag")) v = diagonal->find("data");
    if (!v) return f.bad("idf_", "is missing: the estimator is not fitted");
    Numbers all;
    f.assign("idf_", *v, all, {});
    if (all) f.check("idf_", Dims{all.size()}, {"terms"});
    if (all) idf = all.reshaped({all.size()});
  }
  Expr operator()(Expr x) const {
    if (narrow) x = cast(x, DataType::f32);
    if (sublinear) {
      const Expr none = equal(x, 0.0);
      x = where(none, 0.0, log(where(none, 1.0, x)) + 1.0);
    }
    if (idf && narrow) x = x * Array<float>::of(idf->shape(), [&](int64_t i) { return float((*idf)[i]); });
    else if (idf) x = x * *idf;
    return cast(normalised(x, norm), DataType::f64);
  }
};

struct TfidfTransformer {
  Tfidf weigh;

  void learned(Fields& f) {
    if (f.facts().n_features_in >= 0) f.check("n_features_in_", Dims{f.facts().n_features_in}, {"terms"});
    weigh.learned(f, nullptr);
  }
  Outputs operator()(const Frame& x) const {
    return in_sparse_matrix(x.all_replaced(weigh(x.numbers()), Frame::Keeps::infinity));
  }
};

struct CountVectorizer {
  TextAnalyzer analyzer;
  std::vector<std::string> terms;
  bool binary = false;

  void learned(Fields& f) {
    analyzer.learned(f);
    f.needs_own(counts_operator, need);
    f("binary", binary);
    binary |= number_type(f) == "bool" || number_type(f) == "bool_";
    read_vocabulary(f);
  }
  Expr counts(const Frame& x, Attributes more = {}, const std::optional<Numbers>& idf = {}) const {
    more["vocabulary"] = terms, more["binary"] = int64_t{binary};
    return analyzer.count(counts_operator, x, std::move(more), int64_t(terms.size()), idf);
  }
  Outputs operator()(const Frame& x) const { return in_sparse_matrix(Frame(counts(x), terms)); }

 private:
  void read_vocabulary(Fields& f) {
    const auto v = f.get("vocabulary_");
    if (!v) return f.bad("vocabulary_", "is missing: the estimator is not fitted");
    const std::span<const plain::Value> pairs = v->is(plain::Kind::dict) ? v->items() : std::span<const plain::Value>();
    if (pairs.empty()) return f.bad("vocabulary_", "is no dict of terms and their columns");
    terms.resize(pairs.size() / 2);
    std::vector<bool> taken(terms.size());
    for (size_t i = 0; i + 1 < pairs.size(); i += 2) {
      int64_t column = -1;
      f.assign("vocabulary_", pairs[i + 1], column, {});
      if (column < 0 || column >= int64_t(terms.size()) || taken[size_t(column)])
        return f.bad("vocabulary_", text("has column ", column, " of ", terms.size(), ", which is none or another term's"));
      taken[size_t(column)] = true;
      f.assign("vocabulary_", pairs[i], terms[size_t(column)], {});
    }
    f.check("vocabulary_", Dims{int64_t(terms.size())}, {"terms"});
  }
};

struct TfidfVectorizer : CountVectorizer {
  Tfidf weigh;

  void learned(Fields& f) {
    CountVectorizer::learned(f);
    weigh.narrow = number_type(f) == "float32";
    const auto transformer = f.get("_tfidf");
    if (!transformer) return f.bad("_tfidf", "is missing: the estimator is not fitted");
    weigh.learned(f, &*transformer);
  }
  Outputs operator()(const Frame& x) const {
    if (weigh.narrow) return in_sparse_matrix(Frame(weigh(counts(x)), terms));
    Attributes more{{"sublinear_tf", int64_t{weigh.sublinear}}};
    if (weigh.norm != Norm::none) more["norm"] = name_of(weigh.norm);
    return in_sparse_matrix(Frame(counts(x, std::move(more), weigh.idf), terms));
  }
};

struct HashingVectorizer {
  TextAnalyzer analyzer;
  int64_t columns = 1 << 20;
  bool alternate = true, binary = false, narrow = false;
  Norm norm = Norm::l2;

  void learned(Fields& f) {
    analyzer.learned(f);
    f.needs_own(hashes_operator, need);
    f("n_features", columns);
    if (columns < 1 || columns > INT32_MAX) f.bad("n_features", text("is ", columns));
    f("alternate_sign", alternate);
    f("binary", binary);
    read_norm(f, f.get("norm"), norm);
    narrow = number_type(f) == "float32";
  }
  Outputs operator()(const Frame& x) const {
    Attributes more{{"n_features", columns}, {"alternate_sign", int64_t{alternate}}, {"binary", int64_t{binary}}};
    if (norm != Norm::none) more["norm"] = name_of(norm);
    const Expr y = analyzer.count(hashes_operator, x, std::move(more), columns);
    return in_sparse_matrix(Frame(narrow ? cast(cast(y, DataType::f32), DataType::f64) : y));
  }
};

}  // namespace

Definitions text_vectorizers_estimators() {
  constexpr std::string_view documents = "documents";
  Definition hashing = reads<HashingVectorizer>(
      "sklearn.feature_extraction.text.HashingVectorizer",
      {.cases = {"(n_features=64)", "(n_features=100, alternate_sign=False, norm='l1')", "(n_features=32, binary=True, norm=None)",
                 "(n_features=64, analyzer='char_wb', ngram_range=(2, 4))"},
       .data = documents,
       .tolerance = 1e-12});
  hashing.may_be_stateless = true;
  return {
      reads<CountVectorizer>("sklearn.feature_extraction.text.CountVectorizer",
                             {.cases = {"()", "(ngram_range=(1, 3), max_features=300)", "(analyzer='char', ngram_range=(2, 3), max_features=300)",
                                        "(analyzer='char_wb', ngram_range=(1, 4), strip_accents='ascii', max_features=300)",
                                        "(binary=True, stop_words='english', lowercase=False)",
                                        "(strip_accents='unicode', stop_words=['the', 'und', 'cafe'])",
                                        "(token_pattern=r'(?:^|\\s)#?([^\\W\\d_]+(?:-\\w+)*)\\b(?!\\.)')",
                                        "(token_pattern=r'\\S+?(?=[,.]|\\s|$)', dtype=np.float32)"},
                              .data = documents}),
      reads<TfidfVectorizer>("sklearn.feature_extraction.text.TfidfVectorizer",
                             {.cases = {"()", "(ngram_range=(1, 2), sublinear_tf=True, min_df=2)", "(norm='l1', smooth_idf=False)",
                                        "(use_idf=False, norm=None, binary=True)"},
                              .data = documents,
                              .tolerance = 1e-12}),
      // The library computes in float32.
      reads<TfidfVectorizer>("sklearn.feature_extraction.text.TfidfVectorizer",
                             {.cases = {"(dtype=np.float32, sublinear_tf=True)"}, .data = documents, .tolerance = 1e-6}),
      reads<TfidfTransformer>("sklearn.feature_extraction.text.TfidfTransformer",
                              {.cases = {"()", "(sublinear_tf=True, norm='l1')", "(use_idf=False)"}, .data = "counts", .tolerance = 1e-12}),
      std::move(hashing),
  };
}

}  // namespace onward
