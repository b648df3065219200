// Dropout without generator state: whether an element is dropped is a function of (key, step, sequence, position,
// channel), so a resumed run drops the same elements, and a sequence drops the same ones whatever batch it is in.
//
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), counter = (channel / 8, position,
// sequence, step); its four words are eight 16-bit lanes, lane = channel % 8, dropped where lane < drop * 65536.
#include <algorithm>
#include <cmath>

#include "../guard.h"
#include "parallel.h"

using namespace ctorch;

namespace {

constexpr int lanes = 16;  // counters worked on at once: a whole AVX-512 register of words

struct Row {
    uint32_t key0, key1, position, sequence, step, threshold;
    float kept;
};

CT_VECTORISED
void mask_row(float *out, int64_t width, Row row) {
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

}  // namespace

CTStatus ct_dropout_mask(CTTensor out, uint64_t key, uint64_t step, const uint32_t *sequences, double drop) {
    return guarded([&] {
        at::Tensor &mask = unwrap(out);
        TORCH_CHECK_VALUE(mask.is_cpu() && mask.is_contiguous() && mask.scalar_type() == at::kFloat && mask.dim() == 3,
                          "a dropout mask is float32 [sequences, length, width] on the CPU, found ", mask.toString());
        TORCH_CHECK_VALUE(drop >= 0 && drop < 1, "a dropout of ", drop, " was asked for; expected 0 <= dropout < 1");
        const int64_t length = mask.size(1), width = mask.size(2);
        const uint32_t threshold = static_cast<uint32_t>(std::lround(drop * 65536));
        // The chance that a lane is kept is exactly 1 - threshold / 65536, so this keeps the mean exactly.
        const float kept = static_cast<float>(1.0 / (1.0 - threshold / 65536.0));
        float *data = mask.mutable_data_ptr<float>();
        parallel_rows(mask.size(0) * length, 16, [&](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; ++row) {
                mask_row(data + row * width, width,
                         Row{static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32),
                             static_cast<uint32_t>(row % length), sequences[row / length], static_cast<uint32_t>(step),
                             threshold, kept});
            }
        });
    });
}
