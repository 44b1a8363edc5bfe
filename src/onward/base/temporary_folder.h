// A folder for files that another process shall read or write; gone at the end.
#pragma once
#include <string>
#include <string_view>

namespace onward {

class TemporaryFolder {
 public:
  explicit TemporaryFolder(std::string_view prefix);     // throws Error{io}
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace onward
