#include "control/files_thread.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "cardea/text.hpp"

namespace cardea::control {
namespace {

// A descriptor that is closed in the end.
class File {
public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  explicit operator bool() const { return fd_ >= 0; }
  bool write(std::string_view content) {
    while (!content.empty()) {
      const ssize_t written = ::write(fd_, content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      content.remove_prefix(static_cast<size_t>(written));
    }
    return true;
  }
  bool sync() { return ::fsync(fd_) == 0; }

private:
  const int fd_;
};

}  // namespace

Status write_file(const std::string& path, const std::string& content) {
  const std::string beside = path + ".new";
  auto failed = [&](std::string_view what) {
    Error error{0, text(path, ": ", what, ": ", std::strerror(errno))};
    ::unlink(beside.c_str());
    return error;
  };
  {
    File file(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
    if (!file) return failed("cannot be opened");
    if (!file.write(content) || !file.sync()) return failed("cannot be written");
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) return failed("cannot be replaced");
  // The new name has to survive a power cut, too.
  if (File folder(std::filesystem::path(path).parent_path(), O_RDONLY | O_DIRECTORY); folder) folder.sync();
  return {};
}

Status FilesThread::save(std::string path, std::string content, Done done) {
  std::lock_guard lock(mutex_);
  if (stopping_) return Error{0, text(path, ": the gateway stops")};
  auto same = std::find_if(waiting_.begin(), waiting_.end(), [&](const Save& one) { return one.path == path; });
  const size_t before = same == waiting_.end() ? 0 : same->content.size();
  if (waiting_bytes_ - before + content.size() > max_waiting_bytes)
    return Error{0, text(path, ": too much waits to be written")};
  waiting_bytes_ = waiting_bytes_ - before + content.size();
  if (same == waiting_.end()) same = waiting_.insert(waiting_.end(), Save{std::move(path), {}, {}});
  same->content = std::move(content);
  if (done) same->done.push_back(std::move(done));
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_one();
  return {};
}

void FilesThread::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void FilesThread::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const Save next = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= next.content.size();
    lock.unlock();
    const Status status = write_file(next.path, next.content);
    for (const Done& done : next.done) done(status);
    lock.lock();
  }
}

}  // namespace cardea::control
