// One pool of threads for the whole process: loops are cut into chunks that idle threads take. A loop waits awake for its helpers for some
// microseconds, then asleep.
#pragma once
#include <cstdint>
#include <memory>
#include <type_traits>

namespace onward {

int available_threads();               // of this process: its affinity, and the cgroup's share of processors

// A borrowed callable; valid as long as what it refers to.
template <class Signature> class FunctionRef;
template <class R, class... A> class FunctionRef<R(A...)> {
 public:
  template <class F> requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>)
  FunctionRef(F&& f)
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* object, A... a) -> R { return (*static_cast<std::remove_reference_t<F>*>(object))(static_cast<A>(a)...); }) {}
  R operator()(A... a) const { return call_(object_, static_cast<A>(a)...); }

 private:
  void* object_;
  R (*call_)(void*, A...);
};

// Calls body(begin, end) for chunks of at least `grain` that together are [0, n), on at most `threads` threads of which the caller
// is one. Returns when all is done; the first exception of a chunk is thrown here. Nested calls run on the calling thread alone.
// After fork the child has a pool of its own.
void parallel_for(int threads, int64_t n, int64_t grain, FunctionRef<void(int64_t, int64_t)> body);

}  // namespace onward
