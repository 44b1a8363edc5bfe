// What every image decoder paints on: rows of red, green and blue bytes, whose size is bounded before it is believed.
//
// codecs/<name>.cc defines decode_<name>(bytes, canvas). It throws Error{bad_file} for bytes that are no such image (ImageDecoder then
// answers with an empty one, as the standard asks), Error{unsupported_format} for images that it does not know, Error{limit_…}.
// A file whose line "// Needs: LIBRARY HEADER" names what is not installed is left out of the build (cmake/rooms.cmake).
#pragma once
#include <optional>

#include "onward/ops/context.h"
#include "onward/model/tensor.h"

namespace onward::image {

inline constexpr uint64_t most_pixels = uint64_t(1) << 28;

// Memory that a library takes for itself, counted while it is alive.
class Counted {
 public:
  Counted(uint64_t bytes, const std::shared_ptr<MemoryBudget>& budget) : bytes_(bytes), budget_(budget) {
    if (bytes > physical_memory()) fail(Code::limit_memory, "decoding needs ", bytes, " bytes, the machine has ", physical_memory());
    if (budget_) budget_->take(bytes);
  }
  ~Counted() { if (budget_) budget_->give(bytes_); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  uint64_t bytes_;
  std::shared_ptr<MemoryBudget> budget_;
};

class Canvas {
 public:
  explicit Canvas(const RunContext& context) : context_(context) {}

  // Once, with the size that the file declares. `file_bytes_least`: how many bytes such a file has at least, so that a lie costs nothing.
  void start(uint64_t height, uint64_t width, uint64_t bytes = 0, double file_bytes_least = 0) {
    if (height == 0 || width == 0) fail(Code::bad_file, "an image of ", height, " by ", width, " pixels");
    if (double(bytes) < file_bytes_least) fail(Code::bad_file, height, " by ", width, " pixels in ", bytes, " bytes");
    if (height > most_pixels || width > most_pixels || height * width > most_pixels)
      fail(Code::limit_size, "an image of ", height, " by ", width, " pixels, the most is ", most_pixels, " pixels");
    image_ = Tensor(DataType::u8, {int64_t(height), int64_t(width), 3}, context_.budget);
  }
  int64_t height() const { return image_.dims()[0]; }
  int64_t width() const { return image_.dims()[1]; }
  uint8_t* row(int64_t y) const { return image_.data<uint8_t>() + y * width() * 3; }
  void gray(int64_t y, int64_t x, uint8_t v) const { color(y, x, v, v, v); }
  void color(int64_t y, int64_t x, uint8_t r, uint8_t g, uint8_t b) const {
    uint8_t* p = row(y) + x * 3;
    p[0] = r, p[1] = g, p[2] = b;
  }

  Counted count(uint64_t bytes) const { return {bytes, context_.budget}; }
  std::shared_ptr<uint8_t> room(uint64_t bytes) const { return std::static_pointer_cast<uint8_t>(allocate(bytes, context_.budget)); }
  void check() const { context_.check(); }               // between rows: cancelled, out of time
  const Tensor& finished() const { return image_; }

 private:
  const RunContext& context_;
  Tensor image_;
};

}  // namespace onward::image
