// y = gelu(u + bias) by the tanh formula, and its backward pass, which recomputes y; see ../../kernels/gelu.cpp.
CUDA_SOURCE(gelu,

// h of v, for which gelu = v h; beyond |2 z| = 60 it is numerically 0 or 1.
__device__ inline float gelu_gate(float v) {
    const float doubled = 2 * 0.7978845608028654f * v * (1 + 0.044715f * v * v);
    return 1 / (1 + expf(-fminf(fmaxf(doubled, -60.0f), 60.0f)));
}

// A thread for each channel; blocks of the second dimension share the rows.
KERNEL void bias_gelu(const element *u, const float *bias, i64 rows, i64 width, element *y) {
    const i64 i = i64(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= width) return;
    const float offset = bias[i];
    for (i64 row = blockIdx.y; row < rows; row += gridDim.y) {
        const float v = get(u + row * width + i) + offset;
        put(y + row * width + i, v * gelu_gate(v));
    }
}

// Turns dy into the gradient of u, in place; a block of the second dimension has a piece of rows, whose sum of the
// gradient it leaves in `partial` [pieces, width].
KERNEL void bias_gelu_backward(element *dy, const element *u, const float *bias, i64 rows, i64 width, i64 piece, element *y,
                               float *partial) {
    const i64 i = i64(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= width) return;
    const float offset = bias[i];
    const i64 first = blockIdx.y * piece;
    const i64 last = minimum(first + piece, rows);
    float sum = 0;
    for (i64 row = first; row < last; ++row) {
        const i64 at = row * width + i;
        const float whole = get(u + at) + offset;
        const float v = fminf(fmaxf(whole, -30.0f), 30.0f);
        const float h = gelu_gate(v);
        const float slope = 0.7978845608028654f * (1 + 3 * 0.044715f * v * v);
        const float pulled = get(dy + at) * (h + 2 * v * h * (1 - h) * slope);
        put(y + at, whole * h);
        put(dy + at, pulled);
        sum += pulled;
    }
    partial[blockIdx.y * width + i] = sum;
}

)
