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

constexpr size_t lists = 16;
constexpr size_t most_kept = 256;  // pieces of a list

struct Piece {
  Piece* next;
};

// glibc's pieces are of 24, 40, 56.. bytes; those of list n hold at least 8 + 16 n.
constexpr size_t list_of_need(size_t bytes) { return std::max<size_t>(1, (bytes + 7) / 16); }
constexpr size_t list_of_piece(size_t bytes) { return (bytes - 8) / 16; }

struct Kept {
  struct List {
    Piece* first;
    size_t length;
  };
  std::array<List, lists> of;
  bool begun, over;

  void push(size_t list, void* memory) {
    of[list].first = new (memory) Piece{of[list].first};
    ++of[list].length;
  }
  void* pop(size_t list) {
    --of[list].length;
    return std::exchange(of[list].first, of[list].first->next);
  }
};
thread_local constinit Kept kept{};

// Of a thread that has ended, what others' destructors give up later goes back at once.
struct AtThreadsEnd {
  ~AtThreadsEnd() {
    kept.over = true;
    for (size_t list = 0; list < lists; ++list)
      while (kept.of[list].length > 0) std::free(kept.pop(list));
  }
};

void clear_at_threads_end() {
  kept.begun = true;
  thread_local const AtThreadsEnd at_threads_end;
  (void)at_threads_end;
}

void* make(size_t bytes) {
  const size_t list = list_of_need(bytes);
  if (list >= lists || kept.of[list].length == 0) return std::malloc(bytes);
  return kept.pop(list);
}

void give_up(void* memory) {
  if (memory == nullptr) return;
  const size_t list = list_of_piece(malloc_usable_size(memory));
  if (list >= lists || kept.over || kept.of[list].length == most_kept) return std::free(memory);
  if (!kept.begun) [[unlikely]]
    clear_at_threads_end();
  kept.push(list, memory);
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
