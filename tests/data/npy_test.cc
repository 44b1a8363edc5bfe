#include "onward/data/npy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "onward/base/file.h"
#include "onward/base/zip.h"

namespace onward {
namespace {

const std::string folder = ONWARD_TEST_DATA "/tables/";

MappedFile file(const std::string& name) { return map_file(folder + name); }
NpyArray load(const std::string& name) {
  const MappedFile f = file(name);
  return read_npy(f.bytes, f.owner);
}
template <class T> std::vector<T> values(const Tensor& t) { return std::vector<T>(t.data<T>(), t.data<T>() + t.size()); }

template <class F> std::string error_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.message;
  }
  return "read without an error";
}

TEST(Npy, ReadsWhatNumpyWrites) {
  const std::vector<double> sixths = {0, 0.25, 0.5, 0.75, 1, 1.25};
  EXPECT_EQ(values<double>(load("f8.npy").tensor), sixths);
  EXPECT_EQ(load("f8.npy").tensor.dims(), (Dims{2, 3}));
  EXPECT_EQ(values<double>(load("f8_fortran.npy").tensor), sixths);
  EXPECT_EQ(values<float>(load("f4_big_endian.npy").tensor), (std::vector<float>{0, 0.25, 0.5, 0.75, 1, 1.25}));
  const Tensor cube = load("i2_cube_fortran.npy").tensor;
  EXPECT_EQ(cube.dims(), (Dims{2, 3, 4}));
  for (int16_t i = 0; i < 24; ++i) EXPECT_EQ(cube.data<int16_t>()[i], i);
  EXPECT_EQ(values<bool>(load("bool.npy").tensor), (std::vector<bool>{true, false, true}));
  EXPECT_EQ(values<std::string>(load("text.npy").tensor), (std::vector<std::string>{"a", "", "grün 😀"}));
  EXPECT_EQ(values<std::string>(load("text_big_endian.npy").tensor), (std::vector<std::string>{"a", "é"}));
  EXPECT_EQ(values<std::string>(load("bytes.npy").tensor), (std::vector<std::string>{"ab", "c"}));
  EXPECT_EQ(values<int64_t>(load("time.npy").tensor), (std::vector<int64_t>{86'400'000'000'000, INT64_MIN}));
  EXPECT_EQ(load("scalar.npy").tensor.rank(), 0);
  EXPECT_EQ(load("empty.npy").tensor.dims(), (Dims{0, 3}));
  EXPECT_EQ(values<int64_t>(load("version2.npy").tensor), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(values<int64_t>(load("version3.npy").tensor), (std::vector<int64_t>{0, 1, 2}));
}

TEST(Npy, ReadsInPlaceWhereItCan) {
  const MappedFile f = file("f8.npy");
  const Tensor t = read_npy(f.bytes, f.owner).tensor;
  EXPECT_GE(static_cast<const char*>(t.raw()), f.bytes.data());
  EXPECT_LT(static_cast<const char*>(t.raw()), f.bytes.data() + f.bytes.size());
}

TEST(Npy, RefusesByName) {
  EXPECT_EQ(error_of([] { load("object.npy"); }), "arrays of dtype '|O' are not read");
  EXPECT_EQ(error_of([] { load("record.npy"); }), "structured arrays (records) are not read");
  EXPECT_EQ(error_of([] { load("longdouble.npy"); }), "arrays of dtype '<f16' are not read");
  EXPECT_EQ(error_of([] { load("stored.npz"); }), "this is no .npy file: it does not begin with \\x93NUMPY");
}

std::string npy(std::string dict, std::string_view data = {}) {
  std::string out = "\x93NUMPY";
  out += '\1', out += '\0', out += char(dict.size()), out += '\0';
  return out + dict + std::string(data);
}

TEST(Npy, HostileHeadersEndInErrors) {
  const auto error = [](const std::string& dict) { return error_of([&] { read_npy(npy(dict, "12345678")); }); };
  EXPECT_EQ(error("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"), "the array of shape [2] needs 8 bytes an element, the file holds 8 bytes of them");
  EXPECT_EQ(error("{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4611686018427387904), }").substr(0, 7), "a shape");
  EXPECT_EQ(error("{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,), }"), "arrays of dtype '<U0' are not read");
  EXPECT_EQ(error("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }"), "the .npy header is not the dictionary it must be, near '-1,), }'");
  EXPECT_EQ(error("{'descr': '<f8', 'shape': (1,), }"), "the .npy header must say descr, fortran_order and shape");
  EXPECT_EQ(error("{'descr': '<M8[fortnight]', 'fortran_order': False, 'shape': (1,), }"), "arrays of dtype '<M8[fortnight]' are not read");
  EXPECT_NE(error("{'descr': '<f8', 'fortran_order': True, 'shape': (4611686018427387904, 0, 4), }"), "");
  EXPECT_EQ(error_of([] { table_of({read_npy(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 1000000000000), }"))}); }),
            "array 'x' would be 1000000000000 columns, at most 4194304 are read");
  EXPECT_EQ(error_of([] { read_npy(npy("{'descr': '|S1', 'fortran_order': False, 'shape': (1000,), }", std::string(1000, 'a')), {}, {.bytes = 2000}); }),
            "the array of shape [1000] needs 33000 bytes, the limit is 2000");
}

TEST(Npy, EveryTruncationAndEveryFlippedByteIsHandled) {
  for (const char* name : {"f8_fortran.npy", "text.npy", "time.npy", "stored.npz", "deflated.npz"}) {
    const std::string whole(file(name).bytes);
    const auto read = [&](std::string_view bytes) {
      try {
        if (is_npy(bytes)) read_npy(bytes);
        else read_npz(bytes);
        return true;
      } catch (const Error&) {
        return false;
      }
    };
    ASSERT_TRUE(read(whole));
    for (size_t n = 0; n < whole.size(); n += 3) EXPECT_FALSE(read(std::string_view(whole).substr(0, n))) << name << " " << n;
    for (size_t i = 0; i < whole.size(); ++i) {
      std::string flipped = whole;
      flipped[i] = char(flipped[i] ^ 0xFF);
      read(flipped);
    }
  }
}

TEST(Npz, ReadsStoredAndDeflated) {
  const MappedFile stored = file("stored.npz");
  const auto arrays = read_npz(stored.bytes, stored.owner);
  ASSERT_EQ(arrays.size(), 3u);
  EXPECT_EQ(arrays[1].name, "city");
  const Table t = table_of(arrays);
  ASSERT_EQ(t.columns.size(), 4u);
  EXPECT_EQ(t.columns[0].name, "age");
  EXPECT_TRUE(std::isnan(t.columns[0].as<double>()[1]));
  EXPECT_EQ(t.columns[1].strings()[1], "Rome");
  EXPECT_EQ(t.columns[3].name, "m_1");
  EXPECT_EQ(t.columns[3].as<int64_t>()[1], 3);
  EXPECT_EQ(read_npz(file("deflated.npz").bytes)[1].tensor.data<int64_t>()[999], 999);
}

TEST(Npz, BombsAndLiesCostNothing) {
  const MappedFile f = file("deflated.npz");
  EXPECT_EQ(error_of([&] { read_npz(f.bytes, f.owner, {.bytes = 9000}); }), "array 'k': zip entry 'k.npy' unpacks to 8128 bytes, the limit is 872");
  ZipEntry lie{.name = "a", .packed = "\x03\0", .deflated = true, .size = size_t{1} << 40, .crc = 0};
  std::string scratch;
  EXPECT_EQ(error_of([&] { unzip(lie, scratch, size_t{1} << 50); }), "zip entry 'a' claims 1099511627776 bytes, its 1 packed bytes cannot hold them");
  std::string bytes(f.bytes);
  bytes[bytes.size() / 4] ^= 1;
  EXPECT_NE(error_of([&] { read_npz(bytes); }), "read without an error");
}

TEST(Npy, WhatIsWrittenReadsBack) {
  const Tensor tensors[] = {Tensor::of<double>({2, 2}, {1, -0.0, INFINITY, 1e-308}), Tensor::of<std::string>({3}, {"", "é😀", "abc"}), Tensor::of<bool>({2}, {true, false}),
                            Tensor::of<float16>({1}, {float16(0.5f)}), Tensor::scalar<int64_t>(-3), Tensor(DataType::f32, {0, 2})};
  std::vector<std::pair<std::string, Tensor>> all;
  for (const Tensor& t : tensors) {
    const std::string bytes = write_npy(t);
    EXPECT_EQ(npy_header(t).size() % 64, 0u);
    const Tensor back = read_npy(bytes).tensor;
    EXPECT_EQ(back.type(), t.type());
    EXPECT_EQ(back.dims(), t.dims());
    for_type<f64 | str | b8 | i64>(t.type(), [&]<class T>() { EXPECT_EQ(values<T>(back), values<T>(t)); });
    all.emplace_back(text("t", all.size()), t);
  }
  const std::string archive = write_npz(all);
  EXPECT_EQ(write_npz(all), archive);
  const auto back = read_npz(archive);
  ASSERT_EQ(back.size(), all.size());
  EXPECT_EQ(values<std::string>(back[1].tensor), values<std::string>(tensors[1]));
  EXPECT_THROW(write_npy(Tensor(DataType::bf16, {1})), Error);
}

}  // namespace
}  // namespace onward
