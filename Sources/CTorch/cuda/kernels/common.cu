// Code shared by the kernels. Each file of this folder is one argument of CUDA_SOURCE: sources.cpp turns it into a
// string for NVRTC, after prelude.h and this file; the tests turn it into a C++ namespace. Hence no line here starts
// with '#'. `element` is the type of the trunk's activations: bf16, or float for exact comparison.
//
// Sums are in a fixed order, whatever the order that blocks and warps run in; no atomic operations are used.
CUDA_SOURCE(common,

// The upper half of a float; rounded to nearest, ties to even.
struct bf16 {
    u16 bits;
};

__device__ inline float get(const float *from) { return *from; }
__device__ inline float get(const bf16 *from) { return __uint_as_float(u32(from->bits) << 16); }

__device__ inline void put(float *to, float value) { *to = value; }
__device__ inline void put(bf16 *to, float value) {
    const u32 bits = __float_as_uint(value);
    const bool number = (bits & 0x7fffffffu) <= 0x7f800000u;
    to->bits = u16(number ? (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16 : (bits >> 16) | 0x40u);
}

const u32 whole_warp = 0xffffffffu;

// The sum over a warp, the same in each lane: both sides of an exchange add the same two numbers.
template <typename T>
__device__ inline T warp_sum(T value) {
    for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(whole_warp, value, offset);
    return value;
}

// The sums of two numbers over a block of whole warps, the same in each thread; `scratch` holds 64.
template <typename T>
__device__ inline void block_sums(T &a, T &b, T *scratch) {
    a = warp_sum(a);
    b = warp_sum(b);
    __syncthreads();  // all threads have read the previous sums
    const int warp = threadIdx.x / 32;
    const int warps = blockDim.x / 32;
    if (threadIdx.x % 32 == 0) {
        scratch[warp] = a;
        scratch[32 + warp] = b;
    }
    __syncthreads();
    a = 0;
    b = 0;
    for (int i = 0; i < warps; ++i) {
        a += scratch[i];
        b += scratch[32 + i];
    }
}

__device__ inline i64 minimum(i64 a, i64 b) { return a < b ? a : b; }
__device__ inline i64 maximum(i64 a, i64 b) { return a > b ? a : b; }

)
