// Sums over the rows of each sequence, by pieces of a fixed number of rows: the result depends neither on the number of
// threads nor on what else is in the batch.
#pragma once

#include <vector>

#include "arrays.h"
#include "parallel.h"

namespace ctorch {

// Calls body(sequence, first row, last row, sums) for every piece, with `count` sums that start at 0; then
// finish(sequence, sums) for every sequence, in order, with the sums of its pieces.
template <typename Body, typename Finish>
void sum_over_rows(int64_t sequences, int64_t length, int64_t count, const Body &body, const Finish &finish) {
    const int64_t pieces = (length + piece - 1) / piece;
    if (pieces == 0) return;
    std::vector<float> partial(static_cast<size_t>(sequences * pieces * count), 0.0f);
    parallel_rows(sequences * pieces, 1, [&](int64_t begin, int64_t end) {
        for (int64_t item = begin; item < end; ++item) {
            const int64_t sequence = item / pieces, first = item % pieces * piece;
            body(sequence, sequence * length + first, sequence * length + std::min(first + piece, length),
                 partial.data() + item * count);
        }
    });
    for (int64_t sequence = 0; sequence < sequences; ++sequence) {
        float *sums = partial.data() + sequence * pieces * count;
        for (int64_t other = 1; other < pieces; ++other) {
            const float *more = sums + other * count;
            for (int64_t i = 0; i < count; ++i) sums[i] += more[i];
        }
        finish(sequence, sums);
    }
}

}  // namespace ctorch
