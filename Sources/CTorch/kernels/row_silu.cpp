// y = x / (1 + e^-x), where each row is bit-identical whatever the other rows and the number of threads.
//
// Libraries compute the elements that do not fill a vector by another function, and which ones these are depends on the
// number of elements: a row's last bits would depend on how many others there are. Here each row is computed by itself.
#include <ATen/ops/empty_like.h>
#include <ATen/ops/silu.h>

#include "../include/row_silu.h"

#include "../guard.h"
#include "arrays.h"
#include "exponential.h"
#include "parallel.h"

using namespace ctorch;

namespace {

CT_VECTORISED
void silu_row(const float *__restrict x, float *__restrict y, int64_t width) {
    for (int64_t i = 0; i < width; ++i) {
        // Below -87 the result is numerically 0, and e^-x has no float.
        const float v = x[i] < -87.0f ? -87.0f : x[i];
        float w = v * -1.44269504088896341f;
        w = w < -90.0f ? -90.0f : w;
        y[i] = v / (1 + power_of_two(w));
    }
}

}  // namespace

CTStatus ct_row_silu(CTTensor x_, CTTensor *out) {
    return returning(out, [&] {
        const at::Tensor &x = unwrap(x_);
        const bool fits = x.is_cpu() && x.dim() == 2 && x.scalar_type() == at::kFloat && x.is_contiguous() && !x.requires_grad();
        if (!fits) return at::silu(x);
        const int64_t width = x.size(1);
        const float *in = static_cast<const float *>(x.const_data_ptr());
        at::Tensor y = at::empty_like(x);
        float *values = y.mutable_data_ptr<float>();
        parallel_rows(x.size(0), piece / 4, [&](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; ++row) silu_row(in + row * width, values + row * width, width);
        });
        return y;
    });
}
