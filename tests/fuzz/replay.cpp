// Replays the kept corpus of a fuzz target and prints TAP. The corpus is tests/fuzz/corpus/<name> for the program
// <name>_fuzz.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  if (argc > 1) {
    for (int i = 1; i < argc; ++i) files.emplace_back(argv[i]);
  } else {
    const char* source = std::getenv("top_srcdir");
    std::string name = fs::path(argv[0]).stem().string();
    if (name.rfind("lt-", 0) == 0) name.erase(0, 3);
    name.erase(name.rfind("_fuzz"));
    for (const auto& entry : fs::directory_iterator(fs::path(source ? source : ".") / "tests/fuzz/corpus" / name))
      files.push_back(entry.path());
  }
  size_t empty_at = files.size();
  printf("1..1\n");
  LLVMFuzzerTestOneInput(nullptr, 0);
  for (const auto& path : files) {
    std::ifstream in(path, std::ios::binary);
    std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  }
  printf("%s 1 - %zu corpus files replayed\n", empty_at > 0 ? "ok" : "not ok", empty_at);
  return empty_at > 0 ? 0 : 1;
}
