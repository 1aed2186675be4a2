// Objects that are used over and over by one thread: a free list, and counted references without atomics.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <type_traits>
#include <utility>
#include <vector>

namespace cardea {

template <class T>
class Pool;

template <class T>
struct PoolSlot {
  T value;
  uint32_t references = 0;
  Pool<T>* home = nullptr;
};

// A counted reference to a pooled object; the last one gives it back. All references stay on the pool's thread, and the
// pool outlives them. PoolRef<const T> only reads; a PoolRef<T> becomes one, and never the other way round.
template <class T>
class PoolRef {
  using Object = std::remove_const_t<T>;

public:
  PoolRef() = default;
  PoolRef(const PoolRef& other) : slot_(other.slot_) { count(); }
  PoolRef(PoolRef&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
  PoolRef(const PoolRef<Object>& other) requires std::is_const_v<T> : slot_(other.slot_) { count(); }
  PoolRef(PoolRef<Object>&& other) noexcept requires std::is_const_v<T> : slot_(std::exchange(other.slot_, nullptr)) {}
  PoolRef& operator=(PoolRef other) noexcept {
    std::swap(slot_, other.slot_);
    return *this;
  }
  ~PoolRef() { reset(); }

  void reset() {
    if (slot_ != nullptr && --slot_->references == 0) slot_->home->give_back(slot_);
    slot_ = nullptr;
  }
  explicit operator bool() const { return slot_ != nullptr; }
  T& operator*() const { return slot_->value; }
  T* operator->() const { return &slot_->value; }
  T* get() const { return slot_ == nullptr ? nullptr : &slot_->value; }

private:
  friend class Pool<Object>;
  friend class PoolRef<const Object>;
  explicit PoolRef(PoolSlot<Object>* slot) : slot_(slot) { slot_->references = 1; }
  void count() {
    if (slot_ != nullptr) ++slot_->references;
  }
  PoolSlot<Object>* slot_ = nullptr;
};

template <class T>
class Pool {
public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // An object as it was left by its last user; allocates only while the pool grows to its working size.
  PoolRef<T> get() {
    if (free_.empty()) {
      slots_.emplace_back().home = this;
      free_.reserve(slots_.size());
      free_.push_back(&slots_.back());
    }
    auto* slot = free_.back();
    free_.pop_back();
    return PoolRef<T>(slot);
  }
  size_t size() const { return slots_.size(); }
  size_t in_use() const { return slots_.size() - free_.size(); }

private:
  friend class PoolRef<T>;
  friend class PoolRef<const T>;
  void give_back(PoolSlot<T>* slot) { free_.push_back(slot); }

  std::deque<PoolSlot<T>> slots_;
  std::vector<PoolSlot<T>*> free_;
};

}  // namespace cardea
