// Score entropy of rows of logits and its gradient, in one pass over the logits, in place.
//
// With log-scores L = logit - shift, own entry left out, and d = L_x0 - log r:
//   absorbing, masked rows: sum_{y != x0} e^L + r (expm1(d) - d), r = 1 / expm1(sigma); others are 0.
//   uniform: 1/V of sum over ordinary y of (e^L - r L + r (log r - 1)), plus at x0, where it differs from x, r (expm1(d) - d)
// with the ratios r of ScoreEntropy in Process: nothing is formed as a difference of large numbers.
#include <ATen/ops/empty.h>

#include <cmath>

#include "../cuda/passes.h"
#include "arrays.h"
#include "exponential.h"
#include "parallel.h"

using namespace ctorch;

namespace {

struct Sums {
    double scores, logs;
};

// Over y of [0, count): e^(x - shift) and x - shift added up, and x replaced by (e^(x - shift) - ordinary) factor.
CT_VECTORISED
Sums exponentiate(float *x, int64_t count, float shift, float ordinary, float factor) {
    Sums all{0, 0};
    // Single precision within pieces, double beyond.
    for (int64_t start = 0; start < count; start += 1024) {
        const int64_t end = std::min<int64_t>(start + 1024, count);
        float scores[32] = {}, logs[32] = {};
        int64_t i = start;
        for (; i + 32 <= end; i += 32)
            for (int j = 0; j < 32; ++j) {
                const float log_score = x[i + j] - shift, score = exponential_whole(log_score);
                scores[j] += score;
                logs[j] += log_score;
                x[i + j] = (score - ordinary) * factor;
            }
        for (; i < end; ++i) {
            const float log_score = x[i] - shift, score = exponential_whole(log_score);
            scores[0] += score;
            logs[0] += log_score;
            x[i] = (score - ordinary) * factor;
        }
        for (int j = 0; j < 32; ++j) all.scores += scores[j], all.logs += logs[j];
    }
    return all;
}

double log_expm1(double sigma) { return sigma + std::log(-std::expm1(-sigma)); }

// All y but two, which may be one.
Sums exponentiate_but(float *x, int64_t count, int64_t a, int64_t b, float shift, float ordinary, float factor) {
    const int64_t first = std::min(a, b), second = std::max(a, b);
    Sums all{0, 0};
    for (const auto &[begin, end] : {std::pair{int64_t(0), first}, {first + 1, second}, {second + 1, count}}) {
        if (begin >= end) continue;
        const Sums part = exponentiate(x + begin, end - begin, shift, ordinary, factor);
        all.scores += part.scores;
        all.logs += part.logs;
    }
    return all;
}

struct Row {
    float *logits;
    int64_t states, state, clean;
    double sigma, shift, factor;
};

double absorbing(const Row &row) {
    const int64_t mask = row.states - 1;
    if (row.state != mask) {
        std::fill(row.logits, row.logits + row.states, 0.0f);
        return 0;
    }
    const double log_ratio = -log_expm1(row.sigma), ratio = std::exp(log_ratio);
    const double excess = double(row.logits[row.clean]) - row.shift - log_ratio;
    const Sums others = exponentiate_but(row.logits, row.states, row.clean, mask, float(row.shift), 0, float(row.factor));
    row.logits[row.clean] = float(ratio * std::expm1(excess) * row.factor);
    row.logits[mask] = 0;
    return others.scores + ratio * (std::expm1(excess) - excess);
}

double uniform(const Row &row) {
    const double size = double(row.states);
    const bool moved = row.state != row.clean;
    const double log_low = log_expm1(row.sigma) - std::log(std::expm1(row.sigma) + size);
    const double log_ordinary = moved ? 0 : log_low, ordinary = std::exp(log_ordinary);
    const double excess = double(row.logits[row.clean]) - row.shift + log_low, high = std::exp(-log_low);
    const Sums others = exponentiate_but(row.logits, row.states, row.state, row.clean, float(row.shift), float(ordinary),
                                         float(row.factor / size));
    double entropy = others.scores - ordinary * others.logs + (size - (moved ? 2 : 1)) * ordinary * (log_ordinary - 1);
    if (moved) {
        entropy += high * (std::expm1(excess) - excess);
        row.logits[row.clean] = float(high * std::expm1(excess) * row.factor / size);
    }
    row.logits[row.state] = 0;
    return entropy / size;
}

}  // namespace

CTStatus ct_score_entropy(CTTensor logits_, CTTensor states_, CTTensor clean_, CTTensor sigma_, CTTensor shift_,
                          CTTensor factors_, CTChain chain, CTTensor *entropy_) {
    return guarded([&] {
        at::Tensor &logits = unwrap(logits_);
        if (cuda::takes(logits)) {
            *entropy_ = wrap(cuda::score_entropy(logits, unwrap(states_), unwrap(clean_), unwrap(sigma_), unwrap(shift_),
                                                 unwrap(factors_), chain));
            return;
        }
        TORCH_CHECK_VALUE(logits.dim() == 2 && logits.size(1) >= 2, "expected logits [M, V] of two states or more");
        const int64_t rows = logits.size(0), size = logits.size(1);
        const int64_t *states = wholes(unwrap(states_), "states", rows, size);
        const int64_t *clean = wholes(unwrap(clean_), "clean", rows, chain == CT_ABSORBING ? size - 1 : size);
        const double *sigma = doubles(unwrap(sigma_), "sigma", rows), *shift = doubles(unwrap(shift_), "shift", rows);
        const double *factors = doubles(unwrap(factors_), "factors", rows);
        float *data = floats(logits, "logits");
        at::Tensor made = at::empty({rows}, at::kDouble);
        double *entropy = made.mutable_data_ptr<double>();
        parallel_rows(rows, 1, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                const Row row{data + i * size, size, states[i], clean[i], sigma[i], shift[i], factors[i]};
                entropy[i] = chain == CT_ABSORBING ? absorbing(row) : uniform(row);
            }
        });
        *entropy_ = wrap(made);
    });
}
