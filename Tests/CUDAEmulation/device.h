// What the kernels are written in, for a compiler of plain C++: indices, shared memory, barriers, exchanges within a warp.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace emulation {

struct Index {
    unsigned x = 0, y = 0, z = 0;
};

// What a thread of a block exchanges with the others of its warp.
enum class Exchange { none, exclusive_or, up, from_lane, ballot };

// All threads of a block reach it, or the launch fails.
void barrier();
// All lanes of a warp reach it with the same kind and the same parameter, or the launch fails.
uint64_t exchange(Exchange kind, uint64_t value, int parameter);
void *dynamic_shared();

template <typename T>
T exchanged(Exchange kind, T value, int parameter) {
    static_assert(sizeof(T) <= sizeof(uint64_t));
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = exchange(kind, bits, parameter);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

extern thread_local Index threadIdx, blockIdx, blockDim, gridDim;

}  // namespace emulation

#define KERNEL inline
#define __device__
// Blocks run one after the other and their threads on one stack each of the same thread.
#define __shared__ static thread_local
#define DYNAMIC_SHARED(type, name) type *const name = static_cast<type *>(emulation::dynamic_shared())

using u16 = uint16_t;
using u32 = uint32_t;
using i64 = int64_t;
using u64 = uint64_t;

inline void __syncthreads() { emulation::barrier(); }
template <typename T>
T __shfl_xor_sync(u32, T value, int offset) {
    return emulation::exchanged(emulation::Exchange::exclusive_or, value, offset);
}
template <typename T>
T __shfl_up_sync(u32, T value, int offset) {
    return emulation::exchanged(emulation::Exchange::up, value, offset);
}
template <typename T>
T __shfl_sync(u32, T value, int lane) {
    return emulation::exchanged(emulation::Exchange::from_lane, value, lane);
}
inline u32 __ballot_sync(u32, bool value) {
    return static_cast<u32>(emulation::exchange(emulation::Exchange::ballot, value, 0));
}
inline int __ffs(u32 bits) { return __builtin_ffs(static_cast<int>(bits)); }
inline int __clz(u32 bits) { return bits == 0 ? 32 : __builtin_clz(bits); }
inline float __uint_as_float(u32 bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
inline u32 __float_as_uint(float value) {
    u32 bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}
