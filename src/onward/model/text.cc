#include "onward/model/text.h"
#include <charconv>

namespace onward {
namespace {

constexpr int most_nested = 64;

class Parser {
 public:
  explicit Parser(std::string_view text, const AttributeLookup* enclosing = nullptr) : text_(text), enclosing_(enclosing) {}

  bool at_end() { return skip(), pos_ == text_.size(); }
  void expect_end() { if (!at_end()) fail("the end"); }

  void node(Graph& graph) {
    Node node;
    do node.outputs.push_back(word("a value's name")); while (accept(','));
    expect('=');
    call(graph, node);
    graph.nodes.push_back(std::move(node));
  }

  // "float [[1, 2], [3, 4]]": nested lists give the shape.
  Tensor tensor() {
    const size_t start = pos_;
    const std::string name = word("an element type");
    const auto type = std::find(std::begin(type_names) + 1, std::end(type_names), name);
    if (type == std::end(type_names)) pos_ = start, fail("an element type");
    Dims dims;
    std::vector<std::string> items;
    list(dims, 0, items);
    Tensor out(DataType(type - std::begin(type_names)), dims);
    for_type<every_type>(out.type(), [&]<class T>() {
      for (size_t i = 0; i < items.size(); ++i) out.data<T>()[i] = scalar<T>(items[i]);   // `list` saw to it that they are as many
    });
    return out;
  }

  Attribute value() {
    if (peek('@')) fail("a plain value");
    if (peek('"')) return quoted();
    if (peek('[')) return list_value();
    const bool letter = pos_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[pos_]));
    if (letter && !text_.substr(pos_).starts_with("inf") && !text_.substr(pos_).starts_with("nan")) return tensor();
    return number(token());
  }

 private:
  std::string_view text_;
  const AttributeLookup* enclosing_;
  int depth_ = 0;
  size_t pos_ = 0;

