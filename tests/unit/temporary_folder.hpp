// A folder of a test's own, gone with all that is in it when the test ends, also by a failed assertion.
#pragma once

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace cardea::test {

class TemporaryFolder {
public:
  TemporaryFolder() {
    if (::mkdtemp(path_.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

private:
  std::string path_ = (std::filesystem::temp_directory_path() / "cardea-test-XXXXXX").string();
};

}  // namespace cardea::test
