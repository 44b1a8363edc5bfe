// StringSplit: strings into the pieces between delimiters; without a delimiter, between runs of white space.
#include "onward/base/unicode.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

bool is_space(uint32_t c) {
  return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

struct StringSplit : standard::StringSplit {
  void prepare(const Preparation&) const {
    if (maxsplit && *maxsplit < 0) fail(Code::bad_model, "maxsplit is ", *maxsplit);
  }

  void infer(Inference& io) const {
    if (!io.symbols) return;            // the kernel allocates
    Dims pieces = io.dims(0);
    io.output(1, DataType::i64, pieces);
    pieces.push_back(io.unknown());
    io.output(0, DataType::str, pieces);
  }

  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    if (x.type() != DataType::str) invalid("expected strings, found ", name_of(x.type()));
    std::vector<std::string_view> pieces;                 // of all strings, one after the other
    std::vector<size_t> ends;
    ends.reserve(size_t(x.size())), pieces.reserve(2 * size_t(x.size()));
    size_t most = 0;
    for (const std::string& s : x.values<std::string>()) {
      const size_t before = pieces.size();
      split(s, pieces);
      most = std::max(most, pieces.size() - before), ends.push_back(pieces.size());
    }
    Dims dims = x.dims();
    dims.push_back(int64_t(most));
    const Tensor& y = call.allocate(0, DataType::str, dims);
    auto* to = y.data<std::string>();
    int64_t* counts = call.wants(1) ? call.allocate(1, DataType::i64, x.dims()).data<int64_t>() : nullptr;
    for (size_t i = 0, from = 0; i < ends.size(); from = ends[i++], to += most) {
      std::copy(pieces.begin() + long(from), pieces.begin() + long(ends[i]), to);
      if (counts) counts[i] = int64_t(ends[i] - from);
    }
  }

 private:
  // Appends the pieces of s.
  void split(std::string_view s, std::vector<std::string_view>& out) const {
    const size_t limit = maxsplit ? size_t(*maxsplit) : SIZE_MAX, step = delimiter ? delimiter->size() : 0;
    if (step == 0) return words(s, limit, out);
    if (s.empty()) return;
    size_t from = 0, splits = 0;
    for (size_t at; splits < limit && (at = step == 1 ? s.find(delimiter->front(), from) : s.find(*delimiter, from)) != s.npos; ++splits, from = at + step) out.push_back(s.substr(from, at - from));
    out.push_back(s.substr(from));
  }
  static void words(std::string_view s, size_t limit, std::vector<std::string_view>& out) {
    size_t at = 0, splits = 0;
    const auto skip = [&](bool spaces) {
      while (at < s.size()) {
        size_t next = at;
        if (is_space(next_code_point(s, next)) != spaces) return;
        at = next;
      }
    };
    for (skip(true); at < s.size(); skip(true), ++splits) {
      const size_t from = at;
      if (splits == limit) {                              // the rest, without the white space at its end
        size_t end = s.size();
        while (end > from && is_space(static_cast<unsigned char>(s[end - 1]))) --end;
        return out.push_back(s.substr(from, end - from));
      }
      skip(false);
      out.push_back(s.substr(from, at - from));
    }
  }
};

}  // namespace

Operators text_string_split() {
  return {define<StringSplit>({.examples = {"string [\"a,b,,c\", \"\"]; delimiter=\",\" -> string [[\"a\", \"b\", \"\", \"c\"], [\"\", \"\", \"\", \"\"]], int64 [4, 0]", "string [\" a  b c \"]; maxsplit=1 -> string [[\"a\", \"b c\"]], int64 [2]"}})};
}

}  // namespace onward::ops
