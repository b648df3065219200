// Dropout without generator state: whether an element is dropped is a function of (key, step, sequence, position,
// channel), so a resumed run drops the same elements, and a sequence drops the same ones whatever batch it is in.
//
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), counter = (channel / 8, position,
// sequence, step); its four words are eight 16-bit lanes, lane = channel % 8, dropped where lane < drop * 65536.
#include "dropout.h"

#include <algorithm>

#include "arrays.h"
#include "parallel.h"

using namespace ctorch;

static constexpr int lanes = 16;  // counters worked on at once: a whole AVX-512 register of words

CT_VECTORISED
static void factors(float *out, int64_t width, const DropoutRow &row) {
    for (int64_t start = 0; start < width; start += 8 * lanes) {
        uint32_t c0[lanes], c1[lanes], c2[lanes], c3[lanes];
        for (int j = 0; j < lanes; ++j) {
            c0[j] = static_cast<uint32_t>(start / 8 + j);
            c1[j] = row.position;
            c2[j] = row.sequence;
            c3[j] = row.step;
        }
        uint32_t k0 = row.key0, k1 = row.key1;
        for (int round = 0; round < 10; ++round) {
            for (int j = 0; j < lanes; ++j) {
                const uint64_t p0 = uint64_t(0xD2511F53u) * c0[j], p1 = uint64_t(0xCD9E8D57u) * c2[j];
                const uint32_t n0 = static_cast<uint32_t>(p1 >> 32) ^ c1[j] ^ k0;
                const uint32_t n2 = static_cast<uint32_t>(p0 >> 32) ^ c3[j] ^ k1;
                c1[j] = static_cast<uint32_t>(p1);
                c3[j] = static_cast<uint32_t>(p0);
                c0[j] = n0;
                c2[j] = n2;
            }
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        float block[8 * lanes];
        for (int j = 0; j < lanes; ++j) {
            const uint32_t words[4] = {c0[j], c1[j], c2[j], c3[j]};
            for (int w = 0; w < 4; ++w) {
                block[8 * j + 2 * w] = (words[w] & 0xFFFFu) < row.threshold ? 0.0f : row.kept;
                block[8 * j + 2 * w + 1] = (words[w] >> 16) < row.threshold ? 0.0f : row.kept;
            }
        }
        const int64_t count = std::min<int64_t>(8 * lanes, width - start);
        std::copy(block, block + count, out + start);
    }
}

void ctorch::dropout_factors(float *out, int64_t width, DropoutRow row) { factors(out, width, row); }

CTStatus ct_dropout_mask(CTTensor out, CTDropout dropout) {
    return guarded([&] {
        at::Tensor &mask = unwrap(out);
        TORCH_CHECK_VALUE(mask.dim() == 3, "a dropout mask has shape [sequences, length, width]");
        if (!drops(dropout, mask.size(0))) {
            mask.fill_(1);
            return;
        }
        const int64_t length = mask.size(1), width = mask.size(2);
        float *data = floats(mask, "mask");
        parallel_rows(mask.size(0) * length, 16, [&](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; ++row) {
                dropout_factors(data + row * width, width, dropout_row(dropout, row / length, row % length));
            }
        });
    });
}
