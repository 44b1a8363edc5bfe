// Tokenizer: strings into the pieces between separators, the matches of an expression, or single characters.
//
// Expressions are RE2's, and take the longest match. What the schema leaves open follows ONNX Runtime: each separator cuts what those
// before it left; one that matches nothing takes a character away; given both, separators are used and tokenexp is not.
#include <re2/re2.h>

#include "onward/base/unicode.h"
#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

using Pieces = std::vector<std::string_view>;

size_t after_character(std::string_view s, size_t at) {
  next_code_point(s, at);
  return at;
}
int64_t characters(std::string_view s) {
  int64_t n = 0;
  for (size_t at = 0; at < s.size(); at = after_character(s, at)) ++n;
  return n;
}

// f(begin, end) for every match; one of nothing ends behind the character at which it stands.
template <class F> void each_match(const RE2& expression, std::string_view s, F&& f) {
  re2::StringPiece match;
  for (size_t at = 0; at < s.size();) {
    if (!expression.Match(re2::StringPiece(s.data(), s.size()), at, s.size(), RE2::UNANCHORED, &match, 1)) return;
    const auto begin = size_t(match.data() - s.data());
    if (begin >= s.size()) return;
    const size_t end = match.empty() ? after_character(s, begin) : begin + match.size();
    f(begin, end, match.empty());
    at = end;
  }
}

struct Tokenizer : contrib::Tokenizer {
  std::vector<std::shared_ptr<const RE2>> cuts;
  std::shared_ptr<const RE2> wanted;                      // neither: single characters

  void prepare(const Preparation&) {
    if (mincharnum < 1) fail(Code::bad_model, "mincharnum is ", mincharnum, ", expected 1 or more");
    if (separators.empty() && (!tokenexp || tokenexp->empty())) fail(Code::bad_model, "expected separators or a tokenexp");
    const bool single = separators.empty() ? *tokenexp == "." : separators.size() == 1 && separators[0].empty();
    if (single && mincharnum > 1) fail(Code::bad_model, "mincharnum is ", mincharnum, ", single characters are never as long");
    if (single) return;
    for (const std::string& s : separators) cuts.push_back(compiled(s));
    if (cuts.empty()) wanted = compiled(*tokenexp);
  }

  void infer(Inference& io) const {
    if (const size_t rank = io.dims(0).size(); rank != 1 && rank != 2) invalid("expected strings of shape [C] or [N, C], found ", shown(io.dims(0)));
  }

  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    if (x.type() != DataType::str) invalid("expected strings, found ", name_of(x.type()));
    std::vector<Pieces> rows;
    size_t most = 0;
    for (const std::string& s : x.values<std::string>()) {
      if (!is_utf8(s)) invalid("a string is not UTF-8: '", s, "'");
      rows.push_back(pieces(s));
      most = std::max(most, rows.back().size());
      call.context.check();
    }
    Dims dims = x.dims();
    if (x.size() == 0) return void(call.allocate(0, DataType::str, dims.size() == 1 ? Dims{0} : Dims{dims[0], 0}));
    const size_t width = most && mark ? most + 2 : most;  // where nothing is left there are no marks either
    dims.push_back(int64_t(width));
    std::string* y = call.allocate(0, DataType::str, dims).data<std::string>();
    for (size_t i = 0; width && i < rows.size(); ++i, y += width) {
      std::string* to = y;
      if (mark) *to++ = std::string(1, '\x02');
      for (const std::string_view piece : rows[i]) *to++ = piece;
      if (mark) *to++ = std::string(1, '\x03');
      std::fill(to, y + width, pad_value);
    }
  }

 private:
  static std::shared_ptr<const RE2> compiled(const std::string& pattern) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_longest_match(true);
    options.set_max_mem(64 << 20);
    auto out = std::make_shared<const RE2>(pattern, options);
    if (!out->ok()) fail(Code::bad_model, "pattern '", pattern, "': ", out->error());
    return out;
  }
  void keep(Pieces& out, std::string_view piece) const {
    if (!piece.empty() && characters(piece) >= mincharnum) out.push_back(piece);
  }
  Pieces pieces(std::string_view s) const {
    Pieces out;
    if (wanted) {
      each_match(*wanted, s, [&](size_t begin, size_t end, bool empty) { if (!empty) keep(out, s.substr(begin, end - begin)); });
    } else if (cuts.empty()) {
      for (size_t at = 0, next; at < s.size(); at = next) next = after_character(s, at), out.push_back(s.substr(at, next - at));
    } else {
      out.push_back(s);
      for (const auto& cut : cuts) out = between(*cut, out);
    }
    return out;
  }
  Pieces between(const RE2& separator, const Pieces& from) const {
    Pieces out;
    for (const std::string_view s : from) {
      size_t start = 0;
      each_match(separator, s, [&](size_t begin, size_t end, bool) { keep(out, s.substr(start, begin - start)), start = end; });
      keep(out, s.substr(start));
    }
    return out;
  }
};

}  // namespace

Operators contrib_tokenizer() {
  return {define<Tokenizer>({.examples = {
      "string [\"a b\", \"c\"]; mark=1, mincharnum=1, pad_value=\"#\", separators=[\" \"] -> string [[\"\x02\", \"a\", \"b\", \"\x03\"], [\"\x02\", \"c\", \"\x03\", \"#\"]]",
      "string [[\"one, two;3\"]]; mark=0, mincharnum=2, pad_value=\"\", separators=[\",\", \"[; ]\"] -> string [[[\"one\", \"two\"]]]",
      "string [\"ab abc\"]; mark=0, mincharnum=1, pad_value=\"\", tokenexp=\"a|ab\" -> string [[\"ab\", \"ab\"]]",
      "string [\"\u00e9\u4e2d\", \"x\"]; mark=0, mincharnum=1, pad_value=\"\", separators=[\"\"] -> string [[\"\u00e9\", \"\u4e2d\"], [\"x\", \"\"]]"}})};
}

}  // namespace onward::ops
