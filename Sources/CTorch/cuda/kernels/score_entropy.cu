// Score entropy of rows of logits [M, V] and its gradient, in place: the formulas of ../../kernels/score_entropy.cpp. A block
// for each row; sums in double precision.
CUDA_SOURCE(score_entropy,

__device__ inline double log_expm1(double sigma) { return sigma + log(-expm1(-sigma)); }

// Adds up e^(x - shift) and x - shift over all y but `a` and `b`, and puts (e^(x - shift) - ordinary) factor in their place.
__device__ inline void exponentiate_but(float *x, i64 size, i64 a, i64 b, float shift, float ordinary, float factor,
                                        double &scores, double &logs) {
    __shared__ double scratch[64];
    scores = 0;
    logs = 0;
    for (i64 i = threadIdx.x; i < size; i += blockDim.x) {
        if (i == a || i == b) continue;
        const float log_score = x[i] - shift;
        const float score = expf(log_score);
        scores += double(score);
        logs += double(log_score);
        x[i] = (score - ordinary) * factor;
    }
    block_sums(scores, logs, scratch);
}

KERNEL void score_entropy_absorbing(float *logits, const i64 *states, const i64 *clean, const double *sigma,
                                    const double *shift, const double *factors, i64 size, double *entropy) {
    const i64 row = blockIdx.x;
    float *x = logits + row * size;
    const i64 mask = size - 1;
    if (states[row] != mask) {
        for (i64 i = threadIdx.x; i < size; i += blockDim.x) x[i] = 0;
        if (threadIdx.x == 0) entropy[row] = 0;
        return;
    }
    const double log_ratio = -log_expm1(sigma[row]);
    const double ratio = exp(log_ratio);
    const double excess = double(x[clean[row]]) - shift[row] - log_ratio;
    double scores;
    double logs;
    exponentiate_but(x, size, clean[row], mask, float(shift[row]), 0.0f, float(factors[row]), scores, logs);
    // The barrier in the sum separates reading x[clean] above from writing it here.
    if (threadIdx.x > 0) return;
    x[clean[row]] = float(ratio * expm1(excess) * factors[row]);
    x[mask] = 0;
    entropy[row] = scores + ratio * (expm1(excess) - excess);
}

KERNEL void score_entropy_uniform(float *logits, const i64 *states, const i64 *clean, const double *sigma,
                                  const double *shift, const double *factors, i64 states_count, double *entropy) {
    const i64 row = blockIdx.x;
    float *x = logits + row * states_count;
    const double size = double(states_count);
    const bool moved = states[row] != clean[row];
    const double log_low = log_expm1(sigma[row]) - log(expm1(sigma[row]) + size);
    const double log_ordinary = moved ? 0.0 : log_low;
    const double ordinary = exp(log_ordinary);
    const double excess = double(x[clean[row]]) - shift[row] + log_low;
    const double high = exp(-log_low);
    double scores;
    double logs;
    exponentiate_but(x, states_count, states[row], clean[row], float(shift[row]), float(ordinary),
                     float(factors[row] / size), scores, logs);
    if (threadIdx.x > 0) return;
    double sum = scores - ordinary * logs + (size - (moved ? 2 : 1)) * ordinary * (log_ordinary - 1);
    if (moved) {
        sum += high * (expm1(excess) - excess);
        x[clean[row]] = float(high * expm1(excess) * factors[row] / size);
    }
    x[states[row]] = 0;
    entropy[row] = sum / size;
}

)
