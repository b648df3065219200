// Muon (Jordan et al. 2024) on `count` matrices of one shape, and the moving average of their weights:
//   g = gradient_scale * gradient;  m = mu m + (1 - mu) g;  u = mu m + (1 - mu) g  (Nesterov)
//   w = w (1 - rate * decay) - rate * factor * orthogonalized(u);  average += average_weight (w - average)
// The orthogonalized matrix is that of the Newton-Schulz iteration X <- a X + (b A + c A A) X, A = X X^T, from u / |u|, whose
// coefficients send every singular value from about 0.01 to 1 near 1 within five steps.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include <vector>

#include "arrays.h"
#include "parallel.h"

using namespace ctorch;

namespace {

constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
// Epsilon that avoids division by a zero norm.
constexpr double norm_epsilon = 1e-7;

// b A + c A A for symmetric A [G, s, s].
at::Tensor polynomial(const at::Tensor &gram) { return at::baddbmm(gram, gram, gram, b, c); }

// The iteration as written: (4 s^2 l + 2 s^3) operations per step for matrices of short side s and long side l.
at::Tensor by_products(at::Tensor x, int64_t steps) {
    const bool tall = x.size(1) > x.size(2);
    for (int64_t step = 0; step < steps; ++step) {
        const at::Tensor t = x.transpose(1, 2);
        const at::Tensor factor = polynomial(tall ? at::bmm(t, x) : at::bmm(x, t));
        x = tall ? at::baddbmm(x, x, factor, a, 1) : at::baddbmm(x, factor, x, a, 1);
    }
    return x;
}

// The same on A alone, with which all factors commute: A <- M A M for M = a + b A + c A A, and X is multiplied once, at
// the end, by the product of the M. It takes 8 s^3 operations per step and 4 s^2 l in total, which is less for matrices
// that are far from square.
at::Tensor by_gram_matrix(const at::Tensor &x, int64_t steps) {
    const bool tall = x.size(1) > x.size(2);
    const at::Tensor t = x.transpose(1, 2);
    at::Tensor gram = tall ? at::bmm(t, x) : at::bmm(x, t), product;
    for (int64_t step = 0; step < steps; ++step) {
        at::Tensor factor = polynomial(gram);
        factor.diagonal(0, 1, 2).add_(a);
        product = step == 0 ? factor : at::bmm(factor, product);
        if (step + 1 < steps) gram = at::bmm(at::bmm(factor, gram), factor);
    }
    return tall ? at::bmm(x, product) : at::bmm(product, x);
}

at::Tensor orthogonalised(const at::Tensor &u, int64_t steps, bool in_bfloat16) {
    const at::Tensor x = u / (at::linalg_vector_norm(u, 2, at::IntArrayRef{1, 2}, true) + norm_epsilon);
    if (steps == 0) return x;
    // Rounding errors of A would accumulate in its own iteration, while X forms A anew in each step.
    if (in_bfloat16) return by_products(x.to(at::kBFloat16), steps).to(u.scalar_type());
    const int64_t narrow = std::min(x.size(1), x.size(2)), wide = std::max(x.size(1), x.size(2));
    return 2 * wide > 3 * narrow ? by_gram_matrix(x, steps) : by_products(x, steps);
}

CT_VECTORISED
void momentum_row(const float *__restrict gradient, float *__restrict m, float *__restrict u, int64_t count, float mu,
                  float rest, float scale) {
    for (int64_t i = 0; i < count; ++i) {
        const float g = rest * (scale * gradient[i]);
        const float held = mu * m[i] + g;
        m[i] = held;
        u[i] = mu * held + g;
    }
}

CT_VECTORISED
void step_row(float *__restrict w, const float *__restrict x, float *__restrict average, int64_t count, float keep,
              float stride, float weight) {
    for (int64_t i = 0; i < count; ++i) {
        const float held = average[i], moved = w[i] * keep - stride * x[i];
        w[i] = moved;
        average[i] = held + weight * (moved - held);
    }
}

// Matrices of one shape whose rows are contiguous, on the CPU or all on one device.
struct Matrices {
    std::vector<at::Tensor> list;

