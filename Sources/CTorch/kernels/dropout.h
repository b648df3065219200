// Which elements of a row dropout keeps; see dropout.cpp.
#pragma once

#include <cmath>
#include <cstdint>

#include "../guard.h"

namespace ctorch {

// The parts of a counter common to a row, and the two values of its factors.
struct DropoutRow {
    uint32_t key0, key1, position, sequence, step, threshold;
    float kept;
};

// Writes `width` factors, 0 or row.kept.
void dropout_factors(float *out, int64_t width, DropoutRow row);

// Whether anything is dropped in a batch of this many sequences.
inline bool drops(const CTDropout &dropout, int64_t sequences) {
    TORCH_CHECK_VALUE(dropout.share >= 0 && dropout.share < 1, "a dropout of ", dropout.share,
                      " was asked for; expected 0 <= dropout < 1");
    if (dropout.share == 0) return false;
    TORCH_CHECK_VALUE(dropout.count == sequences, "dropout names ", dropout.count, " sequences, the batch has ", sequences);
    return true;
}

// The row of position `position` of the sequence `sequence` of the batch.
inline DropoutRow dropout_row(const CTDropout &dropout, int64_t sequence, int64_t position) {
    const uint32_t threshold = static_cast<uint32_t>(std::lround(dropout.share * 65536));
    return DropoutRow{static_cast<uint32_t>(dropout.key),
                      static_cast<uint32_t>(dropout.key >> 32),
                      static_cast<uint32_t>(position),
                      dropout.sequences[sequence],
                      static_cast<uint32_t>(dropout.step),
                      threshold,
                      // The chance that a lane is kept is exactly 1 - threshold / 65536: the mean stays.
                      static_cast<float>(1.0 / (1.0 - threshold / 65536.0))};
}

}  // namespace ctorch
