// Models and values through the ONNX format and back.
#include "onward/model/onnx_file.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <functional>

#include "expect_error.h"
#include "onward/model/check.h"
#include "onward/model/wire.h"
#include "sample_models.h"

namespace onward {
namespace {

bool same(const Tensor& a, const Tensor& b) {
  if (a.type() != b.type() || a.dims() != b.dims()) return false;
  if (a.type() != DataType::str) return std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
  return std::equal(a.data<std::string>(), a.data<std::string>() + a.size(), b.data<std::string>());
}

const Attribute& attribute(const Model& m, const char* name) { return m.graph.nodes.at(3).attributes.at(name); }

}  // namespace

TEST(OnnxFile, EverythingSurvives) {
  const Model m = everything();
  check(m);
  const std::string bytes = write_model(m);
  const Model back = read_model(bytes);
  check(back);
  EXPECT_EQ(back.ir_version, 12);
  EXPECT_EQ(back.producer + back.producer_version + back.domain + back.doc, "p1.2ddoc");
  EXPECT_EQ(back.model_version, 7);
  EXPECT_EQ(back.opsets, m.opsets);
  EXPECT_EQ(back.metadata, m.metadata);
  const Graph& g = back.graph;
  EXPECT_EQ(g.name + g.doc, "mainof the graph");
  EXPECT_EQ(g.metadata, m.graph.metadata);
  EXPECT_EQ(shown(g.inputs.at(0).type), "float [batch, 3, ?]");
  EXPECT_EQ(g.inputs[0].doc, "an input");
  EXPECT_EQ(g.inputs[0].metadata.at("m"), "n");
  EXPECT_EQ(shown(g.outputs.at(0).type), "seq(map(string, float))");
  EXPECT_EQ(g.outputs[0].type.denotation, "DENOTED");
  EXPECT_EQ(shown(g.outputs.at(1).type), "optional(int64 [])");
  EXPECT_EQ(shown(g.values.at(0).type), "sparse bool [2]");
  for (const auto& [name, t] : m.graph.initializers) EXPECT_TRUE(same(g.initializers.at(name), t)) << name;
  EXPECT_EQ(g.nodes.at(2).overload + g.nodes[2].doc + g.nodes[2].name + g.nodes[2].metadata.at("at"), "v2callnamedline");
  EXPECT_EQ(std::get<GraphRef>(g.nodes[1].attributes.at("then_branch"))->nodes.at(0).op, "Relu");
  const Function& f = back.functions.at(0);
  EXPECT_EQ(f.domain + f.name + f.overload + f.doc, "ownFv2a function");
  EXPECT_EQ(f.attributes, std::vector<std::string>{"needed"});
  EXPECT_EQ(std::get<float>(f.defaults.at("alpha")), 0.5f);
  EXPECT_EQ(f.values.at(0).name, "y");
  EXPECT_EQ(f.metadata.at("f"), "g");
  EXPECT_EQ(f.opsets.at(""), 21);
  const auto& of = std::get<AttributeOfCaller>(f.nodes.at(0).attributes.at("alpha"));
  EXPECT_EQ(of.name, "alpha");
  EXPECT_EQ(of.kind, 1);
}

TEST(OnnxFile, EveryKindOfAttributeSurvives) {
  const Model m = everything();
  const std::string bytes = write_model(m);
  const Model back = read_model(bytes);
  for (const auto& [name, a] : m.graph.nodes[3].attributes) EXPECT_EQ(attribute(back, name.c_str()).index(), a.index()) << name;
  EXPECT_EQ(std::get<int64_t>(attribute(back, "i")), -5);
  EXPECT_TRUE(std::signbit(std::get<float>(attribute(back, "f"))));
  EXPECT_EQ(std::get<std::string>(attribute(back, "s")), std::string("\xff\0b", 3));
  EXPECT_TRUE(same(std::get<Tensor>(attribute(back, "t")), Tensor::scalar(2.5)));
  EXPECT_EQ(std::get<std::vector<int64_t>>(attribute(back, "ints")), (std::vector<int64_t>{1, -1, INT64_MIN}));
  EXPECT_EQ(std::get<std::vector<float>>(attribute(back, "floats")), (std::vector<float>{1, INFINITY}));
  EXPECT_EQ(std::get<std::vector<std::string>>(attribute(back, "strings")), (std::vector<std::string>{"", "b"}));
  EXPECT_EQ(std::get<std::vector<GraphRef>>(attribute(back, "graphs")).size(), 2u);
  const Tensor dense = std::get<SparseTensor>(attribute(back, "sparse")).dense();
  EXPECT_TRUE(same(dense, Tensor::of<float>({2, 2}, {1, 0, 0, 2})));
}

TEST(OnnxFile, WritingIsStable) {
  const std::string bytes = write_model(everything());
  EXPECT_EQ(bytes, write_model(everything()));
  EXPECT_EQ(write_model(read_model(bytes)), bytes);
}

TEST(OnnxFile, SavedAsWritten) {
  const std::string path = testing::TempDir() + "onward_saved.onnx";
  Model m = everything();
  m.graph.initializers["large"] = Tensor(DataType::u8, {3 << 20});
  std::memset(m.graph.initializers["large"].raw(), 7, 3 << 20);
  save_model(m, path);
  EXPECT_TRUE(map_file(path).bytes == write_model(m));
  EXPECT_EQ(load_model(path).graph.initializers.at("large").data<uint8_t>()[5], 7);
  std::filesystem::remove(path);
}

TEST(OnnxFile, RawDataIsViewedWhereItIsAligned) {
  Model m = everything();
  m.graph.initializers["bytes"] = Tensor::of<uint8_t>({3}, {1, 2, 3});
  const auto bytes = std::make_shared<std::string>(write_model(m));
  const auto inside = [&](const Tensor& t) { return t.data<char>() >= bytes->data() && t.data<char>() < bytes->data() + bytes->size(); };
  EXPECT_TRUE(inside(read_model(*bytes, bytes).graph.initializers.at("bytes")));
  EXPECT_FALSE(inside(read_model(*bytes).graph.initializers.at("bytes")));
}

TEST(OnnxFile, LargeTensorsLieWhereTheyMayBeUsed) {
  Model m = everything();
  for (int k = 0; k < 16; ++k) m.graph.initializers[std::string(size_t(k) + 1, 'd')] = Tensor::of<double>({500}, std::vector<double>(500, k));
  m.graph.nodes[3].attributes["large"] = Tensor::of<float>({500}, std::vector<float>(500, 9));
  const auto bytes = std::make_shared<std::string>(write_model(m));
  const Model back = read_model(*bytes, bytes);
  const auto inside = [&](const Tensor& t) { return t.data<char>() >= bytes->data() && t.data<char>() < bytes->data() + bytes->size(); };
  for (int k = 0; k < 16; ++k) {
    const Tensor& t = back.graph.initializers.at(std::string(size_t(k) + 1, 'd'));
    EXPECT_TRUE(inside(t)) << k;
    EXPECT_EQ(t.data<double>()[499], k);
  }
  EXPECT_TRUE(inside(std::get<Tensor>(back.graph.nodes[3].attributes.at("large"))));
  EXPECT_EQ(write_model(back), *bytes);
}

// What a model of more than 2 GiB goes through, with a lower limit.
struct LargeModel : testing::Test {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "onward_large_model";
  const std::string path = folder / "m.onnx";
  Model model = everything();
  LargeModel() {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    for (const char* name : {"one", "two"}) model.graph.initializers[name] = Tensor::of<double>({3000}, std::vector<double>(3000, *name));
    model.graph.nodes[3].attributes["large"] = Tensor::of<float>({4000}, std::vector<float>(4000, 9));
  }
  ~LargeModel() override { std::filesystem::remove_all(folder); }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  void expect_same(const Model& back) const { EXPECT_EQ(write_model(back), write_model(model)); }
};

TEST_F(LargeModel, IsOneFileUpToTheLimit) {
  ModelFile file(model, path, write_model(model).size());
  EXPECT_EQ(file.data_bytes(), 0u);
  file.commit();
  EXPECT_EQ(files(), std::vector<std::string>{"m.onnx"});
}

TEST_F(LargeModel, HasItsWeightsBesideIt) {
  ModelFile file(model, path, 40'000);                   // more than the rest of it with the attribute's tensor
  EXPECT_LT(file.bytes().size(), 40'000u);
  EXPECT_EQ(file.data_bytes(), 24'576u + 24'000u);       // the second begins on a page of its own
  EXPECT_FALSE(std::filesystem::exists(path));           // until it is committed
  expect_same(file.read());
  file.commit();
  EXPECT_EQ(files(), (std::vector<std::string>{"m.onnx", "m.onnx.data"}));
  expect_same(load_model(path));
}

TEST_F(LargeModel, HasTheTensorsOfAttributesBesideItWhereThatIsNotEnough) {
  ModelFile file(model, path, 10'000);
  EXPECT_LT(file.bytes().size(), 10'000u);
  EXPECT_GT(file.data_bytes(), 24'000u * 2 + 16'000u);
  expect_same(file.read());
  file.commit();
  expect_same(load_model(path));
}

TEST_F(LargeModel, LeavesNothingWhereItIsNotCommitted) {
  { ModelFile file(model, path, 10'000); }
  EXPECT_TRUE(files().empty());
}

namespace {

std::string message(const std::function<void(WireWriter&)>& fill) {
  std::string out;
  WireWriter w(out);
  fill(w);
  return out;
}

// The attribute z of a node, which has these fields besides its name.
Attributes read_attributes(const std::function<void(WireWriter&)>& fields, bool of_trees) {
  const std::string bytes = message([&](WireWriter& model) {
    model.integer(1, 10);
    model.message(7, [&](WireWriter& graph) {
      graph.message(1, [&](WireWriter& node) {
        node.bytes(2, "y"), node.bytes(4, of_trees ? "TreeEnsemble" : "O"), node.bytes(7, of_trees ? "ai.onnx.ml" : "");
        node.message(5, [&](WireWriter& attribute) { attribute.bytes(1, "z"), fields(attribute); });
      });
    });
  });
  return read_model(bytes).graph.nodes.at(0).attributes;
}
Attribute read_attribute(const std::function<void(WireWriter&)>& fields) { return read_attributes(fields, false).at("z"); }

// Numbers of every length, short ones in runs and alone.
std::vector<int64_t> many_integers() {
  std::vector<int64_t> all;
  for (int64_t i = 0; i < 1000; ++i) all.push_back(i % 50 < 30 ? i % 128 : (i % 3 ? 1 : -1) * (int64_t{1} << (i * 7 % 63)));
  return all;
}

}  // namespace

TEST(OnnxFile, ListsMayBePackedOrNot) {
  const std::vector<int64_t> integers = many_integers();
  const std::vector<float> reals(integers.begin(), integers.end());
  std::vector<std::string> words;
  for (size_t i = 0; i < integers.size(); ++i) words.emplace_back(i % 200, char('a' + i % 26));   // lengths of one byte and of two
  const std::string_view raw(reinterpret_cast<const char*>(reals.data()), reals.size() * sizeof(float));
  using Words = std::vector<std::string>;
  EXPECT_EQ(std::get<std::vector<int64_t>>(read_attribute([&](WireWriter& w) { w.packed(8, integers), w.integer(20, 7); })), integers);
  EXPECT_EQ(std::get<std::vector<int64_t>>(read_attribute([&](WireWriter& w) { for (int64_t i : integers) w.integer(8, i); w.integer(20, 7); })), integers);
  EXPECT_EQ(std::get<std::vector<float>>(read_attribute([&](WireWriter& w) { w.bytes(7, raw), w.integer(20, 6); })), reals);
  EXPECT_EQ(std::get<std::vector<float>>(read_attribute([&](WireWriter& w) { for (float f : reals) w.real(7, f); w.integer(20, 6); })), reals);
  EXPECT_EQ(std::get<Words>(read_attribute([&](WireWriter& w) { for (const auto& s : words) w.bytes(9, s); w.integer(20, 8); })), words);
}

// Lists of trees take as few bytes as their items need, and are what they are all the same.
TEST(OnnxFile, ListsOfTreesAreHeldInFewBytes) {
  using Words = std::vector<std::string>;
  const auto given = [](const auto& list, auto&& fields) {
    const Attributes all = read_attributes(fields, true);
    std::decay_t<decltype(list)> back;
    all.read("z", back);
    EXPECT_EQ(back, list);
    Model m;
    m.opsets[""] = 21, m.graph.nodes.push_back({.op = "O", .outputs = {"y"}, .attributes = all});
    read_model(write_model(m)).graph.nodes.at(0).attributes.read("z", back);
    EXPECT_EQ(back, list);
    return all.at("z");
  };
  for (const size_t many : {0, 1, 15, 900}) {             // where one stands that does not fit in
    std::vector<int64_t> integers;
    Words words;
    for (size_t i = 0; i < 1000; ++i) integers.push_back(i == many && many ? int64_t{1} << 31 : i % 7 ? int64_t(i * i) : -1), words.push_back(text("w", many ? i : i % 255));
    words[many % 3] = std::string(200, 'l');
    words[5] = words[many % 3];
    const Attribute packed = given(integers, [&](WireWriter& w) { w.packed(8, integers), w.integer(20, 7); });
    const Attribute apart = given(integers, [&](WireWriter& w) { for (int64_t i : integers) w.integer(8, i); w.integer(20, 7); });
    const Attribute texts = given(words, [&](WireWriter& w) { for (const auto& s : words) w.bytes(9, s); w.integer(20, 8); });
    EXPECT_EQ(std::holds_alternative<std::vector<int32_t>>(packed), many == 0);
    EXPECT_EQ(std::holds_alternative<std::vector<int32_t>>(apart), many == 0);
    EXPECT_EQ(std::holds_alternative<FewTexts>(texts), many == 0);
  }
}

// Each part asked for room for itself alone, and all that came before was copied.
TEST(OnnxFile, ListsOfManyPartsTakeTimeAsTheyAreLong) {
  constexpr int64_t parts = 300'000;
  const std::clock_t start = std::clock();
  const Attribute integers = read_attribute([](WireWriter& w) { for (int64_t i = 0; i < parts; ++i) w.bytes(8, "\x07"); w.integer(20, 7); });
  EXPECT_EQ(std::get<std::vector<int64_t>>(integers), std::vector<int64_t>(parts, 7));
  const Attribute mixed = read_attribute([](WireWriter& w) {
    for (int64_t i = 0; i < parts; ++i) w.integer(8, 1), w.integer(8, 2), w.real(7, 3), w.real(7, 3), w.bytes(9, "x"), w.bytes(9, "y");
    w.integer(20, 7);
  });
  EXPECT_EQ(std::get<std::vector<int64_t>>(mixed).size(), size_t(2 * parts));
  EXPECT_LT(double(std::clock() - start) / CLOCKS_PER_SEC, 5);
}

TEST(OnnxFile, Values) {
  const auto back = [](const Value& v) {
    const std::string bytes = write_value(v);
    return read_value(bytes, guess_value_proto(bytes));
  };
  for (unsigned t = 1; t < unsigned(DataType::count); ++t) EXPECT_TRUE(same(*back(every_value(DataType(t))).tensor(), every_value(DataType(t)))) << t;
  EXPECT_TRUE(back(Value{}).empty());
  EXPECT_TRUE(std::get<Sequence>(back(Sequence{})).items.empty());
  const Map map{Tensor::of<std::string>({2}, {"a", "b"}), Tensor::of<float>({2}, {1, 2})};
  const Map numbers{Tensor::of<int64_t>({2}, {-1, 5}), Tensor::of<std::string>({2}, {"x", "y"})};
  const Value in = Sequence{{Value(map), Value(numbers)}, {}};
  const Sequence out = std::get<Sequence>(read_value(write_value(in), ValueProto::sequence));
  ASSERT_EQ(out.items.size(), 2u);
  EXPECT_TRUE(same(std::get<Map>(out.items[0]).keys, map.keys));
  EXPECT_TRUE(same(std::get<Map>(out.items[0]).values, map.values));
  EXPECT_TRUE(same(std::get<Map>(out.items[1]).keys, numbers.keys));
  EXPECT_TRUE(same(std::get<Map>(out.items[1]).values, numbers.values));
  const Value tensors = Sequence{{Value(Tensor::scalar(1.5f)), Value(Tensor::of<float>({2}, {1, 2}))}, DataType::f32};
  EXPECT_EQ(std::get<Sequence>(back(tensors)).type, DataType::f32);
  const Value nested = Sequence{{Value(std::get<Sequence>(tensors)), Value(Sequence{})}, {}};
  EXPECT_EQ(std::get<Sequence>(std::get<Sequence>(read_value(write_value(nested), ValueProto::sequence)).items.at(0)).items.size(), 2u);
  const Value holes = Sequence{{Value{}, Value{}}, {}};
  EXPECT_TRUE(std::get<Sequence>(read_value(write_value(holes), ValueProto::sequence)).items.at(1).empty());
}

// Driven by onnx_roundtrip.py: reads and writes every model of one folder into another.
TEST(OnnxFile, FolderForComparison) {
  const char *from = std::getenv("ONWARD_ROUNDTRIP_FROM"), *to = std::getenv("ONWARD_ROUNDTRIP_TO");
  if (!from || !to) GTEST_SKIP() << "onnx_roundtrip.py was not asked for";
  int n = 0;
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    if (entry.path().extension() != ".onnx") continue;
    const Model m = load_model(entry.path());
    check(m);
    save_model(m, std::filesystem::path(to) / entry.path().filename());
    ++n;
  }
  EXPECT_GT(n, 0);
}

}  // namespace onward
