#include "onward/optimizer/pattern.h"

#include <cctype>

#include "onward/model/text.h"

namespace onward {
namespace {

class TermParser {
 public:
  explicit TermParser(std::string_view text) : text_(text) {}
  Term whole() {
    Term t = term();
    skip();
    ONWARD_CHECK(at_ == text_.size());
    return t;
  }

 private:
  void skip() { while (at_ < text_.size() && text_[at_] == ' ') ++at_; }
  bool accept(char c) { return skip(), at_ < text_.size() && text_[at_] == c && (++at_, true); }
  std::string_view word() {
    skip();
    const size_t from = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_' || text_[at_] == '.' || text_[at_] == '-')) ++at_;
    ONWARD_CHECK(at_ > from);
    return text_.substr(from, at_ - from);
  }
  Term term() {
    const std::string_view w = word();
    if (std::islower(static_cast<unsigned char>(w[0]))) return {Term::Kind::any, std::string(w), 0, {}, {}};
    if (!std::isupper(static_cast<unsigned char>(w[0]))) return {Term::Kind::number, {}, std::stod(std::string(w)), {}, {}};
    Term t{Term::Kind::node, std::string(w), 0, {}, {}};
    ONWARD_CHECK(accept('('));
    do t.inputs.push_back(term()); while (accept(','));
    if (accept(';')) do attribute(t); while (accept(','));
    ONWARD_CHECK(accept(')'));
    return t;
  }
  void attribute(Term& t) {
    const std::string name(word());
    ONWARD_CHECK(accept('='));
    skip();
    const size_t from = at_;
    int depth = 0;
    for (; at_ < text_.size() && (depth > 0 || (text_[at_] != ',' && text_[at_] != ')')); ++at_) depth += text_[at_] == '[' ? 1 : text_[at_] == ']' ? -1 : 0;
    t.attributes[name] = parse_attribute(text_.substr(from, at_ - from));
  }
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Term parse_pattern(std::string_view text) { return TermParser(text).whole(); }

}  // namespace onward
