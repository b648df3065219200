// y = x + gate * factor * (branch + bias), factor being dropout's 0 or 1 / (1 - share), and its backward pass; see
// ../../kernels/gated_residual.cpp. x, y and their gradient are float, the branch and its gradient `element`.
//
// Dropout is the function of ../../kernels/dropout.cpp, bit for bit: Philox4x32-10 at (channel / 8, position, sequence, step),
// whose four words are the lanes of eight channels. So a thread works on eight channels at once.
CUDA_SOURCE(gated_residual,

struct Dropout {
    u32 key0;
    u32 key1;
    u32 step;
    u32 threshold;
    float kept;
};

// The factors of the eight channels from 8 * group on.
__device__ inline void dropout_factors(Dropout dropout, u32 sequence, u32 position, u32 group, float *factors) {
    u32 c0 = group;
    u32 c1 = position;
    u32 c2 = sequence;
    u32 c3 = dropout.step;
    u32 k0 = dropout.key0;
    u32 k1 = dropout.key1;
    for (int round = 0; round < 10; ++round) {
        const u64 p0 = u64(0xD2511F53u) * c0;
        const u64 p1 = u64(0xCD9E8D57u) * c2;
        const u32 n0 = u32(p1 >> 32) ^ c1 ^ k0;
        const u32 n2 = u32(p0 >> 32) ^ c3 ^ k1;
        c1 = u32(p1);
        c3 = u32(p0);
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    const u32 words[4] = {c0, c1, c2, c3};
    for (int i = 0; i < 4; ++i) {
        factors[2 * i] = (words[i] & 0xFFFFu) < dropout.threshold ? 0.0f : dropout.kept;
        factors[2 * i + 1] = (words[i] >> 16) < dropout.threshold ? 0.0f : dropout.kept;
    }
}

__device__ inline void ones(float *factors) {
    for (int i = 0; i < 8; ++i) factors[i] = 1;
}

// A thread for each eight channels of a row. `bias` and `sequences` may be null: no bias, no dropout.
KERNEL void gated_residual(const float *x, const element *branch, const float *bias, const float *gate,
                           const u32 *sequences, Dropout dropout, i64 rows, i64 width, i64 length, i64 stride, float *y) {
    const i64 groups = (width + 7) / 8;
    const i64 item = i64(blockIdx.x) * blockDim.x + threadIdx.x;
    if (item >= rows * groups) return;
    const i64 row = item / groups;
    const i64 group = item % groups;
    const i64 sequence = row / length;
    float factors[8];
    ones(factors);
    if (sequences != nullptr) dropout_factors(dropout, sequences[sequence], u32(row % length), u32(group), factors);
    for (int j = 0; j < 8; ++j) {
        const i64 i = 8 * group + j;
        if (i >= width) break;
        const float whole = get(branch + row * width + i) + (bias != nullptr ? bias[i] : 0.0f);
        y[row * width + i] = x[row * width + i] + gate[sequence * stride + i] * factors[j] * whole;
    }
}

// A block for each piece of rows of a sequence; leaves the sums of dgate and dbias over the piece in `partial`
// [pieces of all sequences, 2 width].
KERNEL void gated_residual_backward(const float *dy, const element *branch, const float *bias, const float *gate,
                                    const u32 *sequences, Dropout dropout, i64 width, i64 length, i64 stride, i64 piece,
                                    element *dbranch, float *partial) {
    const i64 sequence = blockIdx.y;
    const i64 first = blockIdx.x * piece;
    const i64 last = minimum(first + piece, length);
    partial += (sequence * gridDim.x + blockIdx.x) * 2 * width;
    for (i64 group = threadIdx.x; 8 * group < width; group += blockDim.x) {
        float gates[8] = {0, 0, 0, 0, 0, 0, 0, 0};
        float biases[8] = {0, 0, 0, 0, 0, 0, 0, 0};
        for (i64 position = first; position < last; ++position) {
            float factors[8];
            ones(factors);
            if (sequences != nullptr) dropout_factors(dropout, sequences[sequence], u32(position), u32(group), factors);
            for (int j = 0; j < 8; ++j) {
                const i64 i = 8 * group + j;
                if (i >= width) break;
                const i64 at = (sequence * length + position) * width + i;
                const float pulled = dy[at] * factors[j];
                const float opened = pulled * gate[sequence * stride + i];
                put(dbranch + at, opened);
                gates[j] += pulled * (get(branch + at) + (bias != nullptr ? bias[i] : 0.0f));
                biases[j] += opened;
            }
        }
        for (int j = 0; j < 8; ++j) {
            const i64 i = 8 * group + j;
            if (i >= width) break;
            partial[i] = gates[j];
            partial[width + i] = biases[j];
        }
    }
}

)
