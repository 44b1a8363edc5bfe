// Pictures of every format and kind (tools/make_images.py) against what Pillow makes of them; damaged, huge and absent ones.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "onward/ops/evaluate.h"
#include "onward/ops/image/decoder.h"

namespace onward {
namespace {

const std::filesystem::path pictures = ONWARD_TEST_DATA "/images";

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::filesystem::path> all_pictures() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(pictures))
    if (entry.path().string().find(".expected.") == std::string::npos) out.push_back(entry.path());
  return out;
}

// What lossy decoders may differ by, rounding in another order.
int allowed(const std::string& name) {
  if (name.starts_with("cmyk")) return 2;
  return name.ends_with(".jpg") || name.starts_with("lossy") ? 1 : 0;
}

int worst(const Tensor& a, const Tensor& b) {
  if (a.dims() != b.dims()) return 256;
  int out = 0;
  for (int64_t i = 0; i < a.size(); ++i) out = std::max(out, std::abs(int(a.data<uint8_t>()[i]) - int(b.data<uint8_t>()[i])));
  return out;
}

// This build may have been made without the format's library.
bool readable(const std::string& bytes) {
  try {
    image::decode(bytes, {});
  } catch (const Error& e) {
    return e.message.find("this build has no") == std::string::npos;
  }
  return true;
}

Code code_of(const std::string& bytes, const RunContext& context = {}) {
  try {
    image::decode(bytes, context);
  } catch (const Error& e) {
    return e.code;
  }
  return Code::internal;
}

Tensor decoded(const std::string& bytes, const char* format = "RGB") {
  const Tensor stream = Tensor::of(Dims{int64_t(bytes.size())}, std::vector<uint8_t>(bytes.begin(), bytes.end()));
  Node node{.op = "ImageDecoder", .inputs = {"x"}, .outputs = {"y"}};
  node.attributes["pixel_format"] = std::string(format);
  const Value value = stream;
  return *evaluate(node, {&value, 1})[0].tensor();
}

std::string big(uint32_t v) { return {char(v >> 24), char(v >> 16), char(v >> 8), char(v)}; }

}  // namespace

TEST(Image, EveryKindIsWhatPillowReads) {
  int read = 0;
  for (const auto& path : all_pictures()) {
    const std::string bytes = content(path);
    if (!readable(bytes)) continue;
    try {
      const Tensor expected = image::decode(content(path.string() + ".expected.ppm"), {});
      EXPECT_LE(worst(image::decode(bytes, {}), expected), allowed(path.filename())) << path;
      ++read;
    } catch (const Error& e) {
      ADD_FAILURE() << path << ": " << e.message;
    }
  }
  EXPECT_GE(read, 20);
}

TEST(Image, CutShortAnywhereIsAnImageOrAnError) {
  for (const auto& path : all_pictures()) {
    const std::string bytes = content(path);
    if (!readable(bytes) || bytes.size() > 5000) continue;
    for (size_t n = 0; n < bytes.size(); n += 1 + n / 64) {
      try {
        image::decode(bytes.substr(0, n), {});
      } catch (const Error& e) {
        EXPECT_NE(e.code, Code::internal) << path << " cut at " << n << ": " << e.message;
      }
    }
  }
}

TEST(Image, WhatCannotBeDecodedIsEmpty) {
  EXPECT_EQ(decoded("no image").dims(), (Dims{0, 0, 3}));
  EXPECT_EQ(decoded("").dims(), (Dims{0, 0, 3}));
  EXPECT_EQ(decoded("P6 2 2 255\n1234", "Grayscale").dims(), (Dims{0, 0, 1}));
  const std::string png = content(pictures / "rgb.png");
  if (readable(png)) { EXPECT_EQ(decoded(png.substr(0, png.size() / 2)).dims(), (Dims{0, 0, 3})); }
}

TEST(Image, SizesAreBoundedBeforeTheyAreBelieved) {
  EXPECT_EQ(code_of("P6 99999999 99999999 255\n123"), Code::bad_file);
  // A bitmap of run lengths needs few bytes for any size.
  std::string bmp = content(pictures / "run_lengths.bmp");
  bmp.replace(18, 8, std::string("\xff\xff\xff\x7f\xff\xff\xff\x7f", 8));
  EXPECT_EQ(code_of(bmp), Code::limit_size);
  std::string png = content(pictures / "rgb.png");
  if (readable(png)) {
    png.replace(16, 8, big(2000000000) + big(2000000000));
    EXPECT_EQ(code_of(png), Code::bad_file);
  }
  std::string jp2 = content(pictures / "gray.j2k");
  if (readable(jp2)) {
    jp2.replace(8, 8, big(2000000000) + big(2000000000));
    EXPECT_EQ(code_of(jp2), Code::limit_size);
    jp2 = content(pictures / "gray.j2k");
    jp2.replace(24, 8, big(1) + big(1));                 // tiles of one pixel are fine here, in a large image they are too many
    jp2.replace(8, 8, big(4000) + big(4000));
    EXPECT_EQ(code_of(jp2), Code::limit_size);
  }
}

TEST(Image, MemoryCounts) {
  for (const auto& path : all_pictures()) {
    const std::string bytes = content(path);
    if (!readable(bytes)) continue;
    const auto budget = std::make_shared<MemoryBudget>(100);
    if (path.filename().string().starts_with("text.pbm") || path.filename().string().starts_with("run_lengths")) continue;   // these need less
    EXPECT_EQ(code_of(bytes, {.budget = budget}), Code::limit_memory) << path;
    EXPECT_EQ(budget->used(), 0u) << path;
  }
}

TEST(Image, LayoutsAndRefusals) {
  const Tensor rgb = decoded("P6 1 1 255\nabc"), bgr = decoded("P6 1 1 255\nabc", "BGR"), gray = decoded("P6 1 1 255\nabc", "Grayscale");
  EXPECT_EQ(rgb.data<uint8_t>()[0], 'a');
  EXPECT_EQ(bgr.data<uint8_t>()[0], 'c');
  EXPECT_EQ(gray.dims(), (Dims{1, 1, 1}));
  EXPECT_THROW(decoded("P6 1 1 255\nabc", "HSV"), Error);
  std::string tiff = content(pictures / "raw.tif");
  tiff[2] = 43;
  EXPECT_EQ(code_of(tiff), Code::unsupported_format);                   // BigTIFF
}

}  // namespace onward