    Matrices(const CTTensor *handles, int32_t count, const char *name) {
        list.reserve(static_cast<size_t>(count));
        for (int32_t i = 0; i < count; ++i) {
            CTTensor handle = handles[i];
            list.push_back(unwrap(handle));
            const at::Tensor &first = list.front(), &next = list.back();
            TORCH_CHECK_VALUE(next.dim() == 2 && next.scalar_type() == at::kFloat && next.stride(1) == 1 &&
                                  next.sizes() == first.sizes() && next.device() == first.device(),
                              name, " ", i, " is not a float32 matrix of the shape and on the device of the first");
        }
    }

    float *row(int64_t matrix, int64_t row) {
        at::Tensor &x = list[static_cast<size_t>(matrix)];
        return x.mutable_data_ptr<float>() + row * x.stride(0);
    }
};

// Calls body(matrix, row) for each row of `count` matrices of `rows` rows, over all cores.
template <typename Body>
void each_row(int64_t count, int64_t rows, int64_t width, const Body &body) {
    parallel_rows(count * rows, std::max<int64_t>(1, (1 << 14) / std::max<int64_t>(1, width)),
                  [&](int64_t begin, int64_t end) {
                      for (int64_t i = begin; i < end; ++i) body(i / rows, i % rows);
                  });
}

}  // namespace

CTStatus ct_orthogonalised(CTTensor matrices, int64_t steps, bool in_bfloat16, CTTensor *out) {
    return guarded([&] {
        const at::NoGradGuard off;
        const at::Tensor &x = unwrap(matrices);
        TORCH_CHECK_VALUE(x.dim() == 3 && x.is_floating_point(), "expected matrices [count, rows, columns]");
        *out = wrap(orthogonalised(x, steps, in_bfloat16));
    });
}

CTStatus ct_muon(const CTTensor *weights_, const CTTensor *gradients_, const CTTensor *momenta_,
                 const CTTensor *averages_, const double *factors, int32_t count, CTMuon s) {
    return guarded([&] {
        if (count == 0) return;
        const at::NoGradGuard off;
        Matrices weights(weights_, count, "weights"), gradients(gradients_, count, "gradients");
        Matrices momenta(momenta_, count, "momenta"), averages(averages_, count, "averages");
        const int64_t rows = weights.list[0].size(0), width = weights.list[0].size(1);
        for (const Matrices *other : {&gradients, &momenta, &averages}) {
            TORCH_CHECK_VALUE(other->list[0].sizes() == weights.list[0].sizes() &&
                                  other->list[0].device() == weights.list[0].device(),
                              "weights, gradients, momenta and averages differ in shape or device");
        }
        if (!weights.list[0].is_cpu()) {
            std::vector<at::Tensor> g = at::_foreach_mul(gradients.list, s.gradient_scale);
            at::_foreach_lerp_(momenta.list, g, 1 - s.momentum);
            at::_foreach_lerp_(g, momenta.list, s.momentum);
            const at::Tensor x = orthogonalised(at::stack(g), s.steps, s.in_bfloat16);
            at::_foreach_mul_(weights.list, 1 - s.rate * s.decay);
            for (int64_t i = 0; i < count; ++i) weights.list[i].add_(x[i], -s.rate * factors[i]);
            at::_foreach_lerp_(averages.list, weights.list, s.average_weight);
            return;
        }
        at::Tensor u = at::empty({count, rows, width}, at::kFloat);
        float *directions = u.mutable_data_ptr<float>();
        // As in AdamW, 1 minus a decay is rounded once, from double.
        const float mu = static_cast<float>(s.momentum), rest = static_cast<float>(1 - s.momentum);
        const float scale = static_cast<float>(s.gradient_scale);
        each_row(count, rows, width, [&](int64_t matrix, int64_t row) {
            momentum_row(gradients.row(matrix, row), momenta.row(matrix, row),
                         directions + (matrix * rows + row) * width, width, mu, rest, scale);
        });
        const at::Tensor x = orthogonalised(u, s.steps, s.in_bfloat16).contiguous();
        const float *moves = static_cast<const float *>(x.const_data_ptr());
        const float keep = static_cast<float>(1 - s.rate * s.decay), weight = static_cast<float>(s.average_weight);
        each_row(count, rows, width, [&](int64_t matrix, int64_t row) {
            step_row(weights.row(matrix, row), moves + (matrix * rows + row) * width, averages.row(matrix, row), width,
                     keep, static_cast<float>(s.rate * factors[matrix]), weight);
        });
    });
}
