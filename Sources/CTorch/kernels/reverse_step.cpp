// A reverse step and its draw from rows of logits, in place: scores s = e^(logit - shift), weights linear in them,
//   w_y = scores s_y + others S + rest for y other than the own state, own + own_others S for the own one,
// S the sum of the scores of all y but the own one; negative weights count as 0. The draw is the inverse of the cumulative
// distribution in double precision, so that a state of any positive weight can be drawn.
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "../cuda/passes.h"
#include "arrays.h"
#include "exponential.h"
#include "parallel.h"

using namespace ctorch;

namespace {

constexpr int64_t run = 512;  // states whose weights are added up before the running sum moves on

CT_VECTORISED
double exponentiate(float *x, int64_t count, float shift) {
    double all = 0;
    for (int64_t start = 0; start < count; start += 1024) {
        const int64_t end = std::min<int64_t>(start + 1024, count);
        float sums[32] = {};
        int64_t i = start;
        for (; i + 32 <= end; i += 32)
            for (int j = 0; j < 32; ++j) {
                x[i + j] = exponential_whole(x[i + j] - shift);
                sums[j] += x[i + j];
            }
        for (; i < end; ++i) sums[0] += x[i] = exponential_whole(x[i] - shift);
        for (int j = 0; j < 32; ++j) all += sums[j];
    }
    return all;
}

// x = max(0, slope x + rest), and their sum.
CT_VECTORISED
double weigh(float *x, int64_t count, float slope, float rest) {
    double sums[16] = {};
    int64_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (int j = 0; j < 16; ++j) {
            const float weight = slope * x[i + j] + rest;
            // NaN propagates, so the total reveals it.
            x[i + j] = weight < 0 ? 0 : weight;
            sums[j] += x[i + j];
        }
    for (; i < count; ++i) {
        const float weight = slope * x[i] + rest;
        x[i] = weight < 0 ? 0 : weight;
        sums[0] += x[i];
    }
    double sum = 0;
    for (int j = 0; j < 16; ++j) sum += sums[j];
    return sum;
}

// The state at which the running sum of the weights reaches `target`, between 0 and their total.
int64_t find(const float *weights, int64_t count, const double *runs, double target) {
    int64_t chosen = 0, place = 0;
    double sum = 0;
    for (int64_t first = 0; first < count; first += run, ++place) {
        if (sum + runs[place] <= target && first + run < count) {
            sum += runs[place];
            continue;
        }
        for (int64_t i = first; i < std::min(first + run, count); ++i) {
            if (weights[i] > 0) chosen = i;
            sum += weights[i];
            if (sum > target) return chosen;
        }
        // Rounding may make the target equal to the total: then the last state with positive weight is drawn.
    }
    for (int64_t i = count - 1; weights[chosen] <= 0 && i >= 0; --i) chosen = weights[i] > 0 ? i : chosen;
    return chosen;
}

}  // namespace

CTStatus ct_reverse_step(CTTensor logits_, CTTensor states_, CTTensor shift_, CTTensor rules_, CTTensor uniforms_,
                         CTTensor *drawn_, CTTensor *totals_) {
    return guarded([&] {
        at::Tensor &logits = unwrap(logits_);
        if (cuda::takes(logits)) {
            const auto [drawn, totals] =
                cuda::reverse_step(logits, unwrap(states_), unwrap(shift_), unwrap(rules_), unwrap(uniforms_));
            *drawn_ = wrap(drawn);
            *totals_ = wrap(totals);
            return;
        }
        TORCH_CHECK_VALUE(logits.dim() == 2 && logits.size(1) >= 2, "expected logits [M, V] of two states or more");
        const int64_t rows = logits.size(0), size = logits.size(1);
        const int64_t *states = wholes(unwrap(states_), "states", rows, size);
        const double *shift = doubles(unwrap(shift_), "shift", rows), *rules = doubles(unwrap(rules_), "rules", 5 * rows);
        const double *uniforms = doubles(unwrap(uniforms_), "uniforms", rows);
        float *data = floats(logits, "logits");
        at::Tensor made = at::empty({rows}, at::kLong), sums = at::empty({rows}, at::kDouble);
        int64_t *drawn = made.mutable_data_ptr<int64_t>();
        double *totals = sums.mutable_data_ptr<double>();
        parallel_rows(rows, 1, [&](int64_t begin, int64_t end) {
            std::vector<double> runs(static_cast<size_t>((size + run - 1) / run));
            for (int64_t i = begin; i < end; ++i) {
                float *row = data + i * size;
                const int64_t own = states[i];
                const double *rule = rules + 5 * i;
                const float offset = float(shift[i]);
                const double others = exponentiate(row, own, offset) + exponentiate(row + own + 1, size - own - 1, offset);
                const float slope = float(rule[0]), rest = float(rule[1] * others + rule[2]);
                row[own] = 0;
                double total = 0;
                for (int64_t first = 0, place = 0; first < size; first += run, ++place) {
                    runs[place] = weigh(row + first, std::min(run, size - first), slope, rest);
                    total += runs[place];
                }
                // The current state was weighted like the others; correct it.
                const float wrong = row[own], right = float(std::max(0.0, rule[3] + rule[4] * others));
                row[own] = right;
                runs[own / run] += double(right) - double(wrong);
                total += double(right) - double(wrong);
                totals[i] = total;
                drawn[i] = total > 0 && std::isfinite(total) ? find(row, size, runs.data(), uniforms[i] * total) : -1;
            }
        });
        *drawn_ = wrap(made);
        *totals_ = wrap(sums);
    });
}
