// The work of one head of one sequence, compiled once for each kind of processor: attention.cpp includes this file several
// times, each time inside a namespace of its own, with CT_LANES, CT_ROWS and CT_COLUMNS for its registers.
//
// Everything rests on one product of small blocks held in registers, CT_ROWS rows by up to CT_COLUMNS vectors. Scratch
// arrays are padded so that no block is ever partial: rows past the end are zero or are not looked at.

typedef float Vector __attribute__((vector_size(CT_LANES * 4), aligned(4)));

typedef float Eight __attribute__((vector_size(32), aligned(4)));

constexpr int64_t rows_at_once = 8 * CT_ROWS;          // queries whose weights on all keys are held at once
constexpr int64_t panel = CT_COLUMNS * CT_LANES;       // keys of one product
constexpr int64_t depth = 128;                         // terms summed at once

inline const Eight &eight(const float *from) { return *reinterpret_cast<const Eight *>(from); }
inline Eight &eight(float *to) { return *reinterpret_cast<Eight *>(to); }

inline int64_t padded(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }

// Sizes of the scratch arrays of a task.
struct Sizes {
    int64_t width, length, vectors, pitch, keys, rows, weights;

    Sizes(int64_t width, int64_t length) : width(width), length(length) {
        vectors = (width + CT_LANES - 1) / CT_LANES;
        pitch = vectors * CT_LANES;                                 // of a row of queries, keys or values
        keys = padded(length, panel);                               // of a row of keys laid across
        rows = padded(length, rows_at_once);                        // of a column of queries, keys or values
        weights = std::max(keys, padded(length, CT_ROWS)) + CT_LANES;  // of a row of attention weights
    }
};

// c[i][0, N vectors) (+)= sum_k a[i across + k down] b[k][..].
template <int N>
inline void block(int64_t count, const float *a, int64_t across, int64_t down, const float *b, int64_t pitch_b, float *c,
                  int64_t pitch_c, bool adding) {
    Vector sum[CT_ROWS][N];
    for (int i = 0; i < CT_ROWS; ++i)
        for (int n = 0; n < N; ++n)
            sum[i][n] = adding ? *reinterpret_cast<const Vector *>(c + i * pitch_c + n * CT_LANES) : Vector{};
    for (int64_t k = 0; k < count; ++k) {
        Vector row[N];
        for (int n = 0; n < N; ++n) row[n] = *reinterpret_cast<const Vector *>(b + k * pitch_b + n * CT_LANES);
        for (int i = 0; i < CT_ROWS; ++i) {
            const float factor = a[i * across + k * down];
            for (int n = 0; n < N; ++n) sum[i][n] += factor * row[n];
        }
    }
    for (int i = 0; i < CT_ROWS; ++i)
        for (int n = 0; n < N; ++n) *reinterpret_cast<Vector *>(c + i * pitch_c + n * CT_LANES) = sum[i][n];
}

// The same for any number of vectors a row.
inline void blocks(int64_t vectors, int64_t count, const float *a, int64_t across, int64_t down, const float *b,
                   int64_t pitch_b, float *c, int64_t pitch_c, bool adding) {
    for (int64_t first = 0; first < vectors; first += CT_COLUMNS) {
        const float *from = b + first * CT_LANES;
        float *to = c + first * CT_LANES;
        switch (std::min<int64_t>(CT_COLUMNS, vectors - first)) {
        case 1: block<1>(count, a, across, down, from, pitch_b, to, pitch_c, adding); break;
        case 2: block<2>(count, a, across, down, from, pitch_b, to, pitch_c, adding); break;
#if CT_COLUMNS > 2
        case 3: block<3>(count, a, across, down, from, pitch_b, to, pitch_c, adding); break;
        default: block<4>(count, a, across, down, from, pitch_b, to, pitch_c, adding); break;
#endif
        }
    }
}

