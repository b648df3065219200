// A reverse step and its draw from rows of logits [M, V]: the weights of ../../kernels/reverse_step.cpp, drawn from by the
// inverse of their cumulative distribution in double precision. A block for each row; `runs` are sums over 1024 states.
CUDA_SOURCE(reverse_step,

const int run_length = 1024;

struct Weights {
    const float *logits;
    i64 own;
    float shift;
    float slope;
    float rest;
    float kept;  // the own state's

    // NaN propagates, so the total reveals it.
    __device__ inline float operator()(i64 i) const {
        if (i == own) return kept;
        const float weight = slope * expf(logits[i] - shift) + rest;
        return weight < 0 ? 0.0f : weight;
    }
};

// The sum of a warp's numbers up to and with each lane's.
__device__ inline double running_sum(double value) {
    const int lane = threadIdx.x % 32;
    for (int offset = 1; offset < 32; offset *= 2) {
        const double before = __shfl_up_sync(whole_warp, value, offset);
        if (lane >= offset) value += before;
    }
    return value;
}

// Of the states [first, last), the first of positive weight at which sum + their running sum is above `target`, else the last
// of positive weight, else -1. For one warp.
__device__ inline i64 find_in_run(const Weights &weights, i64 first, i64 last, double sum, double target) {
    const int lane = threadIdx.x % 32;
    i64 positive = -1;
    for (i64 start = first; start < last; start += 32) {
        const float weight = start + lane < last ? weights(start + lane) : 0.0f;
        const double running = sum + running_sum(double(weight));
        // Sums of different lanes are rounded differently: skip states of weight 0.
        const u32 above = __ballot_sync(whole_warp, weight > 0 && running > target);
        if (above != 0) return start + __ffs(above) - 1;
        const u32 possible = __ballot_sync(whole_warp, weight > 0);
        if (possible != 0) positive = start + 31 - __clz(possible);
        sum = __shfl_sync(whole_warp, running, 31);
    }
    return positive;
}

KERNEL void reverse_step(const float *logits, const i64 *states, const double *shift, const double *rules,
                         const double *uniforms, i64 size, i64 *drawn, double *totals) {
    __shared__ double scratch[64];
    __shared__ double target_sum;
    __shared__ i64 chosen_run;
    DYNAMIC_SHARED(double, runs);
    const i64 row = blockIdx.x;
    const double *rule = rules + 5 * row;
    Weights weights;
    weights.logits = logits + row * size;
    weights.own = states[row];
    weights.shift = float(shift[row]);
    double others = 0;
    double none = 0;
    for (i64 i = threadIdx.x; i < size; i += blockDim.x) {
        if (i != weights.own) others += double(expf(weights.logits[i] - weights.shift));
    }
    block_sums(others, none, scratch);
    weights.slope = float(rule[0]);
    weights.rest = float(rule[1] * others + rule[2]);
    const double kept = rule[3] + rule[4] * others;
    weights.kept = kept < 0 ? 0.0f : float(kept);

    // A warp for each run.
    const int lane = threadIdx.x % 32;
    const i64 count = (size + run_length - 1) / run_length;
    for (i64 run = threadIdx.x / 32; run < count; run += blockDim.x / 32) {
        const i64 last = minimum((run + 1) * run_length, size);
        double sum = 0;
        for (i64 i = run * run_length + lane; i < last; i += 32) sum += double(weights(i));
        sum = warp_sum(sum);
        if (lane == 0) runs[run] = sum;
    }
    __syncthreads();

    if (threadIdx.x == 0) {
        double total = 0;
        for (i64 run = 0; run < count; ++run) total += runs[run];
        totals[row] = total;
        const double target = uniforms[row] * total;
        double sum = 0;
        i64 run = 0;
        while (run + 1 < count && sum + runs[run] <= target) sum += runs[run++];
        scratch[0] = target;  // whose sums have been read by all
        target_sum = sum;
        chosen_run = total > 0 && isfinite(total) ? run : -1;
    }
    __syncthreads();
    if (threadIdx.x >= 32) return;
    i64 state = -1;
    double sum = target_sum;
    double target = scratch[0];
    for (i64 run = chosen_run; run >= 0 && state < 0; --run) {
        state = find_in_run(weights, run * run_length, minimum((run + 1) * run_length, size), sum, target);
        // Because of rounding, the last run may contain no positive weight: then the last state of an earlier run is
        // drawn, since no sum exceeds twice the total.
        sum = 0;
        target = 2 * totals[row];
    }
    if (lane == 0) drawn[row] = state;
}

)
