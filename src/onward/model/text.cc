#include "onward/model/text.h"
#include <charconv>

namespace onward {
namespace {

class Parser {
 public:
  Parser(std::string_view text, const AttributeLookup& enclosing) : text_(text), enclosing_(enclosing) {}

  bool at_end() { return skip(), pos_ == text_.size(); }

  void node(Graph& graph) {
    Node node;
    do node.outputs.push_back(word()); while (accept(','));
    expect('=');
    node.op = word();
    while (accept('.')) {
      if (!node.domain.empty()) node.domain += '.';
      node.domain += std::exchange(node.op, word());
    }
    expect('(');
    while (!peek(')') && !peek(';')) {
      node.inputs.push_back(input(graph));
      if (!accept(',')) break;
    }
    if (accept(';')) do attribute(node); while (accept(','));
    expect(')');
    graph.nodes.push_back(std::move(node));
  }

  // "float [[1, 2], [3, 4]]": nested lists give the shape.
  Tensor tensor() {
    const std::string name = word();
    const auto type = std::find(std::begin(type_names), std::end(type_names), name);
    if (type == std::end(type_names)) fail("an element type");
    Dims dims;
    std::vector<std::string> items;
    list(dims, 0, items);
    Tensor out(DataType(type - std::begin(type_names)), dims);
    for_type<every_type>(out.type(), [&]<class T>() {
      for (size_t i = 0; i < items.size(); ++i) out.data<T>()[i] = scalar<T>(items[i]);
    });
    return out;
  }

  Attribute value() {
    skip();
    if (accept('@')) fail("a plain value");
    if (peek('"')) return quoted();
    if (peek('[')) return list_value();
    if (std::isalpha(text_[pos_]) && !text_.substr(pos_).starts_with("inf") && !text_.substr(pos_).starts_with("nan")) return tensor();
    return number(token());
  }

 private:
  std::string_view text_;
  const AttributeLookup& enclosing_;
  size_t pos_ = 0;

  [[noreturn]] void fail(const std::string& expected) {
    invalid("expected " + expected + " at '" + std::string(text_.substr(pos_, 30)) + "'");
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
  std::string word() { return std::string(run([](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; })); }
  std::string token() { return std::string(run([](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '+'; })); }
  std::string quoted() {
    expect('"');
    const size_t end = text_.find('"', pos_);
    std::string s(text_.substr(pos_, end - pos_));
    pos_ = end + 1;
    return s;
  }

  std::string input(Graph& graph) {
    if (peek(',') || peek(')')) return "";
    const size_t start = pos_;
    std::string name = word();
    if (!peek('[') && !peek('"') && !(pos_ < text_.size() && (std::isdigit(text_[pos_]) || text_[pos_] == '-'))) return name;
    pos_ = start;
    name = "literal " + std::to_string(graph.initializers.size());
    graph.initializers[name] = tensor();
    return name;
  }

  void attribute(Node& node) {
    const std::string name = word();
    expect('=');
    if (!accept('@')) { node.attributes[name] = value(); return; }
    if (const Attribute* given = enclosing_ ? enclosing_(word()) : nullptr) node.attributes[name] = *given;
  }

  void list(Dims& dims, size_t depth, std::vector<std::string>& items) {
    if (!accept('[')) { items.push_back(peek('"') ? quoted() : token()); return; }
    if (dims.size() == depth) dims.push_back(0);
    int64_t n = 0;
    if (!peek(']')) do list(dims, depth + 1, items), ++n; while (accept(','));
    expect(']');
    dims[depth] = n;
  }

  static Attribute number(const std::string& s) {
    if (s.find_first_of(".einf") == s.npos) return int64_t(std::stoll(s));
    return std::stof(s);
  }

  Attribute list_value() {
    Dims dims;
    std::vector<std::string> items;
    const size_t start = pos_;
    const bool strings = text_.substr(start, 2) == "[\"";
    list(dims, 0, items);
    if (strings) return items;
    std::vector<float> floats;
    std::vector<int64_t> ints;
    bool whole = true;
    for (const auto& item : items) {
      const Attribute a = number(item);
      whole = whole && a.index() == 0;
      ints.push_back(a.index() == 0 ? std::get<int64_t>(a) : 0);
      floats.push_back(std::stof(item));
    }
    if (whole) return ints;
    return floats;
  }

  template <class T> static T scalar(const std::string& s) {
    if constexpr (std::is_same_v<T, std::string>) return s;
    else if constexpr (std::is_same_v<T, bool>) return s == "true" || s == "1";
    else if constexpr (std::is_integral_v<T>) return T(s[0] == '-' ? std::stoll(s) : int64_t(std::stoull(s)));
    else if constexpr (contains(small_ints, type_of<T>)) return T(int64_t(std::stoll(s)));
    else if constexpr (contains(small_floats, type_of<T>)) return T(std::stof(s));
    else return T(std::stod(s));
  }
};

}  // namespace

Graph parse_nodes(std::string_view text, const AttributeLookup& enclosing) {
  Graph graph;
  for (Parser parser(text, enclosing); !parser.at_end();) parser.node(graph);
  return graph;
}

Tensor parse_tensor(std::string_view text) { return Parser(text, {}).tensor(); }
Attribute parse_attribute(std::string_view text) {
  std::string s(text);
  if (s.ends_with("f") && !s.ends_with("inf")) s.pop_back();
  if (s.starts_with('{')) s.front() = '[', s.back() = ']';
  return Parser(s, {}).value();
}

}  // namespace onward