// weights[rows][keys] = left [rows][width] times right [width][keys]; rows are whole blocks.
inline void against_keys(const Sizes &s, int64_t rows, const float *left, const float *right, float *weights) {
    for (int64_t key = 0; key < s.keys; key += panel)
        for (int64_t row = 0; row < rows; row += CT_ROWS)
            block<CT_COLUMNS>(s.width, left + row * s.pitch, s.pitch, 1, right + key, s.keys,
                              weights + row * s.weights + key, s.weights, false);
}

// out[rows][pitch] = weights [rows][length] times values [length][pitch].
inline void over_keys(const Sizes &s, int64_t rows, const float *weights, const float *values, float *out) {
    for (int64_t key = 0; key < s.length; key += depth)
        for (int64_t row = 0; row < rows; row += CT_ROWS)
            blocks(s.vectors, std::min(depth, s.length - key), weights + row * s.weights + key, s.weights, 1,
                   values + key * s.pitch, s.pitch, out + row * s.pitch, s.pitch, key > 0);
}

// out[key][pitch] += weights [rows][key] times from [rows][pitch].
inline void onto_keys(const Sizes &s, int64_t rows, const float *weights, const float *from, float *out) {
    for (int64_t key = 0; key < s.length; key += CT_ROWS)
        blocks(s.vectors, rows, weights + key, 1, s.weights, from, s.pitch, out + key * s.pitch, s.pitch, true);
}

// (a, b) -> scale (a cos - b direction sin, b cos + a direction sin), the halves of a vector of one position.
inline void turned(const Heads &h, int64_t position, const float *__restrict from, float scale, float direction,
                   float *__restrict to) {
    const int64_t half = h.half();
    const float *__restrict c = h.cosine + position * half, *__restrict s = h.sine + position * half;
    int64_t i = 0;
    for (; i + 8 <= half; i += 8) {
        const Eight a = eight(from + i), b = eight(from + half + i);
        const Eight cosine = scale * eight(c + i), sine = scale * direction * eight(s + i);
        eight(to + i) = a * cosine - b * sine;
        eight(to + half + i) = b * cosine + a * sine;
    }
    for (; i < half; ++i) {
        const float a = from[i], b = from[half + i], cosine = scale * c[i], sine = scale * direction * s[i];
        to[i] = a * cosine - b * sine;
        to[half + i] = b * cosine + a * sine;
    }
}

inline void zero_tail(float *row, int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) row[i] = 0;
}

