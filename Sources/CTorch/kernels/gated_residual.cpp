// y = x + gate * factor * (branch + bias), factor being dropout's 0 or 1 / (1 - share), and its backward pass:
//   dbranch = dy gate factor,  dbias = sum dbranch,  dgate = sum dy factor (branch + bias) over a sequence's rows.
#include <ATen/ops/empty_like.h>

#include <vector>

#include "../cuda/passes.h"
#include "dropout.h"
#include "sums.h"

using namespace ctorch;

namespace {

CT_VECTORISED
void forward_row(const float *__restrict x, const float *__restrict branch, const float *__restrict bias,
                 const float *__restrict gate, const float *__restrict factor, float *__restrict y, int64_t width) {
    for (int64_t i = 0; i < width; ++i) y[i] = x[i] + gate[i] * factor[i] * (branch[i] + bias[i]);
}

CT_VECTORISED
void backward_row(const float *__restrict dy, const float *__restrict branch, const float *__restrict bias,
                  const float *__restrict gate, const float *__restrict factor, float *__restrict dbranch,
                  float *__restrict sums, int64_t width) {
    float *__restrict gates = sums, *__restrict biases = sums + width;
    for (int64_t i = 0; i < width; ++i) {
        const float pulled = dy[i] * factor[i];
        dbranch[i] = pulled * gate[i];
        gates[i] += pulled * (branch[i] + bias[i]);
        biases[i] += pulled * gate[i];
    }
}

at::Tensor or_undefined(CTTensor handle) { return handle.impl == nullptr ? at::Tensor() : unwrap(handle); }

// An absent bias is replaced by zeros and absent factors by ones, so that one loop suffices.
struct Stand {
    std::vector<float> zeros, factors;
    const float *bias;

    Stand(CTTensor bias_or_null, int64_t width) : factors(static_cast<size_t>(width), 1.0f) {
        if (bias_or_null.impl != nullptr) {
            bias = floats(unwrap(bias_or_null), "bias", width);
        } else {
            zeros.assign(static_cast<size_t>(width), 0.0f);
            bias = zeros.data();
        }
    }
};

}  // namespace

CTStatus ct_gated_residual(CTTensor x_, CTTensor branch_, CTTensor bias_or_null, CTTensor modulation_,
                           int64_t gate_part, CTDropout dropout, CTTensor *y_) {
    return guarded([&] {
        at::Tensor &x = unwrap(x_), &modulation = unwrap(modulation_);
        if (cuda::takes(x)) {
            *y_ = wrap(cuda::gated_residual(x, unwrap(branch_), or_undefined(bias_or_null), modulation, gate_part, dropout));
            return;
        }
        const Rows shape(x, modulation);
        shape.check(gate_part);
        const int64_t width = shape.width;
        const float *in = floats(x, "x"), *branch = floats(unwrap(branch_), "branch", x.numel());
        const float *parts = floats(modulation, "modulation");
        at::Tensor made = at::empty_like(x);
        float *out = floats(made, "y");
        const Stand absent(bias_or_null, width);
        const bool dropping = drops(dropout, shape.sequences);
        parallel_rows(shape.rows, piece, [&](int64_t begin, int64_t end) {
            std::vector<float> factors = absent.factors;
            for (int64_t row = begin; row < end; ++row) {
                const int64_t sequence = row / shape.length;
                if (dropping) {
                    dropout_factors(factors.data(), width, dropout_row(dropout, sequence, row % shape.length));
                }
                forward_row(in + row * width, branch + row * width, absent.bias, parts + shape.part(sequence, gate_part),
                            factors.data(), out + row * width, width);
            }
        });
        *y_ = wrap(made);
    });
}

CTStatus ct_gated_residual_backward(CTTensor dy_, CTTensor branch_, CTTensor bias_or_null, CTTensor modulation_,
                                    int64_t gate_part, CTDropout dropout, CTTensor dbias_or_null, CTTensor dmodulation_,
                                    CTTensor *dbranch_) {
    return guarded([&] {
        at::Tensor &branch = unwrap(branch_), &modulation = unwrap(modulation_);
        if (cuda::takes(branch)) {
            *dbranch_ = wrap(cuda::gated_residual_backward(unwrap(dy_), branch, or_undefined(bias_or_null), modulation,
                                                           gate_part, dropout, or_undefined(dbias_or_null),
                                                           unwrap(dmodulation_)));
            return;
        }
        const Rows shape(branch, modulation);
        shape.check(gate_part);
        const int64_t width = shape.width;
        const float *dy = floats(unwrap(dy_), "y gradient", branch.numel()), *in = floats(branch, "branch");
        const float *parts = floats(modulation, "modulation");
        float *dparts = floats(unwrap(dmodulation_), "modulation gradient", modulation.numel());
        float *dbias = dbias_or_null.impl == nullptr ? nullptr : floats(unwrap(dbias_or_null), "bias gradient", width);
        at::Tensor made = at::empty_like(branch);
        float *out = floats(made, "branch gradient");
        const Stand absent(bias_or_null, width);
        const bool dropping = drops(dropout, shape.sequences);
        sum_over_rows(
            shape.sequences, shape.length, 2 * width,
            [&](int64_t sequence, int64_t begin, int64_t end, float *sums) {
                std::vector<float> factors = absent.factors;
                for (int64_t row = begin; row < end; ++row) {
                    if (dropping) {
                        dropout_factors(factors.data(), width, dropout_row(dropout, sequence, row % shape.length));
                    }
                    backward_row(dy + row * width, in + row * width, absent.bias,
                                 parts + shape.part(sequence, gate_part), factors.data(), out + row * width, sums, width);
                }
            },
            [&](int64_t sequence, const float *sums) {
                std::copy(sums, sums + width, dparts + shape.part(sequence, gate_part));
                if (dbias == nullptr) return;
                for (int64_t i = 0; i < width; ++i) dbias[i] += sums[width + i];
            });
        *dbranch_ = wrap(made);
    });
}
