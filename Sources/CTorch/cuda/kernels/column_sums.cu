// Sums over rows of float arrays, in a fixed order.
CUDA_SOURCE(column_sums,

// target[i] += sum of array[row][i] over `rows` rows that lie `stride` apart. A block has 32 channels, lane by lane; each of
// its eight warps adds up every eighth row, and the eight sums are added in order.
KERNEL void add_columns(const float *array, i64 rows, i64 stride, i64 width, float *target) {
    __shared__ float sums[8 * 32];
    const int lane = threadIdx.x % 32;
    const int warp = threadIdx.x / 32;
    const i64 i = i64(blockIdx.x) * 32 + lane;
    float sum = 0;
    if (i < width) {
        for (i64 row = warp; row < rows; row += 8) sum += array[row * stride + i];
    }
    sums[threadIdx.x] = sum;
    __syncthreads();
    if (warp > 0 || i >= width) return;
    float all = 0;
    for (int other = 0; other < 8; ++other) all += sums[other * 32 + lane];
    target[i] += all;
}

// target[sequence][i] = sum of the sequence's pieces of `array` [sequences, pieces, array_stride].
KERNEL void sum_pieces(const float *array, i64 pieces, i64 array_stride, i64 width, i64 target_stride, float *target) {
    const i64 i = i64(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= width) return;
    const i64 sequence = blockIdx.y;
    float sum = 0;
    for (i64 piece = sequence * pieces; piece < (sequence + 1) * pieces; ++piece) sum += array[piece * array_stride + i];
    target[sequence * target_stride + i] = sum;
}

)
