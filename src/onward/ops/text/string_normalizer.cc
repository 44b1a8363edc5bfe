// StringNormalizer: stop words taken out, case changed by Unicode's own tables, whatever the locale of the machine.
#include <utf8proc.h>

#include <set>

#include "onward/base/unicode.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

std::string mapped(std::string_view s, int32_t (*change)(int32_t)) {
  std::string out;
  for (size_t at = 0; at < s.size();) {
    const size_t from = at;
    const uint32_t c = next_code_point(s, at);
    if (c == 0xFFFD && at == from + 1) out += s[from];    // a damaged byte stays as it is
    else if (c == 0xDF && change == utf8proc_toupper) out += "SS";
    else append_utf8(out, uint32_t(change(int32_t(c))));
  }
  return out;
}

struct StringNormalizer : standard::StringNormalizer {
  std::set<std::string, std::less<>> stop;

  void prepare(const Preparation&) {
    if (case_change_action != "NONE" && case_change_action != "LOWER" && case_change_action != "UPPER") fail(Code::bad_model, "case_change_action is '", case_change_action, "', expected NONE, LOWER or UPPER");
    for (const std::string& word : stopwords) stop.insert(is_case_sensitive ? word : mapped(word, utf8proc_tolower));
  }

  void infer(Inference& io) const {
    if (!io.symbols) return;            // the kernel allocates
    const size_t rank = io.dims(0).size();
    if (rank == 1 || rank == 2) io.output(0, DataType::str, rank == 2 ? Dims{1, io.unknown()} : Dims{io.unknown()});
  }

  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    const bool row = x.rank() == 2 && x.dims()[0] == 1;
    if (x.type() != DataType::str || (x.rank() != 1 && !row)) invalid("expected strings of shape [C] or [1, C], found ", shown(x));
    std::vector<std::string> kept;
    for (const std::string& s : x.values<std::string>()) {
      if (stop.contains(is_case_sensitive ? s : mapped(s, utf8proc_tolower))) continue;
      kept.push_back(case_change_action == "NONE" ? s : mapped(s, case_change_action == "LOWER" ? utf8proc_tolower : utf8proc_toupper));
    }
    if (kept.empty()) kept.emplace_back();                // the standard wants one empty string
    const Tensor& y = call.allocate(0, DataType::str, row ? Dims{1, int64_t(kept.size())} : Dims{int64_t(kept.size())});
    std::move(kept.begin(), kept.end(), y.data<std::string>());
  }
};

}  // namespace

Operators text_string_normalizer() {
  return {define<StringNormalizer>({.examples = {"string [\"\u00c4rger\", \"the\", \"x\"]; case_change_action=\"UPPER\", stopwords=[\"The\"] -> string [\"\u00c4RGER\", \"X\"]", "string [\"a\"]; stopwords=[\"a\"], is_case_sensitive=1 -> string [\"\"]"}})};
}

}  // namespace onward::ops
