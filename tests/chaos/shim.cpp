// Loaded into the gateway before all other libraries (LD_PRELOAD): counts its allocations and system calls by kind from
// a chosen moment on, and lets some of them fail. tests/lib/chaos.mjs says what through a page of shared memory, the
// file that CARDEA_CHAOS names, and reads there what was done.
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>

namespace {

// In the order of `kinds` in tests/lib/chaos.mjs. `disk`: whatever a file of a disk is asked for.
enum Kind : uint64_t {
  memory,
  object,
  make_socket,
  bind_socket,
  take_connection,
  watch,
  wait_for,
  receive_many,
  receive_one,
  send_many,
  send_one,
  read_some,
  write_some,
  open_file,
  disk,
  make_eventfd,
  make_thread,
  randomness,
  kind_count
};

struct Page {
  // written by the driver
  std::atomic<uint64_t> armed;        // 1: count, and fail what is chosen
  std::atomic<uint64_t> kind;         // which fails
  std::atomic<uint64_t> first, last;  // the calls that fail, from 1; 0: none
  std::atomic<uint64_t> error;        // errno
  std::atomic<int64_t> clock_step;    // seconds that the clock of the day is off
  // written here
  std::atomic<uint64_t> failed;              // how many were
  std::atomic<uint64_t> counts[kind_count];  // calls of each kind since armed
  char where[1024];                          // the first that failed: thread, then module+offset of its callers
};
static_assert(offsetof(Page, failed) == 48 && offsetof(Page, where) == 56 + 8 * kind_count);

// Allocations that these make for themselves do not fail: the process cannot outlive it, whatever we do. The loader and
// the unwinder end it, having no other way. usrsctp 0.9.5 writes the count of a buffer's users (m_clget) without a look
// at whether there is memory for it.
constexpr const char* spared[] = {"/ld-linux", "/libgcc_s.", "/libusrsctp."};

Page* page = nullptr;
thread_local bool busy = false;

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

bool is_spared(void* caller) {
  dl_find_object found{};  // not dladdr(): it goes through all symbols
  if (_dl_find_object(caller, &found) != 0) return false;
  for (const char* module : spared)
    if (strstr(found.dlfo_link_map->l_name, module) != nullptr) return true;
  return false;
}

void tell_where() {
  void* frames[24];
  const int count = backtrace(frames, 24);
  char name[17] = {};
  prctl(PR_GET_NAME, name);
  int at = snprintf(page->where, sizeof page->where, "[%s]", name);
  for (int i = 2; i < count; ++i) {
    Dl_info info{};
    if (dladdr(frames[i], &info) == 0 || info.dli_fname == nullptr) continue;
    const char* file = strrchr(info.dli_fname, '/');
    const auto room = sizeof page->where - static_cast<size_t>(at);
    const int more = snprintf(page->where + at, room, " %s+0x%tx", file != nullptr ? file + 1 : info.dli_fname,
                              static_cast<char*>(frames[i]) - static_cast<char*>(info.dli_fbase) - 1);
    if (more < 0 || static_cast<size_t>(more) >= room) break;
    at += more;
  }
}

// Counts a call; true with errno set: it is to fail.
bool fails(Kind kind, void* caller) {
  if (page == nullptr || busy || page->armed.load(std::memory_order_acquire) == 0) return false;
  busy = true;
  bool fail = false;
  if (kind > object || !is_spared(caller)) {
    const uint64_t number = page->counts[kind].fetch_add(1) + 1;
    fail = kind == page->kind && number >= page->first && number <= page->last;
    if (fail && page->failed.fetch_add(1) == 0) tell_where();
  }
  busy = false;
  if (fail) errno = static_cast<int>(page->error.load());
  return fail;
}

bool on_disk(int fd) {
  struct stat info {};
  return page != nullptr && page->armed != 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

__attribute__((constructor)) void begin() {
  const char* path = getenv("CARDEA_CHAOS");
  const int fd = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* frame;
  backtrace(&frame, 1);  // loads what it needs, while nothing fails
  void* made = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (made != MAP_FAILED) page = static_cast<Page*>(made);
}

}  // namespace

#define CALLER __builtin_return_address(0)

// A call that fails with -1 and errno, or goes on to the real one.
#define SHIM(result, name, kind, parameters, arguments)                                                                \
  extern "C" result name parameters {                                                                                  \
    if (fails(kind, CALLER)) return static_cast<result>(-1);                                                           \
    static const auto real = next<result(*) parameters>(#name);                                                        \
    return real arguments;                                                                                             \
  }

// glibc's own, under the names that it gives to those who stand before it: dlsym() itself may allocate.
extern "C" void* __libc_malloc(size_t);
extern "C" void* __libc_calloc(size_t, size_t);
extern "C" void* __libc_realloc(void*, size_t);
extern "C" void* __libc_memalign(size_t, size_t);

extern "C" void* malloc(size_t size) { return fails(memory, CALLER) ? nullptr : __libc_malloc(size); }
extern "C" void* calloc(size_t n, size_t size) { return fails(memory, CALLER) ? nullptr : __libc_calloc(n, size); }
extern "C" void* realloc(void* old, size_t size) { return fails(memory, CALLER) ? nullptr : __libc_realloc(old, size); }
extern "C" void* memalign(size_t to, size_t size) {
  return fails(memory, CALLER) ? nullptr : __libc_memalign(to, size);
}
extern "C" void* aligned_alloc(size_t to, size_t size) {
  return fails(memory, CALLER) ? nullptr : __libc_memalign(to, size);
}
extern "C" int posix_memalign(void** out, size_t to, size_t size) {
  void* made = fails(memory, CALLER) ? nullptr : __libc_memalign(to, size);
  if (made == nullptr) return ENOMEM;
  *out = made;
  return 0;
}

namespace {
void* make_object(size_t size, size_t alignment, void* caller) {
  void* made = nullptr;
  if (!fails(object, caller))
    made = alignment == 0 ? __libc_malloc(size == 0 ? 1 : size) : __libc_memalign(alignment, size);
  if (made == nullptr) throw std::bad_alloc();
  return made;
}
}  // namespace

void* operator new(size_t size) { return make_object(size, 0, CALLER); }
void* operator new[](size_t size) { return make_object(size, 0, CALLER); }
void* operator new(size_t size, std::align_val_t to) { return make_object(size, static_cast<size_t>(to), CALLER); }
void* operator new[](size_t size, std::align_val_t to) { return make_object(size, static_cast<size_t>(to), CALLER); }
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return fails(object, CALLER) ? nullptr : __libc_malloc(size == 0 ? 1 : size);
}

SHIM(int, socket, make_socket, (int domain, int type, int protocol), (domain, type, protocol))
SHIM(int, bind, bind_socket, (int fd, const sockaddr* to, socklen_t size), (fd, to, size))
SHIM(int, accept, take_connection, (int fd, sockaddr* from, socklen_t* size), (fd, from, size))
SHIM(int, accept4, take_connection, (int fd, sockaddr* from, socklen_t* size, int flags), (fd, from, size, flags))
SHIM(int, epoll_ctl, watch, (int epoll, int what, int fd, epoll_event* event) noexcept, (epoll, what, fd, event))
SHIM(int, epoll_wait, wait_for, (int epoll, epoll_event* events, int room, int ms), (epoll, events, room, ms))
SHIM(int, epoll_pwait2, wait_for,
     (int epoll, epoll_event* events, int room, const timespec* limit, const sigset_t* mask),
     (epoll, events, room, limit, mask))
SHIM(int, poll, wait_for, (pollfd * all, nfds_t count, int ms), (all, count, ms))
SHIM(int, ppoll, wait_for, (pollfd * all, nfds_t count, const timespec* limit, const sigset_t* mask),
     (all, count, limit, mask))
SHIM(int, recvmmsg, receive_many, (int fd, mmsghdr* all, unsigned count, int flags, timespec* limit),
     (fd, all, count, flags, limit))
SHIM(ssize_t, recv, receive_one, (int fd, void* to, size_t size, int flags), (fd, to, size, flags))
SHIM(ssize_t, recvfrom, receive_one, (int fd, void* to, size_t size, int flags, sockaddr* from, socklen_t* length),
     (fd, to, size, flags, from, length))
SHIM(int, sendmmsg, send_many, (int fd, mmsghdr* all, unsigned count, int flags), (fd, all, count, flags))
SHIM(ssize_t, send, send_one, (int fd, const void* from, size_t size, int flags), (fd, from, size, flags))
SHIM(ssize_t, sendto, send_one,
     (int fd, const void* from, size_t size, int flags, const sockaddr* to, socklen_t length),
     (fd, from, size, flags, to, length))
SHIM(int, eventfd, make_eventfd, (unsigned count, int flags) noexcept, (count, flags))
SHIM(ssize_t, getrandom, randomness, (void* to, size_t size, unsigned flags), (to, size, flags))
SHIM(int, fsync, disk, (int fd), (fd))
SHIM(int, rename, disk, (const char* from, const char* to) noexcept, (from, to))

extern "C" ssize_t read(int fd, void* to, size_t size) {
  if (fails(on_disk(fd) ? disk : read_some, CALLER)) return -1;
  static const auto real = next<ssize_t (*)(int, void*, size_t)>("read");
  return real(fd, to, size);
}
extern "C" ssize_t write(int fd, const void* from, size_t size) {
  if (fails(on_disk(fd) ? disk : write_some, CALLER)) return -1;
  static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
  return real(fd, from, size);
}

#define OPEN(name)                                                                                                     \
  extern "C" int name(const char* path, int flags, ...) {                                                              \
    if (fails(open_file, CALLER)) return -1;                                                                           \
    va_list more;                                                                                                      \
    va_start(more, flags);                                                                                             \
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;                               \
    va_end(more);                                                                                                      \
    static const auto real = next<int (*)(const char*, int, ...)>(#name);                                              \
    return real(path, flags, mode);                                                                                    \
  }
OPEN(open)
OPEN(open64)

extern "C" int pthread_create(pthread_t* made, const pthread_attr_t* how, void* (*run)(void*), void* with) noexcept {
  if (fails(make_thread, CALLER)) return errno;
  static const auto real = next<int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  return real(made, how, run, with);
}

// The clock of the day only: nobody can set the one that only goes on.
extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  static const auto real = next<int (*)(clockid_t, timespec*)>("clock_gettime");
  const int status = real(clock, now);
  if (page != nullptr && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += page->clock_step;
  return status;
}
extern "C" time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
extern "C" int gettimeofday(timeval* out, void*) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  *out = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}
