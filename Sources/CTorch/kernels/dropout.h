// Which elements of a row dropout keeps; see dropout.cpp.
#pragma once

#include <cmath>
#include <cstdint>

#include "../include/ctorch.h"

namespace ctorch {

// The parts of a counter that a row shares, and the two values that its factors take.
struct DropoutRow {
    uint32_t key0, key1, position, sequence, step, threshold;
    float kept;
};

// Writes `width` factors, 0 or row.kept.
void dropout_factors(float *out, int64_t width, DropoutRow row);

inline bool drops(const CTDropout &dropout) { return dropout.share > 0; }

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
