#include "onward/ops/text_analysis.h"

#include "onward/base/unicode.h"

namespace onward::ops {
namespace {

// As re.sub(r"\s\s+", " ", text).
std::string with_single_spaces(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t from = at;
    size_t spaces = 0, next = at;
    while (next < text.size() && python::is_space(next_code_point(text, next))) at = next, ++spaces;
    if (spaces > 1) out += ' ';
    else if (spaces == 1) out += text.substr(from, at - from);
    else next_code_point(text, at), out += text.substr(from, at - from);
  }
  return out;
}

// Where each character begins, and the end.
std::vector<size_t> starts(std::string_view text) {
  std::vector<size_t> out;
  for (size_t at = 0; at < text.size(); next_code_point(text, at)) out.push_back(at);
  out.push_back(text.size());
  return out;
}

}  // namespace

void TextAnalysis::read(const Attributes& from) {
  int64_t lower = 1;
  from.read("lowercase", lower), from.read("strip_accents", accents_), from.read("analyzer", analyzer_);
  from.read("token_pattern", pattern_), from.read("ngram_range", range_), from.read("stop_words", stop_list_);
  lowercase_ = lower != 0;
}

void TextAnalysis::prepare() {
  if (analyzer_ != "word" && analyzer_ != "char" && analyzer_ != "char_wb") fail(Code::bad_model, "analyzer is '", analyzer_, "', expected word, char or char_wb");
  if (!accents_.empty() && accents_ != "unicode" && accents_ != "ascii") fail(Code::bad_model, "strip_accents is '", accents_, "', expected unicode or ascii");
  if (range_.size() != 2 || range_[0] < 1 || range_[1] < range_[0] || range_[1] > 1 << 20) fail(Code::bad_model, "ngram_range is ", shown(range_), ", expected two lengths");
  stop_ = {stop_list_.begin(), stop_list_.end()};
  if (analyzer_ != "word" || pattern_ == default_pattern) return;
  regex_ = std::make_shared<const python::Regex>(pattern_);
  if (regex_->groups() > 1) fail(Code::bad_model, "token_pattern has ", regex_->groups(), " groups, expected one at most");
}

void TextAnalysis::analyse(std::string_view document, Each f) const {
  std::string text = lowercase_ ? python::lower(document) : std::string(document);
  if (accents_ == "unicode") text = python::without_accents(text);
  else if (accents_ == "ascii") text = python::to_ascii(text);
  if (analyzer_ == "word") words(text, f);
  else if (analyzer_ == "char") characters(with_single_spaces(text), f);
  else characters_of_words(text, f);
}

void TextAnalysis::tokens(std::string_view text, Pieces& out) const {
  if (regex_) {
    const std::vector<size_t> at = starts(text);
    regex_->each_match(python::characters(text), [&](size_t begin, size_t end) { out.push_back(text.substr(at[begin], at[end] - at[begin])); });
    return;
  }
  // Runs of two word characters and more.
  for (size_t at = 0; at < text.size();) {
    const size_t from = at;
    size_t count = 0, next = at;
    while (next < text.size() && python::is_word(next_code_point(text, next))) at = next, ++count;
    if (count > 1) out.push_back(text.substr(from, at - from));
    if (at < text.size()) next_code_point(text, at);
  }
}

void TextAnalysis::words(std::string_view text, Each f) const {
  Pieces all;
  tokens(text, all);
  if (!stop_.empty()) std::erase_if(all, [&](std::string_view word) { return stop_.contains(word); });
  std::string gram;
  for (auto n = size_t(range_[0]); n <= size_t(range_[1]) && n <= all.size(); ++n) {
    for (size_t i = 0; i + n <= all.size(); ++i) {
      if (n == 1) {
        f(all[i]);
        continue;
      }
      gram.assign(all[i]);
      for (size_t k = 1; k < n; ++k) gram += ' ', gram += all[i + k];
      f(gram);
    }
  }
}

void TextAnalysis::characters(std::string_view text, Each f) const {
  const std::vector<size_t> at = starts(text);
  const size_t size = at.size() - 1;
  for (auto n = size_t(range_[0]); n <= size_t(range_[1]) && n <= size; ++n)
    for (size_t i = 0; i + n <= size; ++i) f(text.substr(at[i], at[i + n] - at[i]));
}

void TextAnalysis::characters_of_words(std::string_view text, Each f) const {
  std::string word;
  const auto grams = [&] {
    word += ' ';
    const std::vector<size_t> at = starts(word);
    const size_t size = at.size() - 1;
    for (auto n = size_t(range_[0]); n <= size_t(range_[1]); ++n) {
      for (size_t i = 0; i == 0 || i + n <= size; ++i) f(std::string_view(word).substr(at[i], at[std::min(i + n, size)] - at[i]));
      if (n >= size) break;  // a word as short as that counts once
    }
  };
  for (size_t at = 0; at < text.size();) {
    const size_t from = at;
    const bool space = python::is_space(next_code_point(text, at));
    if (!space) word += word.empty() ? " " : "", word += text.substr(from, at - from);
    if (!word.empty() && (space || at == text.size())) grams(), word.clear();
  }
}

}  // namespace onward::ops
