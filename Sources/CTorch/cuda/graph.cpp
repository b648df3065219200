// CUDA graphs: captured launches are replayed as a unit. They are libtorch's own (at::cuda::CUDAGraph), whose allocator
// keeps the memory of a capture. The class is in libtorch_cuda, which is opened at run time, so its functions are
// looked up by their mangled names and its object is kept in storage of ample size.
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <dlfcn.h>

#include <memory>

#include "../guard.h"
#include "driver.h"

using namespace ctorch;

namespace {

// The two-part identifier of a memory pool shared by graphs.
using Pool = std::pair<unsigned long long, unsigned long long>;

constexpr const char *symbols[] = {
    "_ZN2at4cuda9CUDAGraphC1Eb",
    "_ZN2at4cuda9CUDAGraphD1Ev",
    "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode",
    "_ZN2at4cuda9CUDAGraph11capture_endEv",
    "_ZN2at4cuda9CUDAGraph6replayEv",
    "_ZN2at4cuda17graph_pool_handleEv",
    "aoti_torch_get_current_cuda_stream",
};

struct Functions {
    void (*construct)(void *graph, bool keep);
    void (*destruct)(void *graph);
    void (*begin)(void *graph, Pool pool, int mode);
    void (*end)(void *graph);
    void (*replay)(void *graph);
    Pool (*new_pool)();

    static const Functions &shared() {
        static const Functions functions = [] {
            const char *library = "libtorch_cuda";
            Functions found{};
            cuda::bind(found.construct, RTLD_DEFAULT, symbols[0], library);
            cuda::bind(found.destruct, RTLD_DEFAULT, symbols[1], library);
            cuda::bind(found.begin, RTLD_DEFAULT, symbols[2], library);
            cuda::bind(found.end, RTLD_DEFAULT, symbols[3], library);
            cuda::bind(found.replay, RTLD_DEFAULT, symbols[4], library);
            cuda::bind(found.new_pool, RTLD_DEFAULT, symbols[5], library);
            return found;
        }();
        return functions;
    }
};

// 104 bytes in libtorch 2.11.
constexpr size_t ample = 4096;

struct Graph {
    alignas(64) unsigned char object[ample];
    c10::Stream side, before;
    bool capturing = false;
    // Beginning or ending the capture has failed: libtorch's allocator may still refer to the object.
    bool failed = false;

    explicit Graph(const c10::Device &device)
        : side(guard(device).getStreamFromGlobalPool(device)), before(guard(device).getStream(device)) {
        Functions::shared().construct(object, false);
    }
    ~Graph() { Functions::shared().destruct(object); }
    Graph(const Graph &) = delete;

    static const c10::impl::DeviceGuardImplInterface &guard(const c10::Device &device) {
        return *c10::impl::getDeviceGuardImpl(device.type());
    }
    const c10::impl::DeviceGuardImplInterface &guard() const { return guard(side.device()); }
};

Graph &unwrap(CTGraph graph) {
    TORCH_CHECK_VALUE(graph.impl != nullptr, "a null graph was passed");
    return *static_cast<Graph *>(graph.impl);
}

}  // namespace

const char *ct_cuda_symbol(int32_t number) {
    return number >= 0 && static_cast<size_t>(number) < std::size(symbols) ? symbols[number] : nullptr;
}

CTStatus ct_graph_new_pool(CTGraphPool *out) {
    return guarded([&] {
        const Pool pool = Functions::shared().new_pool();
        *out = CTGraphPool{pool.first, pool.second};
    });
}

CTStatus ct_graph_create(CTDevice device, CTGraph *out) {
    return guarded([&] {
        TORCH_CHECK_VALUE(device.kind == CT_CUDA, "only a CUDA device has graphs");
        const c10::DeviceGuard on(device_of(device));
        *out = CTGraph{new Graph(device_of(device))};
    });
}

void ct_graph_destroy(CTGraph handle) {
    guarded([&] {
        auto *graph = static_cast<Graph *>(handle.impl);
        // A failed one is not freed, since the next capture would read what it points to.
        if (graph == nullptr || graph->failed) return;
        const c10::DeviceGuard on(graph->side.device());
        delete graph;
    });
}

CTStatus ct_graph_enter(CTGraph handle) {
    return guarded([&] {
        Graph &graph = unwrap(handle);
        const c10::DeviceGuard on(graph.side.device());
        graph.guard().synchronizeDevice(graph.side.device().index());
        graph.before = graph.guard().exchangeStream(graph.side);
    });
}

CTStatus ct_graph_begin(CTGraph handle, CTGraphPool pool) {
    return guarded([&] {
        Graph &graph = unwrap(handle);
        // Other threads may continue with calls that are not captured.
        constexpr int only_this_thread = 1;
        const c10::DeviceGuard on(graph.side.device());
        graph.guard().synchronizeDevice(graph.side.device().index());
        graph.failed = true;
        Functions::shared().begin(graph.object, Pool{pool.first, pool.second}, only_this_thread);
        graph.failed = false;
        graph.capturing = true;
    });
}

CTStatus ct_graph_leave(CTGraph handle) {
    return guarded([&] {
        Graph &graph = unwrap(handle);
        const c10::DeviceGuard on(graph.side.device());
        // An aborted capture fails to end; the stream is restored in any case.
        std::exception_ptr failure;
        if (graph.capturing) {
            graph.capturing = false;
            try {
                Functions::shared().end(graph.object);
            } catch (...) {
                failure = std::current_exception();
                graph.failed = true;
            }
        }
        graph.guard().exchangeStream(graph.before);
        if (failure) std::rethrow_exception(failure);
        graph.guard().synchronizeDevice(graph.side.device().index());
    });
}

CTStatus ct_graph_replay(CTGraph handle) {
    return guarded([&] {
        Graph &graph = unwrap(handle);
        const c10::DeviceGuard on(graph.side.device());
        Functions::shared().replay(graph.object);
    });
}
