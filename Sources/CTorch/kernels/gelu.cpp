// u += bias, y = gelu(u) by the tanh formula, and its backward pass.
//
// With z = sqrt(2/pi) (u + 0.044715 u^3) and h = 1 / (1 + e^-2z):  gelu = u h,  gelu' = h + 2 u h (1 - h) dz/du.
#include "exponential.h"
#include "sums.h"

using namespace ctorch;

namespace {

constexpr float root = 0.7978845608028654f, cubic = 0.044715f;

CT_VECTORISED
void forward_row(float *u, const float *bias, float *y, int64_t width) {
    for (int64_t i = 0; i < width; ++i) {
        const float v = u[i] + bias[i];
        u[i] = v;
        y[i] = v / (1 + exponential(-2 * root * (v + cubic * v * v * v)));
    }
}

CT_VECTORISED
void backward_row(float *dy, const float *u, float *sums, int64_t width) {
    for (int64_t i = 0; i < width; ++i) {
        // Beyond 30 the slope is 0 or 1 to the last bit; the cube of what is much beyond overflows.
        const float v = u[i] < -30.0f ? -30.0f : (u[i] > 30.0f ? 30.0f : u[i]);
        const float h = 1 / (1 + exponential(-2 * root * (v + cubic * v * v * v)));
        const float slope = h + 2 * v * h * (1 - h) * root * (1 + 3 * cubic * v * v);
        dy[i] *= slope;
        sums[i] += dy[i];
    }
}

}  // namespace

CTStatus ct_bias_gelu(CTTensor u_, CTTensor bias_, CTTensor *y_) {
    return guarded([&] {
        at::Tensor &u = unwrap(u_);
        TORCH_CHECK_VALUE(u.dim() == 2, "expected rows [R, width]");
        const int64_t width = u.size(1);
        const float *bias = floats(unwrap(bias_), "bias", width);
        float *in = floats(u, "u");
        at::Tensor made = at::empty_like(u);
        float *out = floats(made, "y");
        parallel_rows(u.size(0), piece / 4, [&](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; ++row) forward_row(in + row * width, bias, out + row * width, width);
        });
        *y_ = wrap(made);
    });
}

CTStatus ct_bias_gelu_backward(CTTensor dy_, CTTensor u_, CTTensor dbias_) {
    return guarded([&] {
        at::Tensor &u = unwrap(u_);
        TORCH_CHECK_VALUE(u.dim() == 2, "expected rows [R, width]");
        const int64_t width = u.size(1);
        const float *in = floats(u, "u");
        float *dy = floats(unwrap(dy_), "y gradient", u.numel()), *dbias = floats(unwrap(dbias_), "bias gradient", width);
        sum_over_rows(
            1, u.size(0), width,
            [&](int64_t, int64_t begin, int64_t end, float *sums) {
                for (int64_t row = begin; row < end; ++row) backward_row(dy + row * width, in + row * width, sums, width);
            },
            [&](int64_t, const float *sums) {
                for (int64_t i = 0; i < width; ++i) dbias[i] += sums[i];
            });
    });
}
