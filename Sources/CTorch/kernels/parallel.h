// Distributes rows over all cores, on libtorch's own OpenMP team.
//
// at::parallel_for is a header template that runs serially where the compiler was not given OpenMP, and a second
// runtime beside libtorch's would compete with it for the cores. So the existing team of libtorch's libgomp is entered
// through the function that compiled OpenMP code calls. If that symbol is absent (libtorch built without it), rows run
// serially.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>

extern "C" {
void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags) __attribute__((weak));
int omp_get_thread_num(void) __attribute__((weak));
int omp_get_num_threads(void) __attribute__((weak));
int MKL_Set_Num_Threads_Local(int) __attribute__((weak));
}

// Compiled once for each of these; the processor's features select one at load time.
#if defined(__x86_64__) && defined(__linux__)
#define CT_VECTORISED __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define CT_VECTORISED
#endif

namespace ctorch {

// Number of threads available to a parallel region of the calling thread; 1 inside a region.
inline int64_t threads_here() { return at::in_parallel_region() ? 1 : std::max(1, at::get_num_threads()); }

// The first exception of a team's members: none may leave the parallel region, so it is thrown after it.
class FirstFailure {
    std::atomic_flag taken = ATOMIC_FLAG_INIT;
    std::exception_ptr failure;

  public:
    template <typename Body>
    void attempt(const Body &body) noexcept {
        try {
            body();
        } catch (...) {
            if (!taken.test_and_set()) failure = std::current_exception();
        }
    }
    void rethrow() const {
        if (failure) std::rethrow_exception(failure);
    }
};

// Calls body(begin, end) on disjoint ranges of about equal size that cover [0, count): one for each thread, but no more
// than count / grain, rounded up. Exceptions are thrown by this function.
template <typename Body>
void parallel_rows(int64_t count, int64_t grain, const Body &body) {
    if (count <= 0) return;
    const int64_t parts = std::min<int64_t>(threads_here(), (count + grain - 1) / std::max<int64_t>(grain, 1));
    if (parts <= 1 || GOMP_parallel == nullptr || omp_get_thread_num == nullptr || omp_get_num_threads == nullptr) {
        body(0, count);
        return;
    }
    struct Work {
        const Body *body;
        int64_t count;
        FirstFailure failure{};
    } work{&body, count};
    GOMP_parallel(
        [](void *data) {
            Work &work = *static_cast<Work *>(data);
            const int64_t members = omp_get_num_threads(), member = omp_get_thread_num();
            const int64_t share = (work.count + members - 1) / members;
            const int64_t begin = member * share, end = std::min(work.count, begin + share);
            if (begin < end) work.failure.attempt([&] { (*work.body)(begin, end); });
        },
        &work, static_cast<unsigned>(parts), 0);
    work.failure.rethrow();
}

// Limits the library's matrix products on this thread to one thread, if supported.
struct OneThread {
    const int before = MKL_Set_Num_Threads_Local != nullptr ? MKL_Set_Num_Threads_Local(1) : 0;
    ~OneThread() {
        if (MKL_Set_Num_Threads_Local != nullptr) MKL_Set_Num_Threads_Local(before);
    }
};

// Calls body(task) once for each task in [0, count), on whichever thread is free: a delayed thread delays only one
// task. Matrix products inside use one thread; if there are several tasks, all operators do. Exceptions are thrown by this
// function.
template <typename Body>
void parallel_tasks(int64_t count, const Body &body) {
    const int64_t parts = std::min<int64_t>(threads_here(), count);
    if (parts <= 1 || GOMP_parallel == nullptr) {
        const OneThread single;
        for (int64_t task = 0; task < count; ++task) body(task);
        return;
    }
    struct Work {
        const Body *body;
        int64_t count;
        std::atomic<int64_t> next{0};
        FirstFailure failure{};
    } work{&body, count};
    GOMP_parallel(
        [](void *data) {
            Work &work = *static_cast<Work *>(data);
            const OneThread single;
            for (int64_t task; (task = work.next.fetch_add(1, std::memory_order_relaxed)) < work.count;)
                work.failure.attempt([&] { (*work.body)(task); });
        },
        &work, static_cast<unsigned>(parts), 0);
    work.failure.rethrow();
}

}  // namespace ctorch
