// Launches kernels on libtorch's current stream.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>

#include "../guard.h"
#include "emulation.h"

namespace ctorch::cuda {

// A kernel's file, and its name in that file.
struct Kernel {
    const char *file;
    const char *name;
};

// Whether the kernels handle operations on `tensor`: it is on a GPU, or a test emulates one.
bool takes(const at::Tensor &tensor);

void launch(Kernel kernel, at::ScalarType element, const at::Device &device, Grid grid, void **arguments,
            const size_t *sizes, size_t count);

// Arguments have exactly the types of the kernel's parameters, and structures the same layout.
template <typename... Arguments>
void launch(Kernel kernel, at::ScalarType element, const at::Device &device, Grid grid, Arguments... arguments) {
    if (grid.x == 0 || grid.y == 0) return;
    void *places[] = {static_cast<void *>(&arguments)...};
    const size_t sizes[] = {sizeof(Arguments)...};
    launch(kernel, element, device, grid, places, sizes, sizeof...(Arguments));
}

inline int64_t blocks(int64_t count, int64_t each) { return (count + each - 1) / each; }

// Threads of a block that shares `count` items: whole warps, no more than have work.
inline int64_t threads_for(int64_t count) { return std::clamp<int64_t>(blocks(count, 32) * 32, 32, 256); }

}  // namespace ctorch::cuda
