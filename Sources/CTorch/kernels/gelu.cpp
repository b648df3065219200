// y = gelu(u + bias) by the tanh formula, and its backward pass, which recomputes y.
//
// With v = u + bias, z = sqrt(2/pi) (v + 0.044715 v^3) and h = 1 / (1 + e^-2z):  gelu = v h,  gelu' = h + 2 v h (1 - h) dz/dv.
#include <ATen/ops/empty_like.h>

#include "../cuda/passes.h"
#include "exponential.h"
#include "sums.h"

using namespace ctorch;

namespace {

constexpr float root = 0.7978845608028654f, cubic = 0.044715f;

// h of v. In powers of two, e^-2z = 2^w with w = v (linear + cube v^2); beyond 2^90 h is numerically 0.
__attribute__((always_inline)) inline float gate(float v) {
    constexpr float linear = -2 * root * 1.44269504088896341f, cube = linear * cubic;
    float w = v * (linear + cube * (v * v));
    w = w < -90.0f ? -90.0f : w;
    w = w > 90.0f ? 90.0f : w;
    return 1 / (1 + power_of_two(w));
}

CT_VECTORISED
void forward_row(const float *__restrict u, const float *__restrict bias, float *__restrict y, int64_t width) {
    for (int64_t i = 0; i < width; ++i) {
        const float v = u[i] + bias[i];
        y[i] = v * gate(v);
    }
}

CT_VECTORISED
void backward_row(float *__restrict dy, const float *__restrict u, const float *__restrict bias, float *__restrict y,
                  float *__restrict sums, int64_t width) {
    for (int64_t i = 0; i < width; ++i) {
        const float whole = u[i] + bias[i];
        const float v = whole < -30.0f ? -30.0f : (whole > 30.0f ? 30.0f : whole);
        const float h = gate(v);
        const float pulled = dy[i] * (h + 2 * v * h * (1 - h) * root * (1 + 3 * cubic * v * v));
        y[i] = whole * h;
        dy[i] = pulled;
        sums[i] += pulled;
    }
}

}  // namespace

CTStatus ct_bias_gelu(CTTensor u_, CTTensor bias_, CTTensor *y_) {
    return guarded([&] {
        at::Tensor &u = unwrap(u_);
        if (cuda::takes(u)) {
            *y_ = wrap(cuda::bias_gelu(u, unwrap(bias_)));
            return;
        }
        TORCH_CHECK_VALUE(u.dim() == 2, "expected rows [R, width]");
        const int64_t width = u.size(1);
        const float *bias = floats(unwrap(bias_), "bias", width);
        const float *in = floats(u, "u");
        at::Tensor made = at::empty_like(u);
        float *out = floats(made, "y");
        parallel_rows(u.size(0), piece / 4, [&](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; ++row) forward_row(in + row * width, bias, out + row * width, width);
        });
        *y_ = wrap(made);
    });
}

CTStatus ct_bias_gelu_backward(CTTensor dy_, CTTensor u_, CTTensor bias_, CTTensor dbias_, CTTensor *y_) {
    return guarded([&] {
        at::Tensor &u = unwrap(u_);
        if (cuda::takes(u)) {
            *y_ = wrap(cuda::bias_gelu_backward(unwrap(dy_), u, unwrap(bias_), unwrap(dbias_)));
            return;
        }
        TORCH_CHECK_VALUE(u.dim() == 2, "expected rows [R, width]");
        const int64_t width = u.size(1);
        const float *in = floats(u, "u"), *bias = floats(unwrap(bias_), "bias", width);
        at::Tensor made = at::empty_like(u);
        float *y = floats(made, "y");
        float *dy = floats(unwrap(dy_), "y gradient", u.numel()), *dbias = floats(unwrap(dbias_), "bias gradient", width);
        sum_over_rows(
            1, u.size(0), width,
            [&](int64_t, int64_t begin, int64_t end, float *sums) {
                for (int64_t row = begin; row < end; ++row) {
                    backward_row(dy + row * width, in + row * width, bias, y + row * width, sums, width);
                }
            },
            [&](int64_t, const float *sums) {
                for (int64_t i = 0; i < width; ++i) dbias[i] += sums[i];
            });
        *y_ = wrap(made);
    });
}
