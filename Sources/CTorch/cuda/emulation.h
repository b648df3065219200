// For tests alone, which run the kernels without a GPU: not part of the C header.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ctorch::cuda {

struct Grid {
    int64_t x = 1, y = 1;
    // A block's, a multiple of 32 and 256 at most.
    int64_t threads = 256;
    int64_t shared_bytes = 0;
};

// Runs a kernel: null, or what is wrong.
using Launcher = const char *(*)(const char *file, const char *kernel, bool bfloat16, Grid grid, void **arguments,
                                 const size_t *sizes, size_t count);

// From here on, on this thread, tensors on the CPU take the way of a CUDA device, their kernels run by `launcher`; null ends it.
void emulate(Launcher launcher);

}  // namespace ctorch::cuda
