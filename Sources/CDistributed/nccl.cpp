// Collective operations between CUDA devices by NCCL, whose C functions are looked up by name: libtorch_cuda includes
// the library but not its header. The few types and constants below are from its stable interface (version 2).
#include "nccl.h"

#if CD_HAS_C10D

#include <c10/core/DeviceGuard.h>
#include <dlfcn.h>

#include <cstring>
#include <thread>

namespace cdistributed {

namespace {

constexpr int done = 0, in_progress = 7;  // ncclSuccess, ncclInProgress

struct UniqueID {
    char bytes[128];
};

template <typename Function>
Function found(const char *name) {
    auto function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
    TORCH_CHECK_VALUE(function != nullptr, name, " is missing: libtorch_cuda, which includes NCCL, is not loaded");
    return function;
}

struct Library {
    int (*unique_id)(UniqueID *) = found<decltype(unique_id)>("ncclGetUniqueId");
    int (*init)(void **, int, UniqueID, int) = found<decltype(init)>("ncclCommInitRank");
    int (*sum)(const void *, void *, size_t, int, int, void *, void *) = found<decltype(sum)>("ncclAllReduce");
    int (*broadcast)(const void *, void *, size_t, int, int, void *, void *) =
        found<decltype(broadcast)>("ncclBroadcast");
    int (*state)(void *, int *) = found<decltype(state)>("ncclCommGetAsyncError");
    int (*abort)(void *) = found<decltype(abort)>("ncclCommAbort");
    const char *(*text)(int) = found<decltype(text)>("ncclGetErrorString");
    // Functions of the CUDA runtime and of libtorch_cuda.
    int (*query)(void *) = found<decltype(query)>("cudaStreamQuery");
    int32_t (*stream)(int32_t, void **) = found<decltype(stream)>("aoti_torch_get_current_cuda_stream");

    void check(int status, const char *what) const {
        TORCH_CHECK(status == done || status == in_progress, "NCCL, ", what, ": ", text(status));
    }
};

const Library &library() {
    static const Library one;
    return one;
}

// ncclDataType_t
int type_of(const at::Tensor &tensor) {
    switch (tensor.scalar_type()) {
        case at::kChar: return 0;
        case at::kByte: return 1;
        case at::kInt: return 2;
        case at::kLong: return 4;
        case at::kHalf: return 6;
        case at::kFloat: return 7;
        case at::kDouble: return 8;
        case at::kBFloat16: return 9;
        default: TORCH_CHECK_VALUE(false, "NCCL has no type for ", tensor.dtype());
    }
}

}  // namespace

Nccl::Nccl(const Store &store, int rank, int size, int device, std::chrono::milliseconds timeout)
    : device_(device), timeout_(timeout) {
    UniqueID id{};
    if (rank == 0) {
        library().check(library().unique_id(&id), "start");
        store->set("nccl", std::vector<uint8_t>(id.bytes, id.bytes + sizeof id.bytes));
    } else {
        store->wait({"nccl"}, timeout);
        auto bytes = store->get("nccl");
        TORCH_CHECK(bytes.size() == sizeof id.bytes, "NCCL: the identifier has ", bytes.size(), " bytes");
        std::memcpy(id.bytes, bytes.data(), bytes.size());
    }
    c10::DeviceGuard guard(at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device)));
    library().check(library().init(&communicator_, size, id, rank), "start");
}

Nccl::~Nccl() {
    // Aborted without waiting: other processes may have exited.
    if (communicator_) library().abort(communicator_);
}

void Nccl::sum(const at::Tensor &tensor) {
    run(tensor, "sum", [&](void *stream) {
        constexpr int plus = 0;  // ncclSum
        return library().sum(
            tensor.data_ptr(), tensor.data_ptr(), static_cast<size_t>(tensor.numel()), type_of(tensor), plus,
            communicator_, stream);
    });
}

void Nccl::broadcast(const at::Tensor &tensor, int from) {
    run(tensor, "broadcast", [&](void *stream) {
        return library().broadcast(
            tensor.data_ptr(), tensor.data_ptr(), static_cast<size_t>(tensor.numel()), type_of(tensor), from,
            communicator_, stream);
    });
}

// Starts an operation on libtorch's current stream and waits for it. A device that waits for one that has disappeared
// would wait forever, so stream and communicator are polled until the time limit.
void Nccl::run(const at::Tensor &tensor, const char *what, const std::function<int(void *)> &start) {
    TORCH_CHECK_VALUE(tensor.is_contiguous(), "NCCL requires contiguous arrays");
    TORCH_CHECK_VALUE(
        tensor.device().index() == device_, "NCCL was opened for device ", device_, ", the tensor is on ", tensor.device());
    c10::DeviceGuard guard(tensor.device());
    void *stream = nullptr;
    TORCH_CHECK(library().stream(device_, &stream) == 0, "libtorch does not say which stream it is working on");
    library().check(start(stream), what);
    const auto deadline = std::chrono::steady_clock::now() + timeout_;
    for (int turn = 0;; turn++) {
        const int found = library().query(stream);
        if (found == 0) return;
        constexpr int not_ready = 600;  // cudaErrorNotReady
        TORCH_CHECK(found == not_ready, "NCCL, ", what, ": the device reports error ", found);
        int state = done;
        library().check(library().state(communicator_, &state), what);
        library().check(state, what);
        TORCH_CHECK(std::chrono::steady_clock::now() < deadline, "NCCL, ", what, ": no end within ", timeout_.count(), " ms");
        if (turn > 1000) std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
}

}  // namespace cdistributed

#endif
