// The sum of the squares of a flat array, in double precision over shares of fixed size.
CUDA_SOURCE(sum_of_squares,

// A block for each share; `partial` has one number for each.
KERNEL void squares_of_shares(const float *x, i64 count, i64 share, double *partial) {
    __shared__ double scratch[64];
    const i64 first = blockIdx.x * share;
    const i64 last = minimum(first + share, count);
    double sum = 0;
    double none = 0;
    for (i64 i = first + threadIdx.x; i < last; i += blockDim.x) sum += double(x[i]) * double(x[i]);
    block_sums(sum, none, scratch);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// One block.
KERNEL void sum_of_shares(const double *partial, i64 count, double *out) {
    __shared__ double scratch[64];
    double sum = 0;
    double none = 0;
    for (i64 i = threadIdx.x; i < count; i += blockDim.x) sum += partial[i];
    block_sums(sum, none, scratch);
    if (threadIdx.x == 0) *out = sum;
}

)
