// The objects of a JSON text, cut apart without being understood: in lines, in one array, or one behind another.
#pragma once
#include <memory>
#include <optional>

#include "onward/data/byte_source.h"

namespace onward {

class JsonObjects {
 public:
  JsonObjects(std::unique_ptr<ByteSource> source, size_t most_bytes) : source_(std::move(source)), most_bytes_(most_bytes) {}

  // The bytes of the next object, until the next call. Throws Error{bad_file} for anything else between objects.
  std::optional<std::string_view> next();
  int64_t line() const { return line_; }                 // on which that object begins
  const std::string& name() const { return source_->name; }

 private:
  bool skip_to_object();
  size_t end_of_object();
  bool more();
  [[noreturn]] void fail_here(std::string_view what) const;

  std::unique_ptr<ByteSource> source_;
  size_t most_bytes_;
  std::string buffer_;
  size_t at_ = 0;                                        // the object, then what is behind it
  int64_t line_ = 1, lines_inside_ = 0;
  bool ended_ = false, array_ = false, closed_ = false, first_ = true, comma_ = false;
};

}  // namespace onward
