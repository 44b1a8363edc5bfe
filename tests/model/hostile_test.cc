// Files that are damaged or made to do harm: each gives an Error that says what is wrong, none a crash or unbounded memory.
#include <filesystem>
#include <fstream>

#include "expect_error.h"
#include "onward/model/check.h"
#include "onward/model/wire.h"
#include "sample_models.h"

namespace onward {
namespace {

namespace fs = std::filesystem;

// A message made by `fill(WireWriter&)`.
template <class Fill> std::string message(const Fill& fill) {
  std::string out;
  WireWriter w(out);
  fill(w);
  return out;
}

// A model whose graph is made by `fill`.
template <class Fill> std::string model(const Fill& fill) {
  return message([&](WireWriter& w) { w.integer(1, 10), w.message(7, fill); });
}
template <class Fill> std::string initializer(const Fill& fill) {
  return model([&](WireWriter& g) { g.message(5, [&](WireWriter& t) { t.bytes(8, "w"), fill(t); }); });
}
template <class Fill> std::string attribute(const Fill& fill) {
  return model([&](WireWriter& g) { g.message(1, [&](WireWriter& n) { n.bytes(2, "y"), n.bytes(4, "Op"), n.message(5, fill); }); });
}
std::string tensor(std::vector<int64_t> dims, DataType type, int field, std::string_view data) {
  return initializer([&](WireWriter& t) { t.packed(1, dims), t.integer(2, int64_t(type)), t.bytes(field, data); });
}
std::string read(const std::string& bytes) { return thrown([&] { read_model(bytes); }); }

// `levels` messages inside each other, built without recursion: `fields` from the outside in, repeated.
std::string nested(std::vector<int> fields, int levels) {
  std::string backwards;
  for (int i = levels; i-- > 0;) {
    const std::string head = message([&](WireWriter& w) { w.varint(uint64_t(fields[size_t(i) % fields.size()]) << 3 | 2), w.varint(backwards.size()); });
    backwards.append(head.rbegin(), head.rend());
  }
  return {backwards.rbegin(), backwards.rend()};
}

}  // namespace

TEST(Hostile, EveryTruncationIsAnError) {
  const std::string whole = write_model(everything());
  size_t accepted = 0;
  for (size_t n = 0; n < whole.size(); ++n) {
    const std::string part = whole.substr(0, n);          // its own allocation, so that a sanitizer sees what lies behind
    accepted += thrown([&] { read_model(part); }).empty();
  }
  EXPECT_LE(accepted, 8u) << "only those that end between the fields of the model itself";
}

TEST(Hostile, EveryChangedByteIsAnErrorOrAModel) {
  const std::string whole = write_model(everything());
  for (size_t i = 0; i < whole.size(); ++i)
    for (const int change : {1, 0x80, 0xff}) {
      std::string changed = whole;
      changed[i] = char(changed[i] ^ change);
      thrown([&] {
        const Model m = read_model(changed);
        check(m);
        EXPECT_EQ(write_model(read_model(write_model(m))), write_model(m));
      });
    }
}

TEST(Hostile, BrokenProtobufNamesTheByte) {
  EXPECT_EQ(read(""), "E0302 this is no ONNX model: it has no graph");
  EXPECT_EQ(read(std::string("\x08\x0a\x00", 3)), "E0302 byte 2: 0 is no protobuf field number");
  EXPECT_EQ(read("\x08\x0a\x0b"), "E0302 byte 2: 3 is no protobuf wire type");
  EXPECT_EQ(read("\x08\x0a\x3a\x05xx"), "E0302 byte 4: a field of 5 bytes, but 2 are left");
  EXPECT_EQ(read("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "E0302 byte 11: an integer is longer than 64 bits");
  EXPECT_EQ(read("\x08\x0a\x38\x05"), "E0302 byte 2: field 7 is stored as wire type 0, expected a length and bytes");
  EXPECT_EQ(read("\x0a\x01z"), "E0302 byte 0: field 1 is stored as wire type 2, expected an integer");
  EXPECT_EQ(read(model([](WireWriter& g) { g.bytes(2, "\xff"); })), "E0302 byte 4: the text of field 2 is not valid UTF-8");
  EXPECT_EQ(read(model([](WireWriter&) {}) + std::string("\x3a\x00", 2)), "E0302 byte 4: a second graph");
  EXPECT_EQ(read(attribute([](WireWriter& a) { a.bytes(7, "abc"); })), "E0302 node 'y' (Op): byte 15: a list of numbers of 4 bytes takes 3");
}

TEST(Hostile, VersionsOfTheFormat) {
  EXPECT_EQ(read(message([](WireWriter& w) { w.message(7, [](WireWriter&) {}); })), "E0303 the model does not say which version of the ONNX IR it uses");
  EXPECT_EQ(read(message([](WireWriter& w) { w.integer(1, 15), w.message(7, [](WireWriter&) {}); })), "E0303 the model uses IR version 15, the newest that is known is 14");
}

TEST(Hostile, NestingIsLimited) {
  constexpr int levels = 200000;                           // 800 kB and more
  const std::string too_deep = "graphs, types or optional values are nested too deeply";
  const std::string type = nested({4, 1}, levels), graphs = nested({1, 5, 6}, levels), values = nested({5}, levels), optionals = nested({7}, levels), maps = nested({6, 5}, levels);
  expect_error(Code::limit_size, too_deep, [&] { read_model(model([&](WireWriter& g) { g.message(11, [&](WireWriter& v) { v.bytes(1, "x"), v.bytes(2, type); }); })); });
  expect_error(Code::limit_size, too_deep, [&] { read_model(model([&](WireWriter& g) { g.raw(graphs); })); });
  expect_error(Code::limit_size, too_deep, [&] { read_value(values, ValueProto::sequence); });
  expect_error(Code::limit_size, too_deep, [&] { read_value(optionals, ValueProto::optional); });
  expect_error(Code::limit_size, too_deep, [&] { read_value(maps, ValueProto::sequence); });
  ReadLimits one;
  one.depth = 1;
  expect_error(Code::limit_size, too_deep, [&] { read_model(write_model(everything()), nullptr, "", one); });
}

TEST(Hostile, ManySmallObjectsAreLimited) {
  const auto many = [](std::string_view object, size_t bytes) {
    std::string s;
    while (s.size() < bytes) s += object;
    return s;
  };
  const std::string few_bytes = "the file describes far more objects than its size allows in a real model";
  expect_error(Code::limit_size, few_bytes, [&] { read_model(model([&](WireWriter& g) { g.raw(many({"\x0a\x00", 2}, 1 << 20)); })); });
  expect_error(Code::limit_size, few_bytes, [&] { read_model(message([&](WireWriter& w) { w.integer(1, 10), w.raw(many({"\xca\x01\x00", 3}, 1 << 20)); })); });
}

TEST(Hostile, TensorsSayTheirSizeRight) {
  EXPECT_EQ(read(tensor({2, 3}, DataType::f32, 9, std::string(20, 'x'))), "E0303 tensor 'w': shape [2, 3] needs 24 bytes of float, found 20");
  EXPECT_EQ(read(tensor({2}, DataType::f32, 9, std::string(12, 'x'))), "E0303 tensor 'w': shape [2] needs 8 bytes of float, found 12");
  EXPECT_EQ(read(tensor({3}, DataType::u4, 9, "x")), "E0303 tensor 'w': shape [3] needs 2 bytes of uint4, found 1");
  EXPECT_EQ(read(tensor({2}, DataType::f32, 4, std::string(4, 'x'))), "E0303 tensor 'w': shape [2] needs 2 values, found 1");
  EXPECT_EQ(read(tensor({-1}, DataType::f32, 9, "")), "E0503 tensor 'w': a shape of [-1] has a negative size");
  EXPECT_EQ(read(tensor({1 << 30, 1 << 30, 1 << 30}, DataType::f32, 9, "")), "E0503 tensor 'w': a shape of [1073741824, 1073741824, 1073741824] has more than 2^62 elements");
  EXPECT_EQ(read(tensor({int64_t{1} << 61}, DataType::c128, 9, "")), "E0503 tensor 'w': a shape of [2305843009213693952] is larger than any file");
  EXPECT_EQ(read(tensor({int64_t{1} << 40}, DataType::f32, 9, "")), "E0303 tensor 'w': shape [1099511627776] needs 4398046511104 bytes of float, found 0");
  EXPECT_EQ(read(tensor(std::vector<int64_t>(100, 1), DataType::f32, 9, "xxxx")), "E0503 tensor 'w': has 100 dimensions, more than 64");
  EXPECT_EQ(read(tensor({1}, DataType::str, 9, "x")), "E0303 tensor 'w': strings cannot be raw data");
  EXPECT_EQ(read(tensor({1}, DataType(99), 9, "x")), "E0303 tensor 'w': element type 99 is not in the standard");
  EXPECT_EQ(read(tensor({1}, DataType(27), 9, "x")), "E0401 tensor 'w': element type float6e2m3 is not read; the nearest that is read is float8e4m3fn");
  EXPECT_EQ(read(tensor({1}, DataType::none, 9, "x")), "E0303 tensor 'w': has no element type");
  EXPECT_EQ(read(initializer([](WireWriter& t) { t.integer(2, 1), t.bytes(3, ""); })), "E0401 tensor 'w': is stored in segments");
}

// Values in the field of another type: once read past the end of the right one.
TEST(Hostile, TypedDataLiesInTheFieldOfItsType) {
  for (const DataType type : {DataType::f16, DataType::bf16, DataType::i4, DataType::u2, DataType::f8e5m2, DataType::i32, DataType::b8, DataType::u64})
    for (const int field : {4, 10}) EXPECT_EQ(read(tensor({4}, type, field, std::string(64, '\0'))), "E0303 tensor 'w': shape [4] needs 4 values, found 0") << name_of(type);
  EXPECT_EQ(read(tensor({4}, DataType::f32, 10, std::string(64, '\0'))), "E0303 tensor 'w': shape [4] needs 4 values, found 0");
  EXPECT_EQ(read(tensor({4}, DataType::c64, 4, std::string(28, '\0'))), "E0303 tensor 'w': shape [4] needs 4 values, found 3");
}

TEST(Hostile, SparseTensorsStayInsideTheirShape) {
  const auto sparse = [](std::vector<int64_t> dims, const Tensor& indices, int64_t values = 1) {
    return model([&](WireWriter& g) {
      g.message(15, [&](WireWriter& s) {
        s.message(1, [&](WireWriter& t) { t.packed(1, Dims{values}), t.integer(2, 1), t.bytes(8, "w"), t.bytes(9, std::string(size_t(4 * values), 'x')); });
        s.message(2, [&](WireWriter& t) { t.packed(1, indices.dims()), t.integer(2, 7), t.packed(7, indices.values<int64_t>()); });
        s.packed(3, dims);
      });
    });
  };
  EXPECT_EQ(read(sparse({2, 2}, Tensor::of<int64_t>({1}, {3}))), "");
  EXPECT_EQ(read(sparse({2, 2}, Tensor::of<int64_t>({1}, {4}))), "E0303 a sparse tensor's index 4 is outside shape [2, 2]");
  EXPECT_EQ(read(sparse({2, 2}, Tensor::of<int64_t>({1}, {-1}))), "E0303 a sparse tensor's index -1 is outside shape [2, 2]");
  EXPECT_EQ(read(sparse({2, 2}, Tensor::of<int64_t>({1, 2}, {0, 2}))), "E0303 a sparse tensor's index 2 is outside shape [2, 2]");
  EXPECT_EQ(read(sparse({2, 2}, Tensor::of<int64_t>({2}, {0, 1}))), "E0303 a sparse tensor has 1 values and 2 indices");
  EXPECT_EQ(read(sparse({2, 2}, Tensor::of<int64_t>({2}, {2, 1}), 2)), "E0303 a sparse tensor's indices must ascend, found place 1 after 2");
  EXPECT_EQ(read(sparse({2, 2}, Tensor::of<int64_t>({2}, {1, 1}), 2)), "E0303 a sparse tensor's indices must ascend, found place 1 after 1");
  EXPECT_EQ(read(sparse({int64_t{1} << 40}, Tensor::of<int64_t>({1}, {0}))), "E0501 sparse tensors become more than 268435456 bytes");
  EXPECT_EQ(read(sparse({int64_t{1} << 61}, Tensor::of<int64_t>({1}, {0}))).substr(0, 32), "E0501 sparse tensors become more");
  EXPECT_EQ(read(model([](WireWriter& g) { g.message(15, [](WireWriter& s) { s.packed(3, Dims{2}); }); })), "E0303 a sparse tensor has no values");
}

TEST(Hostile, AttributesAndNamesAreWhole) {
  EXPECT_EQ(read(attribute([](WireWriter& a) { a.bytes(1, "a"), a.integer(20, 5); })), "E0303 node 'y' (Op): attribute 'a' has kind 5, but no value of that kind");
  EXPECT_EQ(read(attribute([](WireWriter& a) { a.bytes(1, "a"), a.integer(20, 4); })), "E0303 node 'y' (Op): attribute 'a' has kind 4, but no value of that kind");
  EXPECT_EQ(read(attribute([](WireWriter& a) { a.bytes(1, "a"), a.integer(20, 77); })), "E0303 node 'y' (Op): attribute 'a' has kind 77, which is not in the standard");
  EXPECT_EQ(read(attribute([](WireWriter& a) { a.bytes(1, "a"), a.integer(20, 12); })), "E0401 node 'y' (Op): attribute 'a': a list of sparse tensors");
  EXPECT_EQ(read(attribute([](WireWriter& a) { a.integer(3, 1); })), "E0303 node 'y' (Op): an attribute has no name");
  EXPECT_EQ(read(model([](WireWriter& g) { g.message(1, [](WireWriter& n) { n.bytes(4, "Op"), n.bytes(5, "\x0a\x01z\x18\x01"), n.bytes(5, "\x0a\x01z\x18\x01"); }); })),
            "E0303 node '?' (Op): attribute 'z' is given twice");
  const auto twice = [](WireWriter& t) { t.integer(2, 3), t.bytes(8, "w"), t.bytes(9, "x"); };
  EXPECT_EQ(read(model([&](WireWriter& g) { g.message(5, twice), g.message(5, twice); })), "E0303 initializer 'w' is given twice");
  EXPECT_EQ(read(model([](WireWriter& g) { g.message(5, [](WireWriter& t) { t.integer(2, 3), t.bytes(9, "x"); }); })), "E0303 an initializer has no name");
  EXPECT_EQ(read(model([](WireWriter& g) { g.message(11, [](WireWriter& v) { v.message(2, [](WireWriter& t) { t.message(1, [](WireWriter& e) { e.integer(1, 99); }); }); }); })),
            "E0303 element type 99 is not in the standard");
}

TEST(Hostile, MapsHaveAsManyKeysAsValues) {
  const auto map = [](int64_t type, int keys) {
    return message([&](WireWriter& s) { s.message(6, [&](WireWriter& m) { m.integer(2, type); for (int i = 0; i < keys; ++i) m.bytes(4, "k"); }); });
  };
  const auto read = [](const std::string& bytes) { return thrown([&] { read_value(bytes, ValueProto::sequence); }); };
  EXPECT_EQ(read(map(8, 0)), "");
  EXPECT_EQ(read(map(8, 2)), "E0303 a map has 2 keys and 0 values");
  EXPECT_EQ(read(map(1, 0)), "E0303 a map's keys have type 1, expected strings or integers");
  EXPECT_EQ(read(map(300, 0)), "E0303 a map's keys have type 300, expected strings or integers");
}

class External : public testing::Test {
 protected:
  fs::path root = fs::path(testing::TempDir()) / "onward_external", folder = root / "model";
  void SetUp() override {
    fs::remove_all(root);
    fs::create_directories(folder / "sub");
    std::ofstream(root / "secret") << "12345678";
    std::ofstream(folder / "weights") << "xxxxabcdefgh";
    std::ofstream(folder / "sub" / "inner") << "abcdefgh";
    fs::create_symlink(root / "secret", folder / "link");
    fs::create_directory_symlink(root, folder / "up");
    fs::create_symlink(folder / "weights", folder / "fine");
  }
  void TearDown() override { fs::remove_all(root); }

  // A model whose two floats lie at `location`.
  Model load(const std::string& location, const char* offset = nullptr, const char* length = nullptr) {
    const auto entry = [](WireWriter& t, std::string_view key, std::string_view value) { t.message(13, [&](WireWriter& e) { e.bytes(1, key), e.bytes(2, value); }); };
    std::ofstream(folder / "m.onnx", std::ios::binary) << initializer([&](WireWriter& t) {
      t.packed(1, Dims{2}), t.integer(2, 1), t.integer(14, 1);
      entry(t, "location", location);
      if (offset) entry(t, "offset", offset);
      if (length) entry(t, "length", length);
    });
    return load_model(folder / "m.onnx");
  }
  void refused(Code code, std::string_view part, const std::string& location, const char* offset = nullptr, const char* length = nullptr) {
    expect_error(code, part, [&] { load(location, offset, length); });
  }
};

TEST_F(External, IsMappedFromInsideTheFolder) {
  const Model m = load("weights", "4", "8");
  EXPECT_EQ(std::memcmp(m.graph.initializers.at("w").raw(), "abcdefgh", 8), 0);
  EXPECT_EQ(std::memcmp(load("sub/inner").graph.initializers.at("w").raw(), "abcdefgh", 8), 0);
  EXPECT_EQ(std::memcmp(load("./weights", "4").graph.initializers.at("w").raw(), "abcdefgh", 8), 0);
  EXPECT_EQ(std::memcmp(load("fine", "4").graph.initializers.at("w").raw(), "abcdefgh", 8), 0);
  EXPECT_EQ(std::memcmp(load("weights").graph.initializers.at("w").raw(), "xxxxabcd", 8), 0) << "without a length the rest belongs to others";
}

TEST_F(External, NeverLeavesTheFolder) {
  const std::string inside = "is not a path inside the model's folder";
  refused(Code::bad_model, inside, (root / "secret").string());
  refused(Code::bad_model, inside, "../secret");
  refused(Code::bad_model, inside, "sub/../../secret");
  refused(Code::bad_model, inside, "sub/../weights");
  refused(Code::bad_model, inside, "..");
  refused(Code::bad_model, inside, "");
  refused(Code::bad_model, inside, std::string("weights\0x", 9));
  refused(Code::bad_model, "is outside the model's folder", "link");
  refused(Code::bad_model, "is outside the model's folder", "up/secret");
  refused(Code::io, "cannot be opened", "missing");
  refused(Code::io, "is a folder, expected a file", "sub");
}

TEST_F(External, OffsetsAndLengthsFitTheFile) {
  refused(Code::bad_model, "offset 13 is behind the end of 'weights' (12 bytes)", "weights", "13");
  refused(Code::bad_model, "9 bytes at 4 are asked of 'weights', which has 12", "weights", "4", "9");
  refused(Code::bad_model, "are asked of 'weights'", "weights", "4", "18446744073709551615");
  refused(Code::bad_model, "offset is '-1', expected a number", "weights", "-1");
  refused(Code::bad_model, "length is '99999999999999999999', expected a number", "weights", "0", "99999999999999999999");
  refused(Code::bad_model, "needs 8 bytes of float, found 4", "weights", "4", "4");
  refused(Code::bad_model, "needs 8 bytes of float, found 4", "weights", "8");
  expect_error(Code::bad_model, "external data ('weights') of a model that is not read from a file", [&] {
    load("weights", "4");
    read_model(map_file(folder / "m.onnx").bytes);
  });
}

}  // namespace onward
