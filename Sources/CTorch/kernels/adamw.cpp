// Clipping, AdamW (Loshchilov & Hutter 2019) and the moving average of the weights in one sweep over memory:
//   g = gradient_scale * gradient;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g g
//   w = w (1 - rate * decay) - rate (m / correction1) / (sqrt(v / correction2) + epsilon)
//   average += average_weight (w - average)
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "../cuda/passes.h"
#include "arrays.h"
#include "parallel.h"

using namespace ctorch;

namespace {

// Moments of weights that no longer receive gradients decay to subnormal numbers, with which processors compute a
// hundred times slower; during a pass they are treated as 0.
struct WithoutSubnormals {
#if defined(__x86_64__)
    const unsigned kept = __builtin_ia32_stmxcsr();
    WithoutSubnormals() { __builtin_ia32_ldmxcsr(kept | 0x8040); }
    ~WithoutSubnormals() { __builtin_ia32_ldmxcsr(kept); }
#elif defined(__aarch64__)
    const uint64_t kept = __builtin_arm_rsr64("fpcr");
    WithoutSubnormals() { __builtin_arm_wsr64("fpcr", kept | (1 << 24)); }
    ~WithoutSubnormals() { __builtin_arm_wsr64("fpcr", kept); }
#endif
};

struct Factors {
    float beta1, rest1, beta2, rest2, keep, stride, root, epsilon, scale, average;
};

CT_VECTORISED
void sweep(float *__restrict w, const float *__restrict gradient, float *__restrict m, float *__restrict v,
           float *__restrict average, int64_t count, Factors f) {
    for (int64_t i = 0; i < count; ++i) {
        const float g = gradient[i] * f.scale, held = average[i];
        const float first = f.beta1 * m[i] + f.rest1 * g, second = f.beta2 * v[i] + f.rest2 * g * g;
        const float moved = w[i] * f.keep - f.stride * first / (std::sqrt(second) * f.root + f.epsilon);
        m[i] = first;
        v[i] = second;
        w[i] = moved;
        average[i] = held + f.average * (moved - held);
    }
}

}  // namespace

CTStatus ct_adamw(CTTensor weights, CTTensor gradient, CTTensor moment1, CTTensor moment2, CTTensor average,
                  CTTensor weights_copy, CTTensor average_copy, CTAdamW s) {
    return guarded([&] {
        if (cuda::takes(unwrap(weights))) {
            const at::NoGradGuard off;
            const auto copy = [](CTTensor handle) { return handle.impl == nullptr ? at::Tensor() : unwrap(handle); };
            cuda::adamw(unwrap(weights), unwrap(gradient), unwrap(moment1), unwrap(moment2), unwrap(average),
                        copy(weights_copy), copy(average_copy), s);
            return;
        }
        TORCH_CHECK_VALUE(weights_copy.impl == nullptr && average_copy.impl == nullptr,
                          "bfloat16 copies of weights are supported only on CUDA devices");
        const int64_t count = unwrap(weights).numel();
        float *w = floats(unwrap(weights), "weights", count), *g = floats(unwrap(gradient), "gradient", count);
        float *m = floats(unwrap(moment1), "moment1", count), *v = floats(unwrap(moment2), "moment2", count);
        float *a = floats(unwrap(average), "average", count);
        // 1 - beta is rounded once, from double: 1 - float(0.9999) has a relative error of a thousandth.
        const Factors f{static_cast<float>(s.beta1), static_cast<float>(1 - s.beta1),
                        static_cast<float>(s.beta2), static_cast<float>(1 - s.beta2),
                        static_cast<float>(1 - s.rate * s.decay), static_cast<float>(s.rate / s.correction1),
                        static_cast<float>(1 / std::sqrt(s.correction2)), static_cast<float>(s.epsilon),
                        static_cast<float>(s.gradient_scale), static_cast<float>(s.average_weight)};
        parallel_rows(count, 1 << 14, [&](int64_t begin, int64_t end) {
            const WithoutSubnormals fast;
            sweep(w + begin, g + begin, m + begin, v + begin, a + begin, end - begin, f);
        });
    });
}

CTStatus ct_adamw_plain(CTTensor weights, CTTensor gradient, CTTensor moment1, CTTensor moment2, CTTensor average,
                        CTAdamW s) {
    return guarded([&] {
        const at::NoGradGuard off;
        at::Tensor &w = unwrap(weights), &m = unwrap(moment1), &v = unwrap(moment2);
        const at::Tensor g = unwrap(gradient) * s.gradient_scale;
        m.mul_(s.beta1).add_(g, 1 - s.beta1);
        v.mul_(s.beta2).addcmul_(g, g, 1 - s.beta2);
        const at::Tensor below = v.sqrt().mul_(1 / std::sqrt(s.correction2)).add_(s.epsilon);
        w.mul_(1 - s.rate * s.decay).addcdiv_(m, below, -s.rate / s.correction1);
        unwrap(average).lerp_(w, s.average_weight);
    });
}