  [[noreturn]] void fail(const std::string& expected) {
    invalid("expected ", expected, pos_ < text_.size() ? " at '" + std::string(text_.substr(pos_, 30)) + "'" : std::string(" at the end"));
  }
  void skip() { while (pos_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[pos_]))) ++pos_; }
  bool peek(char c) { return skip(), pos_ < text_.size() && text_[pos_] == c; }
  bool accept(char c) { return peek(c) && (++pos_, true); }
  void expect(char c) { if (!accept(c)) fail(std::string("'") + c + "'"); }
  std::string_view run(auto&& belongs) {
    skip();
    const size_t start = pos_;
    while (pos_ < text_.size() && belongs(text_[pos_])) ++pos_;
    return text_.substr(start, pos_ - start);
  }
  std::string word(const char* what) {
    const std::string_view s = run([](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; });
    if (s.empty()) fail(what);
    return std::string(s);
  }
  std::string token() {
    const std::string_view s = run([](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '+'; });
    if (s.empty()) fail("a value");
    return std::string(s);
  }
  // \" \\ \n \t \r stand for themselves, the line's end, a tab, a return.
  std::string quoted() {
    const size_t start = (skip(), pos_);
    expect('"');
    std::string s;
    for (; pos_ < text_.size() && text_[pos_] != '"'; ++pos_) {
      if (text_[pos_] != '\\') { s += text_[pos_]; continue; }
      constexpr std::string_view escapes = "\"\\ntr", meanings = "\"\\\n\t\r";
      const size_t which = ++pos_ < text_.size() ? escapes.find(text_[pos_]) : escapes.npos;
      if (which == escapes.npos) fail("one of \" \\ n t r behind a backslash");
      s += meanings[which];
    }
    if (pos_ == text_.size()) pos_ = start, fail("the closing \" of the text");
    ++pos_;
    return s;
  }

  void call(Graph& graph, Node& node) {
    if (++depth_ > most_nested) fail("a formula that is nested less deeply");
    node.op = word("an operator");
    while (accept('.')) {
      if (!node.domain.empty()) node.domain += '.';
      node.domain += std::exchange(node.op, word("an operator"));
    }
    expect('(');
    while (!peek(')') && !peek(';')) {
      node.inputs.push_back(input(graph));
      if (!accept(',')) break;
    }
    if (accept(';')) do attribute(node); while (accept(','));
    expect(')');
    --depth_;
  }

  std::string nested(Graph& graph) {
    Node node;
    call(graph, node);
    node.outputs = {"formula " + std::to_string(graph.nodes.size())};
    graph.nodes.push_back(node);
    return node.outputs[0];
  }

  std::string input(Graph& graph) {
    if (peek(',') || peek(')')) return "";
    const size_t start = pos_;
    std::string name = word("an input");
    if (peek('(') || peek('.')) return pos_ = start, nested(graph);
    if (!peek('[') && !peek('"') && !(pos_ < text_.size() && (std::isdigit(static_cast<unsigned char>(text_[pos_])) || text_[pos_] == '-'))) return name;
    pos_ = start;
    name = "literal " + std::to_string(graph.initializers.size());
    graph.initializers[name] = tensor();
    return name;
  }

  void attribute(Node& node) {
    const std::string name = word("an attribute's name");
    expect('=');
    if (!accept('@')) { node.attributes[name] = value(); return; }
    const std::string of = word("an attribute's name");
    if (const Attribute* given = enclosing_ && *enclosing_ ? (*enclosing_)(of) : nullptr) node.attributes[name] = *given;
  }

  // Lists of equal lengths on every level; `dims` says -1 for a level whose length is not known yet.
  void list(Dims& dims, size_t depth, std::vector<std::string>& items) {
    constexpr size_t deepest = 16;
    const bool leaf = !peek('[');
    if (leaf ? dims.size() != depth : dims.size() == depth && !items.empty()) fail("lists of equal depth");
    if (leaf) { items.push_back(peek('"') ? quoted() : token()); return; }
    if (depth == deepest) fail("at most 16 levels of lists");
    expect('[');
    if (dims.size() == depth) dims.push_back(-1);
    int64_t n = 0;
    if (!peek(']')) do list(dims, depth + 1, items), ++n; while (accept(','));
    if (dims[depth] >= 0 && dims[depth] != n) fail("lists of equal length");
    dims[depth] = n;
    expect(']');
  }

  // The whole of `s` as a number; `what` says which kind.
  template <class T> static T parsed(std::string_view s, const char* what) {
    T v{};
    std::string_view digits = s.starts_with('+') ? s.substr(1) : s;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), v);
    if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) invalid("expected ", what, ", found '", s, "'");
    return v;
  }

  static Attribute number(const std::string& s) {
    if (s.find_first_of(".einf") == s.npos) return parsed<int64_t>(s, "a number");
    return parsed<float>(s, "a number");
  }

  Attribute list_value() {
    Dims dims;
    std::vector<std::string> items;
    const size_t start = pos_;
    list(dims, 0, items);
    if (dims.size() != 1) pos_ = start, fail("a flat list");
    if (const size_t first = text_.find_first_not_of("[ \t\r\n", start); first < text_.size() && text_[first] == '"') return items;
    std::vector<float> floats;
    std::vector<int64_t> ints;
    bool whole = true;
    for (const auto& item : items) {
      const Attribute a = number(item);
      whole = whole && a.index() == 0;
      ints.push_back(a.index() == 0 ? std::get<int64_t>(a) : 0);
      floats.push_back(parsed<float>(item, "a number"));
    }
    if (whole) return ints;
    return floats;
  }

  template <class T> static T scalar(const std::string& s) {
    if constexpr (std::is_same_v<T, std::string>) return s;
    else if constexpr (std::is_same_v<T, bool>) {
      if (s != "true" && s != "1" && s != "false" && s != "0") invalid("expected true or false, found '", s, "'");
      return s == "true" || s == "1";
    }
    else if constexpr (std::is_integral_v<T>) return parsed<T>(s, "an integer of the element type");
    else if constexpr (contains(small_ints, type_of<T>)) {
      const auto v = parsed<int64_t>(s, "an integer");
      if (int64_t(T(v)) != v) invalid("expected an integer of the element type, found '", s, "'");
      return T(v);
    }
    else if constexpr (contains(small_floats, type_of<T>)) return T(parsed<float>(s, "a number"));
    else if constexpr (contains(complex_types, type_of<T>)) return T(parsed<typename T::value_type>(s, "a number"));
    else return parsed<T>(s, "a number");
  }
};

}  // namespace

Graph parse_nodes(std::string_view text, const AttributeLookup& enclosing) {
  Graph graph;
  for (Parser parser(text, &enclosing); !parser.at_end();) parser.node(graph);
  return graph;
}

Tensor parse_tensor(std::string_view text) {
  Parser parser(text);
  Tensor out = parser.tensor();
  parser.expect_end();
  return out;
}

Attribute parse_attribute(std::string_view text) {
  std::string s(text);
  if (s.ends_with("f") && !s.ends_with("inf")) s.pop_back();
  if (s.starts_with('{') && s.ends_with('}')) s.front() = '[', s.back() = ']';
  Parser parser(s);
  Attribute out = parser.value();
  parser.expect_end();
  return out;
}

}  // namespace onward
