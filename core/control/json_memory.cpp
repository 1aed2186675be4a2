#include "control/json_memory.hpp"

#include <jansson.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

namespace cardea::control {
namespace {

constexpr size_t lists = 16;
constexpr size_t chain_length = 64;  // pieces
constexpr size_t most_stored = 4;    // chains of one list that wait for a thread

struct Piece {
  Piece* next;
};

// glibc's pieces are of 24, 40, 56.. bytes; those of list n hold at least 8 + 16 n.
constexpr size_t list_of_need(size_t bytes) { return std::max<size_t>(1, (bytes + 7) / 16); }
constexpr size_t list_of_piece(size_t bytes) { return (bytes - 8) / 16; }

struct Chain {
  Piece* first;
  size_t length;

  void push(void* memory) {
    first = new (memory) Piece{first};
    ++length;
  }
  void* pop() {
    --length;
    return std::exchange(first, first->next);
  }
  void free_all() {
    while (length > 0) std::free(pop());
  }
};

// Whole chains, from threads that give up more than they make to those that make more. Its lock is taken once for a
// chain's pieces.
class Store {
public:
  void put(size_t list, Chain chain) {
    {
      std::lock_guard lock(mutex_);
      Shelf& shelf = shelves_[list];
      if (shelf.count < most_stored) {
        shelf.chains[shelf.count++] = chain;
        return;
      }
    }
    chain.free_all();
  }
  Chain take(size_t list) {
    std::lock_guard lock(mutex_);
    Shelf& shelf = shelves_[list];
    return shelf.count == 0 ? Chain{} : shelf.chains[--shelf.count];
  }

private:
  struct Shelf {
    std::array<Chain, most_stored> chains;
    size_t count;
  };
  std::mutex mutex_;
  std::array<Shelf, lists> shelves_{};
};
constinit Store store;

// One chain to work with and a full or an empty one, so that a thread in the middle between making and giving up does
// not go to the store.
struct Kept {
  std::array<Chain, lists> used, spare;
  bool begun, over;
};
thread_local constinit Kept kept{};

// Of a thread that has ended, what others' destructors give up later goes back at once.
struct AtThreadsEnd {
  ~AtThreadsEnd() {
    kept.over = true;
    for (size_t list = 0; list < lists; ++list) {
      kept.used[list].free_all();
      kept.spare[list].free_all();
    }
  }
};

void clear_at_threads_end() {
  kept.begun = true;
  thread_local const AtThreadsEnd at_threads_end;
  (void)at_threads_end;
}

void* make(size_t bytes) {
  const size_t list = list_of_need(bytes);
  if (list >= lists || kept.over) return std::malloc(bytes);
  Chain& used = kept.used[list];
  if (used.length == 0) [[unlikely]] {
    std::swap(used, kept.spare[list]);
    if (used.length == 0) used = store.take(list);
    if (used.length == 0) return std::malloc(bytes);
    if (!kept.begun) clear_at_threads_end();
  }
  return used.pop();
}

void give_up(void* memory) {
  if (memory == nullptr) return;
  const size_t list = list_of_piece(malloc_usable_size(memory));
  if (list >= lists || kept.over) return std::free(memory);
  if (!kept.begun) [[unlikely]]
    clear_at_threads_end();
  Chain& used = kept.used[list];
  if (used.length == chain_length) [[unlikely]] {
    std::swap(used, kept.spare[list]);
    if (used.length == chain_length) store.put(list, std::exchange(used, {}));
  }
  used.push(memory);
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
