#include "control/json_memory.hpp"

#include <jansson.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <utility>

namespace cardea::control {
namespace {

constexpr size_t most_kept = 256 * 1024;  // bytes of a thread
constexpr size_t lists = 16;

struct Piece {
  Piece* next;
};

// glibc's pieces are of 24, 40, 56.. bytes; those of list n hold at least 8 + 16 n.
constexpr size_t bytes_of(size_t list) { return 8 + 16 * list; }
constexpr size_t list_of_need(size_t bytes) { return std::max<size_t>(1, (bytes + 7) / 16); }
constexpr size_t list_of_piece(size_t bytes) { return (bytes - 8) / 16; }

struct Kept {
  std::array<Piece*, lists> first;
  size_t bytes;
};
thread_local constinit Kept kept{};

// Of a thread that has ended, what others' destructors give up later goes back at once.
struct AtThreadsEnd {
  ~AtThreadsEnd() {
    kept.bytes = most_kept;
    for (Piece* piece : std::exchange(kept.first, {}))
      while (piece != nullptr) std::free(std::exchange(piece, piece->next));
  }
};

void clear_at_threads_end() {
  thread_local const AtThreadsEnd at_threads_end;
  (void)at_threads_end;
}

void* make(size_t bytes) {
  const size_t list = list_of_need(bytes);
  if (list >= lists || kept.first[list] == nullptr) return std::malloc(bytes);
  kept.bytes -= bytes_of(list);
  return std::exchange(kept.first[list], kept.first[list]->next);
}

void give_up(void* memory) {
  if (memory == nullptr) return;
  const size_t list = list_of_piece(malloc_usable_size(memory));
  if (list >= lists || kept.bytes + bytes_of(list) > most_kept) return std::free(memory);
  if (kept.bytes == 0) clear_at_threads_end();
  kept.bytes += bytes_of(list);
  kept.first[list] = new (memory) Piece{kept.first[list]};
}

}  // namespace

void keep_json_memory() {
// They shall see each piece made and given up.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  json_set_alloc_funcs(make, give_up);
#else
  (void)make, (void)give_up;
#endif
}

}  // namespace cardea::control
