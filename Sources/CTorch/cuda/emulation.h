// Only for tests, which run the kernels without a GPU; not part of the C header.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ctorch::cuda {

struct Grid {
    int64_t x = 1, y = 1;
    // Threads per block: a multiple of 32, at most 256.
    int64_t threads = 256;
    int64_t shared_bytes = 0;
};

// Runs a kernel; returns null, or an error message.
using Launcher = const char *(*)(const char *file, const char *kernel, bool bfloat16, Grid grid, void **arguments,
                                 const size_t *sizes, size_t count);

// From now on, this thread treats CPU tensors like those of a CUDA device and runs their kernels with `launcher`; null
// ends this.
void emulate(Launcher launcher);

}  // namespace ctorch::cuda
