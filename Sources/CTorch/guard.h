// Used by every function of this interface: runs a body, and turns exceptions into a status and a message.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstring>
#include <string>

#include "include/ctorch.h"

namespace ctorch {

void remember(const char *message) noexcept;

inline at::Tensor &unwrap(CTTensor handle) {
    TORCH_CHECK_VALUE(handle.impl != nullptr, "a null tensor handle was passed");
    return *static_cast<at::Tensor *>(handle.impl);
}

inline CTTensor wrap(at::Tensor tensor) { return CTTensor{new at::Tensor(std::move(tensor))}; }

template <typename Body>
CTStatus guarded(Body &&body) noexcept {
    try {
        body();
        return CT_OK;
    } catch (const c10::OutOfMemoryError &error) {
        remember(error.what_without_backtrace());
        return CT_OUT_OF_MEMORY;
    } catch (const c10::IndexError &error) {
        remember(error.what_without_backtrace());
        return CT_BAD_INDEX;
    } catch (const c10::ValueError &error) {
        remember(error.what_without_backtrace());
        return CT_BAD_VALUE;
    } catch (const c10::Error &error) {
        remember(error.what_without_backtrace());
        // The allocator of the CPU has no error class of its own.
        return std::strstr(error.what_without_backtrace(), "DefaultCPUAllocator") ? CT_OUT_OF_MEMORY : CT_TORCH;
    } catch (const std::bad_alloc &) {
        remember("out of memory");
        return CT_OUT_OF_MEMORY;
    } catch (const std::exception &error) {
        remember(error.what());
        return CT_STANDARD;
    } catch (...) {
        remember("an exception of an unknown type");
        return CT_UNKNOWN;
    }
}

// The common case: the body makes one tensor.
template <typename Body>
CTStatus returning(CTTensor *out, Body &&body) noexcept {
    return guarded([&] { *out = wrap(body()); });
}

inline at::IntArrayRef shape_of(const int64_t *shape, int32_t rank) {
    TORCH_CHECK_VALUE(rank >= 0, "a rank of ", rank, " was passed; expected 0 or more");
    return at::IntArrayRef(shape, static_cast<size_t>(rank));
}

at::ScalarType scalar_type(CTType type);
CTType type_of(at::ScalarType type);
at::Device device_of(CTDevice device);

}  // namespace ctorch
