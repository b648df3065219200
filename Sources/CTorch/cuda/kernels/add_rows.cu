// target[place] += the sum of its rows, in their order: rows are given sorted by place (`places`, ascending, and
// `order`, the index of each row), so the rows of a place are a run. Because half of all rows may have the same place,
// runs are divided into pieces of fixed length: sums within a piece are added directly, and runs that cross the end of a
// piece are assembled from the pieces' sums. Each place is written by one thread per channel.
CUDA_SOURCE(add_rows,

__device__ inline bool same_as_before(const i64 *places, i64 at) { return at > 0 && places[at - 1] == places[at]; }

// A block of the first dimension has a piece of `piece` rows. `heads` [pieces, width]: the sum of the rows at the start of a piece
// that continue a run begun before it. `tails`: of those at its end whose run begins in it and continues after it.
KERNEL void add_rows_within(const float *rows, const i64 *places, const i64 *order, i64 count, i64 width, i64 piece,
                            float *target, float *heads, float *tails) {
    const i64 channel = i64(blockIdx.y) * blockDim.x + threadIdx.x;
    if (channel >= width) return;
    const i64 first = blockIdx.x * piece;
    const i64 last = minimum(first + piece, count);
    bool begun_before = same_as_before(places, first);
    float sum = 0;
    for (i64 at = first; at < last; ++at) {
        sum += rows[order[at] * width + channel];
        const bool goes_on = at + 1 < count && places[at + 1] == places[at];
        if (goes_on && at + 1 < last) continue;
        if (begun_before) {
            heads[blockIdx.x * width + channel] = sum;
        } else if (goes_on) {
            tails[blockIdx.x * width + channel] = sum;
        } else {
            target[places[at] * width + channel] += sum;
        }
        begun_before = false;
        sum = 0;
    }
}

// A block of the first dimension has the run that begins in a piece and continues after it, if there is one.
KERNEL void add_rows_across(const i64 *places, i64 count, i64 width, i64 piece, float *target, const float *heads,
                            const float *tails) {
    const i64 channel = i64(blockIdx.y) * blockDim.x + threadIdx.x;
    if (channel >= width) return;
    i64 end = (blockIdx.x + i64(1)) * piece;  // where the next piece starts
    if (end >= count || places[end] != places[end - 1]) return;
    const i64 place = places[end];
    // The run began before this piece: another block has it.
    if (blockIdx.x > 0 && places[end - piece - 1] == place) return;
    float sum = tails[blockIdx.x * width + channel];
    for (; end < count && places[end] == place; end += piece) sum += heads[end / piece * width + channel];
    target[place * width + channel] += sum;
}

)
