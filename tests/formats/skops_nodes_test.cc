// skops files by hand: what each kind of node means, and what hostile schemas get.
#include <gtest/gtest.h>

#include "onward/base/file.h"
#include "onward/formats/open.h"
#include "shown.h"
#include "zip_archive.h"

namespace onward::formats {
namespace {

using namespace std::string_literals;

std::string npy(const std::string& header, const std::string& bytes) {
  std::string out = "\x93NUMPY\1\0"s;
  out += static_cast<char>(header.size() & 255);
  out += static_cast<char>(header.size() >> 8);
  return out + header + bytes;
}

// The given node inside a whole schema, with the members beside it.
std::string skops(std::string node, std::initializer_list<std::pair<std::string_view, std::string>> members = {}) {
  ZipArchive archive;
  archive.add("schema.json", node.insert(1, R"("protocol":2,)"));
  for (const auto& [name, content] : members) archive.add(name, content);
  return archive.bytes();
}

std::string value_of(const std::string& bytes) { return shown(open_bytes(bytes, nullptr).root); }
Error error_of(const std::string& bytes) {
  try {
    open_bytes(bytes, nullptr);
  } catch (const Error& e) {
    return e;
  }
  return Error(Code::internal, "no error");
}

const std::string head = R"("__module__":"m","__class__":"C","__loader__":)";

TEST(SkopsNodes, nodes_give_their_values) {
  const std::string one = "{" + head + R"("JsonNode","content":"1"})";
  EXPECT_EQ(value_of(skops(one)), "1");
  EXPECT_EQ(value_of(skops("{" + head + R"("JsonNode","content":"NaN"})")), "nanr");
  EXPECT_EQ(value_of(skops("{" + head + R"("JsonNode","content":"18446744073709551616"})")), "'18446744073709551616'");
  EXPECT_EQ(value_of(skops("{" + head + R"("TypeNode"})")), "m.C");
  EXPECT_EQ(value_of(skops("{" + head + R"("FunctionNode","content":{"module_path":"m","function":"f"}})")), "m.f");
  EXPECT_EQ(value_of(skops("{" + head + R"("TupleNode","content":[]})")), "m.C(a tuple []) None") << "a named tuple";
  EXPECT_EQ(value_of(skops("{" + head + R"("SetNode","content":[)" + one + "]}")), "a set [1, ]");
  EXPECT_EQ(value_of(skops("{" + head + R"("MethodNode","content":{"func":"f","obj":)" + one + "}}")),
            "builtins.getattr(a tuple [1, 'f', ]) None");
  const std::string empty = R"({"__module__":"m","__class__":"tuple","__loader__":"TupleNode","content":[]})";
  EXPECT_EQ(value_of(skops("{" + head + R"("OperatorFuncNode","attrs":)" + empty + "}")), "m.C(a tuple []) None");
  EXPECT_EQ(value_of(skops("{" + head + R"("BytesNode","file":"a.bin"})", {{"a.bin", "x\0y"s}})), "b'x\0y'"s);
  const std::string twice = "{" + head + R"("JsonNode","content":"7","__id__":5},{"__loader__":"CachedNode","__id__":5})";
  EXPECT_EQ(value_of(skops("{" + head + R"("ListNode","content":[)" + twice + "]}")), "a list [7, 7, ]");
}

TEST(SkopsNodes, sparse_matrices_have_the_fields_of_their_pickle) {
  ZipArchive parts;
  parts.add("data.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", "\7"));
  parts.add("indices.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", "\1"));
  parts.add("shape.npy", npy("{'descr': '<i2', 'fortran_order': False, 'shape': (2,)}", "\3\0\4\0"s));
  const std::string bytes = skops("{" + head + R"("SparseMatrixNode","type":"scipy","file":"a.npz"})", {{"a.npz", parts.bytes()}});
  const plain::Document d = open_bytes(bytes, nullptr);
  EXPECT_EQ(d.root.find("data")->array->bytes, "\7");
  EXPECT_EQ(d.root.find("indices")->array->bytes, "\1");
  EXPECT_EQ(shown(*d.root.find("_shape")), "a tuple [3, 4, ]");
}

TEST(SkopsNodes, keys_get_their_types_back) {
  const auto dict = [](const std::string& key, const std::string& type) {
    return skops(R"({"__module__":"builtins","__class__":"dict","__loader__":"DictNode","content":{")" + key + R"(":{)" + head +
                 R"("JsonNode","content":"null"}},"key_types":{"content":[{"__class__":")" + type + R"("}]}})");
  };
  EXPECT_EQ(value_of(dict("3", "int64")), "{3: None\n}");
  EXPECT_EQ(value_of(dict("1.5", "float")), "{1.5r: None\n}");
  EXPECT_EQ(value_of(dict("true", "bool")), "{True: None\n}");
  EXPECT_EQ(value_of(dict("null", "NoneType")), "{None: None\n}");
  EXPECT_EQ(value_of(dict("3", "str")), "{'3': None\n}");
}

TEST(SkopsNodes, errors_say_what_is_wrong) {
  EXPECT_EQ(error_of(ZipArchive().bytes()).message, "a zip archive of 0 files without schema.json; expected a skops file");
  EXPECT_EQ(error_of(skops("{" + head + R"("EvilNode"})")).message, "skops nodes of kind 'EvilNode'");
  EXPECT_EQ(error_of(skops("{" + head + R"("NdArrayNode","type":"numpy","file":"a.npy"})")).message, "the zip archive has no 'a.npy'");
  EXPECT_EQ(error_of(skops(R"({"__loader__":"CachedNode","__id__":5})")).message,
            "a skops node stands for one that was not there before it");
  EXPECT_EQ(error_of(skops("{" + head + R"("JsonNode"})")).message, "a skops node lacks 'content'");
  EXPECT_EQ(error_of(skops("{")).code, Code::bad_file);
  ZipArchive newer;
  newer.add("schema.json", R"({"protocol":9})");
  EXPECT_EQ(error_of(newer.bytes()).message, "skops protocol 9; known are 0 to 2");
}

TEST(SkopsNodes, nesting_is_bounded) {
  std::string nodes;
  for (int i = 0; i < 180; ++i) nodes += "{" + head + R"("ListNode","content":[)";
  EXPECT_EQ(error_of(skops(nodes)).code, Code::bad_file) << "cut short";
  EXPECT_EQ(error_of(skops(nodes + nodes)).code, Code::limit_size);
  EXPECT_EQ(error_of(skops("{" + std::string(100'000, '['))).code, Code::bad_file);
  EXPECT_EQ(error_of(skops(R"({"a":)" + std::string(100'000, '['))).code, Code::limit_size);
}

TEST(SkopsNodes, damage_is_an_error_never_a_crash) {
  const MappedFile file = map_file(ONWARD_TEST_DATA "/sklearn/1.9.1/k_neighbors_classifier.skops");
  for (size_t at = 0; at < file.bytes.size(); at += 13) {
    std::string bytes(file.bytes);
    bytes[at] = static_cast<char>(~bytes[at]);
    try {
      open_bytes(bytes, nullptr);
    } catch (const Error& e) {
      EXPECT_NE(e.code, Code::internal);
    }
  }
}

}  // namespace
}  // namespace onward::formats
