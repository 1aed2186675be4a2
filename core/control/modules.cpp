#include "control/modules.hpp"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "cardea/text.hpp"

namespace cardea::control {
namespace {

bool listed(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Why the door does not fit; "" if it does.
std::string misfit(const CardeaModule& door, CardeaModuleKind kind) {
  if (door.abi != module_abi) return text("made for ABI ", door.abi, ", this gateway has ", module_abi);
  if (door.toolchain == nullptr || std::strcmp(door.toolchain, module_toolchain) != 0)
    return text("made with ", door.toolchain == nullptr ? "?" : door.toolchain, ", this gateway with ",
                module_toolchain);
  if (door.kind != kind) return kind == cardea_plugin ? "is no plugin" : "is no transport";
  if (door.package == nullptr || *door.package == 0 || door.create == nullptr) return "has no name or no maker";
  return {};
}

std::vector<std::filesystem::path> shared_objects(const std::string& folder, std::vector<std::string>& failures) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().extension() == ".so") files.push_back(entry.path());
  if (error) failures.push_back(text(folder, ": ", error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

// Whether the file has all that the linker will map: it would die of a bus error in the middle of one that was cut
// short. What is no ELF file is the linker's to refuse.
bool is_whole(const std::filesystem::path& path) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  ElfW(Ehdr) header{};
  auto read = [&](void* into, size_t bytes) {
    return static_cast<bool>(file.read(static_cast<char*>(into), static_cast<std::streamsize>(bytes)));
  };
  if (error || !read(&header, sizeof header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return true;
  file.seekg(static_cast<std::streamoff>(header.e_phoff));
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment{};
    if (!read(&segment, sizeof segment)) return false;
    if (segment.p_type == PT_LOAD && (segment.p_filesz > size || segment.p_offset > size - segment.p_filesz))
      return false;
  }
  return true;
}

}  // namespace

std::string short_name(std::string_view package) { return std::string(package.substr(package.rfind('.') + 1)); }

std::string ModuleFile::short_name() const { return control::short_name(door->package); }

bool answers_to(const CardeaModule& door, std::string_view name) {
  constexpr std::string_view ours = "cardea.", theirs = "janus.";
  std::string_view package = door.package;
  if (name == package) return true;
  if (package.starts_with(ours) && name.starts_with(theirs) &&
      package.substr(ours.size()) == name.substr(theirs.size()))
    return true;
  return door.alias != nullptr && name == door.alias;
}

Found load_modules(const std::vector<std::string>& folders, CardeaModuleKind kind,
                   const std::vector<std::string>& disabled) {
  Found found;
  for (const std::string& folder : folders) {
    for (const auto& file : shared_objects(folder, found.failures)) {
      auto fail = [&](std::string_view why) { found.failures.push_back(text(file.string(), ": ", why)); };
      if (listed(disabled, file.filename().string()) || listed(disabled, file.stem().string())) continue;
      if (!is_whole(file)) {
        fail("is cut short");
        continue;
      }
      // Not closed again, whatever it turns out to be: a library may have left threads or pointers behind.
      void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (library == nullptr) {
        fail(dlerror());
        continue;
      }
      const auto* door = static_cast<const CardeaModule*>(dlsym(library, "cardea_module"));
      std::string why = door == nullptr ? "is no module (it has no cardea_module)" : misfit(*door, kind);
      if (!why.empty()) {
        fail(why);
        continue;
      }
      ModuleFile module{file.string(), door};
      if (listed(disabled, module.package()) || listed(disabled, module.short_name())) continue;
      auto twin = std::find_if(found.modules.begin(), found.modules.end(),
                               [&](const ModuleFile& other) { return other.short_name() == module.short_name(); });
      if (twin != found.modules.end()) {
        fail(text("the package ", door->package, " is there already, from ", twin->path));
        continue;
      }
      found.modules.push_back(std::move(module));
    }
  }
  std::sort(found.modules.begin(), found.modules.end(),
            [](const ModuleFile& a, const ModuleFile& b) { return a.package() < b.package(); });
  return found;
}

}  // namespace cardea::control
