#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <algorithm>
#include <cstring>

#include "guard.h"

using namespace ctorch;

static void fill(const std::string &text, char *buffer, size_t capacity) {
    TORCH_CHECK_VALUE(buffer != nullptr && capacity > 0, "a buffer of at least one byte is needed");
    const size_t length = std::min(text.size(), capacity - 1);
    std::memcpy(buffer, text.data(), length);
    buffer[length] = 0;
}

const char *ct_version(void) { return TORCH_VERSION; }

CTStatus ct_library_path(char *buffer, size_t capacity) {
    return guarded([&] {
        Dl_info found{};
        const void *address = reinterpret_cast<const void *>(&at::get_num_threads);
        TORCH_CHECK(dladdr(address, &found) != 0 && found.dli_fname != nullptr, "the loader does not report libtorch's file");
        fill(found.dli_fname, buffer, capacity);
    });
}

// libtorch_cuda registers its operators when it is opened; nothing else in it is called directly.
CTStatus ct_load_cuda(const char *path, bool *out) {
    return guarded([&] {
        *out = dlopen(path, RTLD_NOW | RTLD_GLOBAL) != nullptr;
        if (!*out) remember(dlerror());
    });
}

CTStatus ct_device_count(CTDeviceKind kind, int32_t *out) {
    return guarded([&] {
        switch (kind) {
            case CT_CPU: *out = 1; return;
            case CT_CUDA: *out = at::hasCUDA() ? static_cast<int32_t>(at::detail::getCUDAHooks().deviceCount()) : 0; return;
            case CT_MPS: *out = at::hasMPS() ? 1 : 0; return;
        }
        *out = 0;
    });
}

CTStatus ct_threads(int32_t *out) {
    return guarded([&] { *out = at::get_num_threads(); });
}

CTStatus ct_set_threads(int32_t count) {
    return guarded([&] {
        TORCH_CHECK_VALUE(count >= 1, "a thread count of ", count, " was asked for; expected 1 or more");
        at::set_num_threads(count);
    });
}

CTStatus ct_parallel_information(char *buffer, size_t capacity) {
    return guarded([&] { fill(at::get_parallel_info() + at::get_cpu_capability(), buffer, capacity); });
}

bool ct_has_bfloat16_instructions(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

CTStatus ct_synchronize(CTDevice device) {
    return guarded([&] {
        const at::Device place = device_of(device);
        if (place.is_cpu()) return;
        c10::impl::getDeviceGuardImpl(place.type())->synchronizeDevice(place.index());
    });
}

CTStatus ct_peak_device_bytes(CTDevice device, int64_t *out) {
    return guarded([&] {
        TORCH_CHECK_VALUE(device.kind == CT_CUDA, "peak memory is recorded only for CUDA devices");
        const at::Device place = device_of(device);
        const auto statistics = c10::getDeviceAllocator(place.type())->getDeviceStats(place.index());
        *out = statistics.allocated_bytes[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)].peak;
    });
}
