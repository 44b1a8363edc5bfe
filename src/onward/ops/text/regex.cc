// RegexFullMatch: whether each string as a whole matches a pattern, in RE2's syntax (the standard names it). RE2 runs in time linear in
// the text whatever the pattern.
#include <re2/re2.h>

#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct RegexFullMatch : standard::RegexFullMatch {
  std::shared_ptr<const RE2> compiled;

  void prepare(const Preparation&) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(64 << 20);
    compiled = std::make_shared<const RE2>(pattern.value_or(""), options);
    if (!compiled->ok()) fail(Code::bad_model, "pattern '", pattern.value_or(""), "': ", compiled->error());
  }
  void infer(Inference& io) const { io.output(0, DataType::b8, io.dims(0)); }
  void run(In<std::string> x, Out<bool> y) const {
    for (int64_t i = 0; i < x.size; ++i) y[i] = RE2::FullMatch(x[i], *compiled);
  }
};

}  // namespace

Operators text_regex() { return {define<RegexFullMatch>({.examples = {"string [\"www.a.com\", \"a\"]; pattern=\"www[.].*\" -> bool [true, false]"}})}; }

}  // namespace onward::ops
