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
    std::vector<std::vector<std::string_view>> pieces;
    size_t most = 0;
    for (const std::string& s : x.values<std::string>()) pieces.push_back(split(s)), most = std::max(most, pieces.back().size());
    Dims dims = x.dims();
    dims.push_back(int64_t(most));
    const Tensor& y = call.allocate(0, DataType::str, dims);
    for (size_t i = 0; i < pieces.size(); ++i) std::copy(pieces[i].begin(), pieces[i].end(), y.data<std::string>() + i * most);
    if (!call.wants(1)) return;
    const Tensor& counts = call.allocate(1, DataType::i64, x.dims());
    for (size_t i = 0; i < pieces.size(); ++i) counts.data<int64_t>()[i] = int64_t(pieces[i].size());
  }

 private:
  std::vector<std::string_view> split(std::string_view s) const {
    const size_t limit = maxsplit ? size_t(*maxsplit) : SIZE_MAX;
    std::vector<std::string_view> out;
    if (!delimiter || delimiter->empty()) return words(s, limit);
    if (s.empty()) return out;
    for (size_t at; out.size() < limit && (at = s.find(*delimiter)) != s.npos; s.remove_prefix(at + delimiter->size())) out.push_back(s.substr(0, at));
    out.push_back(s);
    return out;
  }
  static std::vector<std::string_view> words(std::string_view s, size_t limit) {
    std::vector<std::string_view> out;
    size_t at = 0;
    const auto skip = [&](bool spaces) {
      while (at < s.size()) {
        size_t next = at;
        if (is_space(next_code_point(s, next)) != spaces) return;
        at = next;
      }
    };
    for (skip(true); at < s.size(); skip(true)) {
      const size_t from = at;
      if (out.size() == limit) {                          // the rest, without the white space at its end
        size_t end = s.size();
        while (end > from && is_space(static_cast<unsigned char>(s[end - 1]))) --end;
        out.push_back(s.substr(from, end - from));
        return out;
      }
      skip(false);
      out.push_back(s.substr(from, at - from));
    }
    return out;
  }
};

}  // namespace

Operators text_string_split() {
  return {define<StringSplit>({.examples = {"string [\"a,b,,c\", \"\"]; delimiter=\",\" -> string [[\"a\", \"b\", \"\", \"c\"], [\"\", \"\", \"\", \"\"]], int64 [4, 0]", "string [\" a  b c \"]; maxsplit=1 -> string [[\"a\", \"b c\"]], int64 [2]"}})};
}

}  // namespace onward::ops
