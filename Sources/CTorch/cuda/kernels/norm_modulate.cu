// y = (x - mean) / deviation * weight * (1 + scale) + shift and its backward pass; the formulas are those of
// ../../kernels/norm_modulate.cpp. x and its gradient are float, y and its gradient `element`.
CUDA_SOURCE(norm_modulate,

// A warp for each row.
KERNEL void norm_modulate(const float *x, const float *weight, const float *shift, const float *scale, i64 rows, i64 width,
                          i64 length, i64 stride, float epsilon, element *y, float *statistics) {
    const i64 row = i64(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
    if (row >= rows) return;
    const int lane = threadIdx.x % 32;
    const i64 part = row / length * stride;
    x += row * width;
    y += row * width;
    float sum = 0;
    for (i64 i = lane; i < width; i += 32) sum += x[i];
    const float mean = warp_sum(sum) / float(width);
    float squares = 0;
    for (i64 i = lane; i < width; i += 32) squares += (x[i] - mean) * (x[i] - mean);
    const float inverse = 1.0f / sqrtf(warp_sum(squares) / float(width) + epsilon);
    for (i64 i = lane; i < width; i += 32) {
        put(y + i, (x[i] - mean) * inverse * weight[i] * (1 + scale[part + i]) + shift[part + i]);
    }
    if (lane == 0) {
        statistics[2 * row] = mean;
        statistics[2 * row + 1] = inverse;
    }
}

// A block for each piece of rows of a sequence. Adds dx, recomputes y, and leaves the sums of dy and dy n over the piece in
// `partial` [pieces of all sequences, 2 width]. Each thread keeps to its own channels.
KERNEL void norm_modulate_backward(const element *dy, const float *x, const float *statistics, const float *weight,
                                   const float *shift, const float *scale, i64 width, i64 length, i64 stride, i64 piece,
                                   float *dx, element *y, float *partial) {
    __shared__ float scratch[64];
    DYNAMIC_SHARED(float, sums);
    const i64 sequence = blockIdx.y;
    const i64 part = sequence * stride;
    const i64 first = sequence * length + blockIdx.x * piece;
    const i64 last = minimum(first + piece, (sequence + 1) * length);
    for (i64 i = threadIdx.x; i < 2 * width; i += blockDim.x) sums[i] = 0;
    // Where 2 width is not a multiple of the block, channel i of the second half was cleared by another thread.
    __syncthreads();
    for (i64 row = first; row < last; ++row) {
        const float mean = statistics[2 * row];
        const float inverse = statistics[2 * row + 1];
        float sum = 0;
        float product = 0;
        for (i64 i = threadIdx.x; i < width; i += blockDim.x) {
            const float g = get(dy + row * width + i) * weight[i] * (1 + scale[part + i]);
            sum += g;
            product += g * (x[row * width + i] - mean);
        }
        block_sums(sum, product, scratch);
        const float share = sum / float(width);
        const float slope = product * inverse / float(width);
        for (i64 i = threadIdx.x; i < width; i += blockDim.x) {
            const i64 at = row * width + i;
            const float pulled = get(dy + at);
            const float n = (x[at] - mean) * inverse;
            const float factor = weight[i] * (1 + scale[part + i]);
            put(y + at, n * factor + shift[part + i]);
            dx[at] += (pulled * factor - share - n * slope) * inverse;
            sums[i] += pulled;
            sums[width + i] += pulled * n;
        }
    }
    partial += (sequence * gridDim.x + blockIdx.x) * 2 * width;
    for (i64 i = threadIdx.x; i < width; i += blockDim.x) {
        partial[i] = sums[i];
        partial[width + i] = sums[width + i];
    }
}

// The sums over a sequence's pieces: dshift and dscale, and what the sequence adds to dweight in `shares` [sequences, width].
KERNEL void norm_modulate_sums(const float *partial, const float *weight, const float *scale, i64 pieces, i64 width,
                               i64 stride, float *dshift, float *dscale, float *shares) {
    const i64 i = i64(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= width) return;
    const i64 sequence = blockIdx.y;
    float sum = 0;
    float product = 0;
    for (i64 piece = sequence * pieces; piece < (sequence + 1) * pieces; ++piece) {
        sum += partial[piece * 2 * width + i];
        product += partial[piece * 2 * width + width + i];
    }
    dshift[sequence * stride + i] = sum;
    dscale[sequence * stride + i] = weight[i] * product;
    shares[sequence * width + i] = (1 + scale[sequence * stride + i]) * product;
}

)
