// Gives a fuzz target every file of the folders and files named: a crash, a hang or a sanitizer's report is the failure.
//
//   fuzz_NAME FILE...                            each once
//   fuzz_NAME --mutate SECONDS KEPT SEED FILE... changed ones for that long; one whose outcome is new is kept in the folder KEPT and changed
//                                                further. Needs no clang: a target's own mutator, if it has one, and its outcomes are the guide.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" [[gnu::weak]] size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed);
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);
extern "C" [[gnu::weak]] const char* onward_fuzz_outcome();       // what the last input came to

namespace {

std::mt19937 random_bytes;
size_t below(size_t n) { return n ? std::uniform_int_distribution<size_t>(0, n - 1)(random_bytes) : 0; }

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {(std::istreambuf_iterator<char>(file)), {}};
}
void files_of(const std::filesystem::path& path, std::vector<std::filesystem::path>& files) {
  if (!std::filesystem::is_directory(path)) return files.push_back(path);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) if (entry.is_regular_file()) files.push_back(entry.path());
}
void give(const std::string& bytes) { LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()); }

int mutate(double seconds, const std::filesystem::path& kept, unsigned seed, const std::vector<std::filesystem::path>& files) {
  constexpr size_t longest = 64 << 10;
  random_bytes.seed(seed);
  std::filesystem::create_directories(kept);
  std::vector<std::string> inputs;
  for (const auto& file : files) if (std::filesystem::file_size(file) <= longest) inputs.push_back(bytes_of(file));
  if (inputs.empty()) return std::fprintf(stderr, "no input of at most %zu bytes\n", longest), 1;
  std::set<std::string> outcomes;
  const auto started = std::chrono::steady_clock::now();
  size_t runs = 0, added = 0;
  for (double elapsed = 0; elapsed < seconds; elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count()) {
    std::string input = inputs[below(inputs.size())];
    size_t size = input.size();
    input.resize(longest);
    auto* const data = reinterpret_cast<uint8_t*>(input.data());
    size = LLVMFuzzerCustomMutator ? LLVMFuzzerCustomMutator(data, size, longest, unsigned(random_bytes())) : LLVMFuzzerMutate(data, size, longest);
    input.resize(size);
    std::ofstream(kept / "running", std::ios::binary) << input;   // what to look at after a crash
    give(input);
    ++runs;
    if (!onward_fuzz_outcome || !outcomes.insert(onward_fuzz_outcome()).second) continue;
    inputs.push_back(input);
    std::ofstream(kept / (std::to_string(seed) + "-" + std::to_string(added++)), std::ios::binary) << input;
  }
  std::filesystem::remove(kept / "running");
  return std::printf("%zu inputs, %zu outcomes\n", runs, outcomes.size()), 0;
}

}  // namespace

// libFuzzer's own changes of bytes, where the target's mutator asks for them.
extern "C" [[gnu::weak]] size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size) {
  for (size_t changes = 1 + below(4); changes > 0; --changes) switch (below(4)) {
      case 0: if (size) data[below(size)] ^= uint8_t(1 << below(8)); break;
      case 1: if (size) data[below(size)] = uint8_t(random_bytes()); break;
      case 2: if (size > 1) size = 1 + below(size - 1); break;
      default:                                            // some bytes are repeated elsewhere
        if (const size_t n = std::min<size_t>(1 + below(16), size / 2), at = below(size - n + 1); n && size + n <= max_size) {
          std::copy_backward(data + at, data + size, data + size + n);
          size += n;
        }
    }
  return size;
}

int main(int count, char** arguments) {
  std::vector<std::filesystem::path> files;
  const bool changed = count > 4 && std::string(arguments[1]) == "--mutate";
  for (int i = changed ? 5 : 1; i < count; ++i) files_of(arguments[i], files);
  if (changed) return mutate(std::atof(arguments[2]), arguments[3], unsigned(std::atoi(arguments[4])), files);
  for (const auto& path : files) std::fprintf(stderr, "%s\n", path.c_str()), give(bytes_of(path));
  std::printf("%zu inputs\n", files.size());
  return files.empty();
}
