// The file of permanent rooms, whatever is in it: what is understood is there after a second start as well.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

#include "fakes.hpp"
#include "rooms.hpp"
#include "unit/temporary_folder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cardea;
  static const test::TemporaryFolder temporary;
  const std::string folder = temporary.path();
  const std::string path = folder + "/rooms.json";
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  size_t first = 0;
  for (int i = 0; i < 2; ++i) {
    test::FakeServices services;
    services.folder = folder;
    videoroom::Rooms rooms(services);
    (void)rooms.configure(*Json::parse(R"({"general": {"permanent_without_key": true}, "room-1": {}})"));
    rooms.start();
    if (i == 1 && rooms.all().size() != first) std::abort();
    for (const videoroom::Room* room : rooms.all()) (void)rooms.save(*room);
    first = rooms.all().size();
    rooms.stop();
  }
  ::unlink(path.c_str());
  return 0;
}