// out[j][0, 8) = the elements j of eight rows.
inline void across_eight(const float *rows, int64_t pitch, float *out, int64_t pitch_out) {
    Eight r[8], t[8];
    for (int j = 0; j < 8; ++j) r[j] = eight(rows + j * pitch);
    for (int j = 0; j < 8; j += 2) {
        t[j] = __builtin_shufflevector(r[j], r[j + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        t[j + 1] = __builtin_shufflevector(r[j], r[j + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int j = 0; j < 8; j += 4)
        for (int i = j; i < j + 2; ++i) {
            r[i] = __builtin_shufflevector(t[i], t[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            r[i + 2] = __builtin_shufflevector(t[i], t[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int j = 0; j < 4; ++j) {
        eight(out + j * pitch_out) = __builtin_shufflevector(r[j], r[j + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        eight(out + (j + 4) * pitch_out) = __builtin_shufflevector(r[j], r[j + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

// Rows [rows][pitch] laid across as [width][keys], zero past the last.
inline void lay_across(const Sizes &s, const float *rows, float *out) {
    int64_t key = 0;
    for (; key + 8 <= s.length; key += 8) {
        int64_t i = 0;
        for (; i + 8 <= s.width; i += 8) across_eight(rows + key * s.pitch + i, s.pitch, out + i * s.keys + key, s.keys);
        for (; i < s.width; ++i)
            for (int64_t j = key; j < key + 8; ++j) out[i * s.keys + j] = rows[j * s.pitch + i];
    }
    for (int64_t i = 0; i < s.width; ++i) {
        for (int64_t j = key; j < s.length; ++j) out[i * s.keys + j] = rows[j * s.pitch + i];
        zero_tail(out + i * s.keys, s.length, s.keys);
    }
}

// Replaces scores with exponentials of their differences from the largest, and returns the logarithm of the sum;
// `inverse` is 1 over the sum of these exponentials.
inline float exponentials(float *w, int64_t length, float &inverse) {
    float top[32], sums[32] = {};
    for (int j = 0; j < 32; ++j) top[j] = w[0];
    int64_t i = 0;
    for (; i + 32 <= length; i += 32)
        for (int j = 0; j < 32; ++j) top[j] = w[i + j] > top[j] ? w[i + j] : top[j];
    for (; i < length; ++i) top[0] = w[i] > top[0] ? w[i] : top[0];
    for (int step = 16; step > 0; step /= 2)
        for (int j = 0; j < step; ++j) top[j] = top[j + step] > top[j] ? top[j + step] : top[j];
    const float most = top[0];
    for (i = 0; i + 32 <= length; i += 32)
        for (int j = 0; j < 32; ++j) {
            w[i + j] = exponential(w[i + j] - most);
            sums[j] += w[i + j];
        }
    for (; i < length; ++i) sums[0] += w[i] = exponential(w[i] - most);
    for (int step = 16; step > 0; step /= 2)
        for (int j = 0; j < step; ++j) sums[j] += sums[j + step];
    inverse = 1 / sums[0];
    return most + std::log(sums[0]);
}

// Queries, keys or values (part 0, 1, 2) of positions [first, first + count) as rows, queries and keys rotated; rows
// past the end are zero.
inline void gather(const Heads &h, const Sizes &s, int64_t part, int64_t first, int64_t count, float scale, float *out) {
    for (int64_t row = 0; row < count; ++row) {
        float *to = out + row * s.pitch;
        const int64_t position = first + row;
        if (position >= s.length) {
            zero_tail(to, 0, s.pitch);
            continue;
        }
        const float *from = h.joint(part, position);
        if (part < 2) turned(h, position, from, scale, 1, to);
        else std::copy(from, from + s.width, to);
        zero_tail(to, s.width, s.pitch);
    }
}

// Floats of scratch that a task needs.
inline int64_t forward_scratch(int64_t width, int64_t length) {
    const Sizes s(width, length);
    return s.width * s.keys + s.rows * s.pitch + rows_at_once * (s.weights + 2 * s.pitch);
}

inline int64_t backward_scratch(int64_t width, int64_t length) {
    const Sizes s(width, length);
    return 2 * s.width * s.keys + 5 * (s.rows + CT_ROWS) * s.pitch + rows_at_once * (2 * s.weights + s.pitch);
}

// softmax(Q Kᵀ / sqrt(width)) V for queries [begin, end), and the logarithms of the sums of its exponentials.
inline void forward(const Heads &h, int64_t begin, int64_t end, float *scratch) {
    const Sizes s(h.width, h.length);
    float *keys = scratch, *values = keys + s.width * s.keys, *weights = values + s.rows * s.pitch;
    float *queries = weights + rows_at_once * s.weights, *out = queries + rows_at_once * s.pitch;
    gather(h, s, 1, 0, s.length, h.scale(), values);
    lay_across(s, values, keys);
    gather(h, s, 2, 0, s.length, 1, values);
    for (int64_t first = begin; first < end; first += rows_at_once) {
        const int64_t count = std::min(rows_at_once, end - first), rows = padded(count, CT_ROWS);
        gather(h, s, 0, first, rows, 1, queries);
        against_keys(s, rows, queries, keys, weights);
        float inverse[rows_at_once];
        for (int64_t row = 0; row < rows; ++row) {
            const float sum = exponentials(weights + row * s.weights, s.length, inverse[row]);
            if (row < count) h.log_sums[first + row] = sum;
        }
        over_keys(s, rows, weights, values, out);
        for (int64_t row = 0; row < count; ++row) {
            float *to = h.out + (first + row) * h.stride;
            for (int64_t i = 0; i < s.width; ++i) to[i] = out[row * s.pitch + i] * inverse[row];
        }
    }
}

inline float product(const float *a, const float *b, int64_t count) {
    Eight sums = {};
    int64_t i = 0;
    for (; i + 8 <= count; i += 8) sums += eight(a + i) * eight(b + i);
    float sum = 0;
    for (int j = 0; j < 8; ++j) sum += sums[j];
    for (; i < count; ++i) sum += a[i] * b[i];
    return sum;
}

// Scores to weights, and the gradients of weights to those of scores.
inline void slope(float *__restrict w, float *__restrict d, float log_sum, float delta, int64_t length) {
    for (int64_t i = 0; i < length; ++i) {
        w[i] = exponential(w[i] - log_sum);
        d[i] = w[i] * (d[i] - delta);
    }
}

// Gradients of queries, keys and values before rotation. With weights p and delta = sum(dout out):
//   dv = pᵀ dout,  ds = p (dout vᵀ - delta),  dq = ds k,  dk = dsᵀ q.
inline void backward(const Heads &h, float *scratch) {
    const Sizes s(h.width, h.length);
    const int64_t column = (s.rows + CT_ROWS) * s.pitch;
    float *across_keys = scratch, *across_values = across_keys + s.width * s.keys;
    float *keys = across_values + s.width * s.keys, *queries = keys + column, *pulls = queries + column;
    float *key_sums = pulls + column, *value_sums = key_sums + column;
    float *weights = value_sums + column, *slopes = weights + rows_at_once * s.weights;
    float *query_sums = slopes + rows_at_once * s.weights;

    gather(h, s, 2, 0, s.length, 1, keys);
    lay_across(s, keys, across_values);
    gather(h, s, 1, 0, s.length, h.scale(), keys);
    lay_across(s, keys, across_keys);
    gather(h, s, 0, 0, s.rows, 1, queries);
    for (int64_t row = 0; row < s.rows; ++row) {
        float *to = pulls + row * s.pitch;
        if (row < s.length) {
            const float *from = h.out_gradient + row * h.stride;
            std::copy(from, from + s.width, to);
        }
        zero_tail(to, row < s.length ? s.width : 0, s.pitch);
    }
    std::fill(key_sums, key_sums + column, 0.0f);
    std::fill(value_sums, value_sums + column, 0.0f);

    for (int64_t first = 0; first < s.length; first += rows_at_once) {
        const int64_t count = std::min(rows_at_once, s.length - first), rows = padded(count, CT_ROWS);
        against_keys(s, rows, queries + first * s.pitch, across_keys, weights);
        against_keys(s, rows, pulls + first * s.pitch, across_values, slopes);
        for (int64_t row = 0; row < rows; ++row) {
            float *w = weights + row * s.weights, *d = slopes + row * s.weights;
            const int64_t position = first + row, here = row < count ? s.length : 0;
            if (here > 0) {
                const float *out = h.out + position * h.stride, *pull = pulls + position * s.pitch;
                slope(w, d, h.log_sums[position], product(out, pull, s.width), s.length);
            }
            zero_tail(w, here, s.weights);
            zero_tail(d, here, s.weights);
        }
        over_keys(s, rows, slopes, keys, query_sums);
        onto_keys(s, rows, weights, pulls + first * s.pitch, value_sums);
        onto_keys(s, rows, slopes, queries + first * s.pitch, key_sums);
        for (int64_t row = 0; row < count; ++row)
            turned(h, first + row, query_sums + row * s.pitch, 1, -1, h.joint_gradient(0, first + row));
    }
    for (int64_t row = 0; row < s.length; ++row) {
        // Keys were scaled, queries were not.
        turned(h, row, key_sums + row * s.pitch, h.scale(), -1, h.joint_gradient(1, row));
        std::copy(value_sums + row * s.pitch, value_sums + row * s.pitch + s.width, h.joint_gradient(2, row));
    }
}

#undef CT_LANES
#undef CT_ROWS
#undef CT_COLUMNS
