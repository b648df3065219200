// Precedes the kernels when they are compiled for a GPU; a string, because NVRTC has no headers.
#pragma once

namespace ctorch::cuda {

constexpr char prelude[] = R"(
typedef unsigned short u16;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;
#define KERNEL extern "C" __global__ __launch_bounds__(256)
#define DYNAMIC_SHARED(type, name) extern __shared__ type name[]
)";

}  // namespace ctorch::cuda
