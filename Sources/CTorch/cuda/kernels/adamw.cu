// Clipping, AdamW, the moving average and the copies that the trunk computes with, in one sweep; the formulas of
// ../../kernels/adamw.cpp.
CUDA_SOURCE(adamw,

struct Factors {
    float beta1;
    float rest1;
    float beta2;
    float rest2;
    float keep;
    float stride;
    float root;
    float epsilon;
    float scale;
    float average;
};

// `weights_copy` and `average_copy` may be null.
KERNEL void adamw(float *weights, const float *gradient, float *moment1, float *moment2, float *average, Factors f,
                  i64 count, bf16 *weights_copy, bf16 *average_copy) {
    const i64 step = i64(gridDim.x) * blockDim.x;
    for (i64 i = i64(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
        const float g = gradient[i] * f.scale;
        const float held = average[i];
        const float first = f.beta1 * moment1[i] + f.rest1 * g;
        const float second = f.beta2 * moment2[i] + f.rest2 * g * g;
        const float moved = weights[i] * f.keep - f.stride * first / (sqrtf(second) * f.root + f.epsilon);
        const float averaged = held + f.average * (moved - held);
        moment1[i] = first;
        moment2[i] = second;
        weights[i] = moved;
        average[i] = averaged;
        if (weights_copy != nullptr) put(weights_copy + i, moved);
        if (average_copy != nullptr) put(average_copy + i, averaged);
    }
}

)
