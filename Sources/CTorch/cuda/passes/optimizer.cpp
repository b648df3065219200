// The parts of an optimizer step: the norm of the gradients, and one pass over all weights.
#include <ATen/ops/empty.h>

#include <cmath>

#include "../arrays.h"
#include "../passes.h"

namespace ctorch::cuda {

double sum_of_squares(const Tensor &x) {
    constexpr int64_t share = 1 << 14;
    const int64_t count = x.numel(), shares = blocks(count, share);
    const Arrays arrays(x);
    const auto options = x.options().dtype(at::kDouble);
    const Tensor partial = at::empty({shares}, options), sum = at::empty({1}, options);
    double *sums = arrays.doubles(partial, "partial sums", shares);
    launch({"sum_of_squares", "squares_of_shares"}, at::kFloat, x.device(), {.x = shares},
           (const float *)arrays.floats(x, "x", count), count, share, sums);
    launch({"sum_of_squares", "sum_of_shares"}, at::kFloat, x.device(), {}, (const double *)sums, shares,
           arrays.doubles(sum, "sum", 1));
    return sum.item<double>();
}

namespace {

// Same layout as in the kernel.
struct Factors {
    float beta1, rest1, beta2, rest2, keep, stride, root, epsilon, scale, average;
};

}  // namespace

void adamw(const Tensor &weights, const Tensor &gradient, const Tensor &moment1, const Tensor &moment2,
           const Tensor &average, const Tensor &weights_copy, const Tensor &average_copy, const CTAdamW &s) {
    const int64_t count = weights.numel();
    const Arrays arrays(weights);
    // 1 - beta is rounded once, from double: 1 - float(0.9999) has a relative error of a thousandth.
    const auto single = [](double value) { return static_cast<float>(value); };
    const Factors factors{single(s.beta1), single(1 - s.beta1), single(s.beta2), single(1 - s.beta2),
                          single(1 - s.rate * s.decay), single(s.rate / s.correction1),
                          single(1 / std::sqrt(s.correction2)), single(s.epsilon), single(s.gradient_scale),
                          single(s.average_weight)};
    const auto copy = [&](const Tensor &tensor, const char *name) -> void * {
        return tensor.defined() ? arrays.elements(tensor, at::kBFloat16, name, count) : nullptr;
    };
    launch({"adamw", "adamw"}, at::kFloat, weights.device(), {.x = std::min<int64_t>(blocks(count, 1024), 1 << 16)},
           arrays.floats(weights, "weights", count), (const float *)arrays.floats(gradient, "gradient", count),
           arrays.floats(moment1, "moment1", count), arrays.floats(moment2, "moment2", count),
           arrays.floats(average, "average", count), factors, count, copy(weights_copy, "copy of the weights"),
           copy(average_copy, "copy of the average"));
}

}  // namespace ctorch::cuda
