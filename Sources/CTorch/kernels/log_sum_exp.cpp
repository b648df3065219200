// log sum e^x of each row, from its greatest entry m: m + log sum e^(x - m). One thread computes a row, so the result
// is a bit-exact function of the row.
#include <ATen/ops/empty.h>

#include "../include/log_sum_exp.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "arrays.h"
#include "exponential.h"
#include "parallel.h"

using namespace ctorch;

namespace {

CT_VECTORISED
float greatest(const float *x, int64_t count) {
    float lanes[32];
    std::fill_n(lanes, 32, -std::numeric_limits<float>::infinity());
    int64_t i = 0;
    for (; i + 32 <= count; i += 32)
        for (int j = 0; j < 32; ++j) lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
    for (; i < count; ++i) lanes[0] = x[i] > lanes[0] ? x[i] : lanes[0];
    return *std::max_element(lanes, lanes + 32);
}

// Single precision within pieces, double beyond.
CT_VECTORISED
double sum_of_exponentials(const float *x, int64_t count, float shift) {
    double sum = 0;
    for (int64_t start = 0; start < count; start += 1024) {
        const int64_t end = std::min<int64_t>(start + 1024, count);
        float lanes[32] = {};
        int64_t i = start;
        for (; i + 32 <= end; i += 32)
            for (int j = 0; j < 32; ++j) lanes[j] += exponential_whole(x[i + j] - shift);
        for (; i < end; ++i) lanes[0] += exponential_whole(x[i] - shift);
        for (int j = 0; j < 32; ++j) sum += lanes[j];
    }
    return sum;
}

}  // namespace

CTStatus ct_log_sum_exp(CTTensor x_, int64_t columns, CTTensor *out) {
    return guarded([&] {
        at::Tensor &x = unwrap(x_);
        TORCH_CHECK_VALUE(x.dim() == 2 && columns >= 1 && columns <= x.size(1), "expected rows [R, V] with V >= ", columns,
                          " >= 1");
        if (!x.is_cpu()) {
            *out = wrap(x.narrow(1, 0, columns).logsumexp(1).to(at::kDouble));
            return;
        }
        const int64_t rows = x.size(0), width = x.size(1);
        const float *data = floats(x, "x");
        at::Tensor made = at::empty({rows}, at::kDouble);
        double *result = made.mutable_data_ptr<double>();
        parallel_rows(rows, 1, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                const float *row = data + i * width, most = greatest(row, columns);
                // NaN among finite entries propagates to the sum; the maximum passes over it. A row without a finite maximum
                // has nothing to subtract.
                if (std::isfinite(most)) result[i] = most + std::log(sum_of_exponentials(row, columns, most));
                else result[i] = std::any_of(row, row + columns, [](float each) { return std::isnan(each); }) ? NAN : most;
            }
        });
        *out = wrap(made);
    });
}
