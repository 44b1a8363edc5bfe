#include "onward/base/temporary_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "onward/base/error.h"

namespace onward {

TemporaryFolder::TemporaryFolder(std::string_view prefix) {
  const char* wanted = std::getenv("TMPDIR");
  path_ = text(wanted && *wanted ? wanted : "/tmp", "/", prefix, "-XXXXXX");
  if (!mkdtemp(path_.data())) fail(Code::io, path_, ": the folder cannot be made: ", std::strerror(errno));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace onward
