// A document into the n-grams that scikit-learn's text vectorizers count: of words, of characters, of characters within words.
#pragma once
#include <memory>
#include <set>

#include "onward/base/python_regex.h"
#include "onward/base/python_text.h"
#include "onward/model/graph.h"
#include "onward/ops/context.h"

namespace onward::ops {

class TextAnalysis {
 public:
  // lowercase, strip_accents ("", "unicode", "ascii"), analyzer ("word", "char", "char_wb"), token_pattern, ngram_range, stop_words.
  static constexpr std::string_view attributes =
      "lowercase:INT=1;strip_accents:STRING=\"\";analyzer:STRING=\"word\";token_pattern:STRING=\"(?u)\\\\b\\\\w\\\\w+\\\\b\";ngram_range:INTS;"
      "stop_words:STRINGS";
  void read(const Attributes& from);
  void prepare();  // throws Error{bad_model}

  // Every n-gram in the library's order; the view is good until the next one. Belongs to one thread.
  template <class F>
  void each_ngram(std::string_view document, F&& f) const {
    const FunctionRef<void(std::string_view)> each(f);
    analyse(document, each);
  }

 private:
  using Each = FunctionRef<void(std::string_view)>;
  using Pieces = std::vector<std::string_view>;
  void analyse(std::string_view document, Each f) const;
  void words(std::string_view text, Each f) const;
  void tokens(std::string_view text, Pieces& out) const;
  void characters(std::string_view text, Each f) const;
  void characters_of_words(std::string_view text, Each f) const;

  bool lowercase_ = true;
  std::string accents_, analyzer_ = "word", pattern_ = std::string(default_pattern);
  std::vector<int64_t> range_ = {1, 1};
  std::vector<std::string> stop_list_;
  std::set<std::string, std::less<>> stop_;
  std::shared_ptr<const python::Regex> regex_;  // none: the default pattern
  static constexpr std::string_view default_pattern = "(?u)\\b\\w\\w+\\b";
};

}  // namespace onward::ops
