// The files thread: writes what modules keep between runs, so that no control turn waits for a disk.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cardea/result.hpp"

namespace cardea::control {

// Replaces the file as a whole: after a crash there is the old content or the new one. Mode 0600.
Status write_file(const std::string& path, const std::string& content);

class FilesThread {
public:
  static constexpr size_t max_waiting_bytes = 256u << 20;

  using Done = std::function<void(Status)>;
  ~FilesThread() { stop(); }

  // The newest content of a path is written, once; each `done` is called on the files thread with the outcome. An error
  // at once if too much waits.
  Status save(std::string path, std::string content, Done done);
  // Writes what waits, then ends the thread. Nothing is taken after it.
  void stop();

private:
  struct Save {
    std::string path, content;
    std::vector<Done> done;
  };
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Save> waiting_;  // oldest first, one per path
  size_t waiting_bytes_ = 0;
  bool stopping_ = false;
  std::thread thread_;  // from the first save on
};

}  // namespace cardea::control
