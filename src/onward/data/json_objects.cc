#include "onward/data/json_objects.h"

#include <algorithm>

#include "onward/base/error.h"

namespace onward {

std::optional<std::string_view> JsonObjects::next() {
  line_ += std::exchange(lines_inside_, 0);
  if (!skip_to_object()) return {};
  const size_t end = end_of_object();                    // may move the object to the buffer's front
  const std::string_view object = std::string_view(buffer_).substr(at_, end - at_);
  lines_inside_ = std::count(object.begin(), object.end(), '\n');
  at_ = end, first_ = comma_ = false;
  return object;
}

// Over spaces, and over the brackets and commas of an array. False at the end.
bool JsonObjects::skip_to_object() {
  if (first_ && buffer_.empty() && more() && buffer_.starts_with("\xef\xbb\xbf")) at_ = 3;
  for (;; ++at_) {
    if (at_ == buffer_.size() && !more()) {
      if (array_ && !closed_) fail_here("the array is never closed");
      return false;
    }
    const char c = buffer_[at_];
    if (c == '\n') ++line_;
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    if (closed_) fail_here("text behind the array's end");
    if (c == '{') {
      if (array_ && !first_ && !comma_) fail_here("a comma is missing between two objects");
      return true;
    }
    if (c == '[' && first_ && !array_) array_ = true;
    else if (c == ',' && array_ && !first_ && !comma_) comma_ = true;
    else if (c == ']' && array_ && !comma_) closed_ = true;
    else fail_here(text("expected an object {…}, found '", std::string_view(buffer_).substr(at_, 20), "'"));
  }
}

size_t JsonObjects::end_of_object() {
  size_t i = at_;
  int64_t depth = 0;
  bool inside_text = false, escaped = false;
  for (;; ++i) {
    if (i == buffer_.size()) {
      const size_t done = i - at_;
      if (done > most_bytes_) fail_here(text("an object of more than ", most_bytes_, " bytes"));
      if (!more()) fail_here("the object is never closed");
      i = at_ + done;
    }
    const char c = buffer_[i];
    if (inside_text) {
      if (escaped) escaped = false;
      else if (c == '\\') escaped = true;
      else if (c == '"') inside_text = false;
    } else if (c == '"') {
      inside_text = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
}

bool JsonObjects::more() {
  if (ended_) return false;
  const size_t block = std::clamp<size_t>(most_bytes_, 1 << 10, 1 << 18);
  buffer_.erase(0, at_);
  at_ = 0;
  const size_t before = buffer_.size();
  buffer_.resize(before + block);
  const size_t got = source_->read(buffer_.data() + before, block);
  buffer_.resize(before + got);
  ended_ = got < block;
  return got > 0;
}

void JsonObjects::fail_here(std::string_view what) const { fail(Code::bad_file, name(), ": line ", line_, ": ", what); }

}  // namespace onward
