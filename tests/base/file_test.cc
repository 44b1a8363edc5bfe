// Files appear whole or not at all.
#include "onward/base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "onward/base/error.h"

namespace onward {
namespace {

struct Files : testing::Test {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "onward_files";
  const std::string path = folder / "f";
  Files() { std::filesystem::remove_all(folder), std::filesystem::create_directory(folder); }
  ~Files() override { std::filesystem::remove_all(folder); }
  bool empty() const { return std::filesystem::is_empty(folder); }
};

TEST_F(Files, AppearWhenTheyAreCommitted) {
  write_file(path, "before");
  FileWriter file(path);
  file.write("after");
  EXPECT_EQ(file.so_far().bytes, "after");
  EXPECT_EQ(file.size(), 5u);
  EXPECT_EQ(map_file(path).bytes, "before");
  file.commit();
  EXPECT_EQ(map_file(path).bytes, "after");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST_F(Files, LeaveNothingWhereTheyAreNotCommitted) {
  { FileWriter(path).write(std::string(3 << 20, 'x')); }
  EXPECT_TRUE(empty());
}

TEST_F(Files, LeaveNothingWhereTheProcessIsKilled) {
  const int unnamed = open(folder.c_str(), O_TMPFILE | O_WRONLY, 0600);
  if (unnamed < 0) GTEST_SKIP() << "this file system has no files without names";
  close(unnamed);
  const pid_t child = fork();
  if (child == 0) {
    FileWriter file(path);
    file.write(std::string(3 << 20, 'x'));
    kill(getpid(), SIGKILL);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(empty());
}

TEST_F(Files, MappedPagesThatAreLetGoAreReadAgain) {
  const std::string content(1 << 20, 'x');
  write_file(path, content);
  const MappedFile file = map_file(path);
  let_go(file.owner, file.bytes.substr(100, 500'000));
  EXPECT_EQ(file.bytes, content);
  const auto text = std::make_shared<std::string>(content);
  let_go(text, *text);                                   // no file's: it stays as it is
  EXPECT_EQ(*text, content);
}

TEST_F(Files, InNoFolderAreAnError) {
  EXPECT_THROW(FileWriter(folder / "none" / "f"), Error);
  EXPECT_THROW(map_file(folder), Error);
}

}  // namespace
}  // namespace onward
