// Separates queries, keys and values of the joint array [R, 3 d] by head, rotates queries and keys by their positions; and back.
//
// The separate arrays are [R, heads, padded]: a head's width, zero-padded to a width that libtorch's attention supports. A
// thread has two channels: a pair that is rotated, (a, b) -> (a cos - b sin, b cos + a sin), or two of the padding.
CUDA_SOURCE(rotary,

struct Place {
    i64 row;
    i64 part;
    i64 head;
    i64 pair;
};

__device__ inline Place place(i64 item, i64 heads, i64 pairs) {
    return Place{item / pairs / heads / 3, item / pairs / heads % 3, item / pairs % heads, item % pairs};
}

KERNEL void rotary_split(const element *joint, const float *cosine, const float *sine, i64 rows, i64 length, i64 heads,
                         i64 width, i64 padded, element *query, element *key, element *value) {
    const i64 item = i64(blockIdx.x) * blockDim.x + threadIdx.x;
    const i64 pairs = padded / 2;
    if (item >= rows * 3 * heads * pairs) return;
    const Place at = place(item, heads, pairs);
    const i64 half = width / 2;
    element *to = (at.part == 0 ? query : at.part == 1 ? key : value) + (at.row * heads + at.head) * padded;
    if (at.pair >= half) {
        put(to + 2 * at.pair, 0.0f);
        put(to + 2 * at.pair + 1, 0.0f);
        return;
    }
    const element *from = joint + (at.row * 3 + at.part) * heads * width + at.head * width;
    const float a = get(from + at.pair);
    const float b = get(from + half + at.pair);
    const i64 angle = at.row % length * half + at.pair;
    const float c = at.part < 2 ? cosine[angle] : 1.0f;
    const float s = at.part < 2 ? sine[angle] : 0.0f;
    put(to + at.pair, a * c - b * s);
    put(to + half + at.pair, b * c + a * s);
}

// The gradient of the joint array from those of the three.
KERNEL void rotary_join(const element *dquery, const element *dkey, const element *dvalue, const float *cosine,
                        const float *sine, i64 rows, i64 length, i64 heads, i64 width, i64 padded, element *djoint) {
    const i64 item = i64(blockIdx.x) * blockDim.x + threadIdx.x;
    const i64 half = width / 2;
    if (item >= rows * 3 * heads * half) return;
    const Place at = place(item, heads, half);
    const element *from = (at.part == 0 ? dquery : at.part == 1 ? dkey : dvalue) + (at.row * heads + at.head) * padded;
    const float a = get(from + at.pair);
    const float b = get(from + half + at.pair);
    const i64 angle = at.row % length * half + at.pair;
    const float c = at.part < 2 ? cosine[angle] : 1.0f;
    const float s = at.part < 2 ? sine[angle] : 0.0f;
    element *to = djoint + (at.row * 3 + at.part) * heads * width + at.head * width;
    put(to + at.pair, a * c + b * s);
    put(to + half + at.pair, b * c - a * s);
}

)
