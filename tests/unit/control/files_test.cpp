#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "../temporary_folder.hpp"
#include "control/files_thread.hpp"
#include "world.hpp"

namespace cardea::control {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

class FilesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FilesTest);
  CPPUNIT_TEST(a_file_is_replaced_as_a_whole_and_private);
  CPPUNIT_TEST(a_file_that_cannot_be_written_is_an_error_and_leaves_the_old_one);
  CPPUNIT_TEST(waiting_saves_of_one_path_become_the_newest);
  CPPUNIT_TEST(what_waits_is_written_at_the_end);
  CPPUNIT_TEST(too_much_that_waits_is_refused);
  CPPUNIT_TEST(a_plugin_saves_inside_its_folder_and_is_told_in_a_turn);
  CPPUNIT_TEST(a_path_outside_the_folder_is_refused);
  CPPUNIT_TEST(a_call_from_another_thread_comes_in_a_turn);
  CPPUNIT_TEST(a_call_that_throws_ends_nothing_else);
  CPPUNIT_TEST(a_plugin_learns_that_an_exchange_is_complete_after_its_event);
  CPPUNIT_TEST_SUITE_END();

  test::TemporaryFolder folder_;
  std::string path(const char* name) const { return folder_.path() + "/" + name; }

  // Turns until something is true; it comes from another thread.
  template <class Condition>
  static bool turn_until(World& world, Condition condition) {
    for (int i = 0; i < 5000 && !condition(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      world.turn();
    }
    return condition();
  }

public:
  void a_file_is_replaced_as_a_whole_and_private() {
    CPPUNIT_ASSERT(write_file(path("a"), "one"));
    CPPUNIT_ASSERT(write_file(path("a"), "two"));
    CPPUNIT_ASSERT_EQUAL(std::string("two"), content_of(path("a")));
    struct stat info {};
    CPPUNIT_ASSERT_EQUAL(0, ::stat(path("a").c_str(), &info));
    CPPUNIT_ASSERT_EQUAL(mode_t{0600}, info.st_mode & 0777);
    CPPUNIT_ASSERT(!std::filesystem::exists(path("a.new")));
  }

  void a_file_that_cannot_be_written_is_an_error_and_leaves_the_old_one() {
    CPPUNIT_ASSERT(write_file(path("a"), "one"));
    std::filesystem::create_directory(path("a.new"));  // in the way
    const Status status = write_file(path("a"), "two");
    CPPUNIT_ASSERT(!status);
    CPPUNIT_ASSERT(status.error().reason.starts_with(path("a") + ": cannot be opened"));
    CPPUNIT_ASSERT_EQUAL(std::string("one"), content_of(path("a")));
  }

  void waiting_saves_of_one_path_become_the_newest() {
    FilesThread files;
    std::atomic<int> told{0}, failed{0};
    std::atomic<bool> held{false}, go{false};
    // The thread is held in the word of the first save while the others come.
    CPPUNIT_ASSERT(files.save(path("first"), "", [&](Status) {
      held = true;
      while (!go) std::this_thread::yield();
    }));
    while (!held) std::this_thread::yield();
    for (const char* content : {"one", "two", "three"})
      CPPUNIT_ASSERT(files.save(path("a"), content, [&](Status status) { status ? ++told : ++failed; }));
    go = true;
    files.stop();
    CPPUNIT_ASSERT_EQUAL(std::string("three"), content_of(path("a")));
    CPPUNIT_ASSERT_EQUAL(3, told.load());
    CPPUNIT_ASSERT_EQUAL(0, failed.load());
  }

  void what_waits_is_written_at_the_end() {
    FilesThread files;
    for (int i = 0; i < 50; ++i) CPPUNIT_ASSERT(files.save(path(std::to_string(i).c_str()), "x", {}));
    files.stop();
    for (int i = 0; i < 50; ++i) CPPUNIT_ASSERT_EQUAL(std::string("x"), content_of(path(std::to_string(i).c_str())));
    CPPUNIT_ASSERT(!files.save(path("late"), "x", {}));
  }

  void too_much_that_waits_is_refused() {
    FilesThread files;
    std::atomic<bool> held{false}, go{false};
    CPPUNIT_ASSERT(files.save(path("first"), "", [&](Status) {
      held = true;
      while (!go) std::this_thread::yield();
    }));
    while (!held) std::this_thread::yield();
    const std::string large(FilesThread::max_waiting_bytes / 2 + 1, 'x');
    CPPUNIT_ASSERT(files.save(path("a"), large, {}));
    CPPUNIT_ASSERT(!files.save(path("b"), large, {}));
    CPPUNIT_ASSERT(files.save(path("a"), "small", {}));  // in its place
    CPPUNIT_ASSERT(files.save(path("b"), "small", {}));
    go = true;
  }

  void a_plugin_saves_inside_its_folder_and_is_told_in_a_turn() {
    World world({}, 1, folder_.path());
    std::optional<Status> outcome;
    world.plugin->services.save("rooms.json", "{}", [&](Status status) { outcome = status; });
    CPPUNIT_ASSERT(!outcome);
    CPPUNIT_ASSERT(turn_until(world, [&] { return outcome.has_value(); }));
    CPPUNIT_ASSERT(outcome->has_value());
    CPPUNIT_ASSERT_EQUAL(std::string("{}"), content_of(path("cardea.plugin.fake/rooms.json")));
  }

  void a_path_outside_the_folder_is_refused() {
    World world({}, 1, folder_.path());
    int refused = 0;
    for (const char* bad : {"../x", "a/../../x", "/etc/x", ""})
      world.plugin->services.save(bad, "x", [&](Status status) { refused += status ? 0 : 1; });
    world.pass(0s);
    CPPUNIT_ASSERT_EQUAL(4, refused);
  }

  void a_call_from_another_thread_comes_in_a_turn() {
    World world;
    std::thread::id ran;
    std::thread other([&] { world.plugin->services.post([&] { ran = std::this_thread::get_id(); }); });
    other.join();
    CPPUNIT_ASSERT(ran == std::thread::id());
    world.pass(0s);
    CPPUNIT_ASSERT(ran == std::this_thread::get_id());
  }

  void a_call_that_throws_ends_nothing_else() {
    World world;
    bool second = false;
    world.plugin->services.post([] { throw std::runtime_error("in a call"); });
    world.plugin->services.post([&] { second = true; });
    world.pass(0s);
    CPPUNIT_ASSERT(second);
  }

  void a_plugin_learns_that_an_exchange_is_complete_after_its_event() {
    World world;
    const uint64_t session = world.create(), handle = world.attach(session);
    world.does(session, handle, "accept", offer());
    CPPUNIT_ASSERT_EQUAL(std::string("negotiated a:true"), world.plugin->log.back());
    world.does(session, handle, "offer");
    CPPUNIT_ASSERT_EQUAL(std::string("negotiated a:true"), world.plugin->log.back());
    world.plugin->log.clear();
    world.does(session, handle, "answered", answer());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, world.plugin->log.size());
    CPPUNIT_ASSERT_EQUAL(std::string("answer"), world.plugin->log[0]);
    CPPUNIT_ASSERT_EQUAL(std::string("negotiated a:true"), world.plugin->log[1]);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FilesTest);

}  // namespace cardea::control
