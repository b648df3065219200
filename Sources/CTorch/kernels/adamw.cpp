// Clipping, AdamW (Loshchilov & Hutter 2019) and the moving average of the weights in one sweep over memory:
//   g = gradient_scale * gradient;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g g
//   w = w (1 - rate * decay) - rate (m / correction1) / (sqrt(v / correction2) + epsilon)
//   average += average_weight (w - average)
#include <cmath>

#include "arrays.h"
#include "parallel.h"

using namespace ctorch;

namespace {

struct Factors {
    float beta1, beta2, keep, stride, root, epsilon, scale, average;
};

CT_VECTORISED
void sweep(float *w, const float *gradient, float *m, float *v, float *average, int64_t count, Factors f) {
    for (int64_t i = 0; i < count; ++i) {
        const float g = gradient[i] * f.scale;
        m[i] = f.beta1 * m[i] + (1 - f.beta1) * g;
        v[i] = f.beta2 * v[i] + (1 - f.beta2) * g * g;
        w[i] = w[i] * f.keep - f.stride * m[i] / (std::sqrt(v[i]) * f.root + f.epsilon);
        average[i] += f.average * (w[i] - average[i]);
    }
}

}  // namespace

CTStatus ct_adamw(CTTensor weights, CTTensor gradient, CTTensor moment1, CTTensor moment2, CTTensor average,
                  CTAdamW s) {
    return guarded([&] {
        const int64_t count = unwrap(weights).numel();
        float *w = floats(unwrap(weights), "weights", count), *g = floats(unwrap(gradient), "gradient", count);
        float *m = floats(unwrap(moment1), "moment1", count), *v = floats(unwrap(moment2), "moment2", count);
        float *a = floats(unwrap(average), "average", count);
        const Factors f{static_cast<float>(s.beta1), static_cast<float>(s.beta2),
                        static_cast<float>(1 - s.rate * s.decay), static_cast<float>(s.rate / s.correction1),
                        static_cast<float>(1 / std::sqrt(s.correction2)), static_cast<float>(s.epsilon),
                        static_cast<float>(s.gradient_scale), static_cast<float>(s.average_weight)};
        parallel_rows(count, 1 << 14, [&](int64_t begin, int64_t end) {
            sweep(w + begin, g + begin, m + begin, v + begin, a + begin, end - begin, f);
        });
    });
}
