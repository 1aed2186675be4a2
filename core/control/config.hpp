// The configuration as it was written: one JSON object of sections per file, from a folder of libconfig files and
// --set options, and where each setting stands, for error messages.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cardea/json.hpp"
#include "cardea/schema.hpp"

namespace cardea::control {

// Thrown while the house starts; what() is one line for the operator.
class ConfigError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

class Configuration {
public:
  // Reads every *.cfg of the folder ("" : none), then the options "file.section.key=value", which win. Throws
  // ConfigError.
  static Configuration read(const std::string& folder, const std::vector<std::string>& options);

  // The sections of one file, by its name without ".cfg"; an empty object if there is no such file.
  JsonView file(const std::string& name) const;
  std::vector<std::string> files() const;
  bool only_by_option(const std::string& file) const;  // there is no such file, but a --set names it

  // Takes out what stands in a file and has no meaning here, unless it is a known setting; a warning for each.
  std::vector<std::string> leave_out_meaningless(const std::string& file, const std::vector<SettingInfo>& known);

  // "PATH/cardea.cfg:12: general.port: ..." or "--set cardea.general.port: ...".
  std::string describe(const std::string& file, const SettingError& error) const;

private:
  struct File {
    Json sections = Json::object();
    std::string path;                           // "" if only options name it
    std::map<std::string, std::string> places;  // "general.port" -> "PATH/cardea.cfg:12" or "--set"
  };
  void read_file(const std::string& path, const std::string& name);
  void read_option(const std::string& option);

  std::map<std::string, File> files_;
};

// Adds the L that libconfig wants on whole numbers beyond 32 bits (it wraps them around silently otherwise); strings,
// comments, names and line numbers stay as they are. Fails on numbers beyond 64 bits; the error's code is the line.
Result<std::string> mark_long_numbers(std::string_view text);

}  // namespace cardea::control
