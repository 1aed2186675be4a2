// A configuration file as an operator may write it: it is read, or refused with a line that says where. What is read is
// good, or refused with the setting's name.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "control/config.hpp"
#include "control/settings.hpp"

using namespace cardea;
using namespace cardea::control;

namespace {

// One folder for all inputs of the process.
class Folder {
public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cardea-fuzz-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  void write(const uint8_t* data, size_t size) const {
    std::ofstream file(path_ + "/cardea.cfg", std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  }
  const std::string& path() const { return path_; }

private:
  std::string path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Folder folder;
  folder.write(data, size);
  try {
    Configuration configuration = Configuration::read(folder.path(), {});
    std::vector<SettingInfo> known;
    list_settings(known);
    for (const std::string& warning : configuration.leave_out_meaningless("cardea", known))
      if (warning.empty()) std::abort();
    Settings settings;
    if (auto wrong = read_settings(configuration.file("cardea"), settings))
      if (wrong->reason.empty() || configuration.describe("cardea", *wrong).empty()) std::abort();
  } catch (const ConfigError& error) {
    if (std::string_view(error.what()).find("cardea.cfg") == std::string_view::npos) std::abort();
  }
  return 0;
}
