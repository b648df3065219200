// y = (x - mean) / deviation * weight * (1 + scale) + shift, row by row, and its backward pass, which recomputes y.
//
// With n = (x - mean) / deviation and g = dy weight (1 + scale):
//   dx = (g - mean(g) - n mean(g n)) / deviation
//   dshift = sum dy,  dscale = weight sum(dy n),  dweight = (1 + scale) sum(dy n), sums over the rows of a sequence.
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <cmath>

#include "../cuda/passes.h"
#include "sums.h"

using namespace ctorch;

namespace {

CT_VECTORISED
void forward_row(const float *__restrict x, const float *__restrict weight, const float *__restrict shift,
                 const float *__restrict scale, float *__restrict y, int64_t width, float epsilon, float *statistics) {
    float lanes[16] = {};
    int64_t i = 0;
    for (; i + 16 <= width; i += 16)
        for (int j = 0; j < 16; ++j) lanes[j] += x[i + j];
    float sum = 0;
    for (int j = 0; j < 16; ++j) sum += lanes[j];
    for (; i < width; ++i) sum += x[i];
    const float mean = sum / static_cast<float>(width);
    float squares[16] = {};
    for (i = 0; i + 16 <= width; i += 16)
        for (int j = 0; j < 16; ++j) squares[j] += (x[i + j] - mean) * (x[i + j] - mean);
    float variance = 0;
    for (int j = 0; j < 16; ++j) variance += squares[j];
    for (; i < width; ++i) variance += (x[i] - mean) * (x[i] - mean);
    const float inverse = 1.0f / std::sqrt(variance / static_cast<float>(width) + epsilon);
    for (i = 0; i < width; ++i) y[i] = (x[i] - mean) * inverse * weight[i] * (1 + scale[i]) + shift[i];
    statistics[0] = mean;
    statistics[1] = inverse;
}

// Adds dx; adds dy to sums[0, width) and dy n to sums[width, 2 width).
CT_VECTORISED
void backward_row(const float *__restrict dy, const float *__restrict x, const float *__restrict weight,
                  const float *__restrict shift, const float *__restrict scale, const float *statistics,
                  float *__restrict dx, float *__restrict y, float *__restrict sums, int64_t width) {
    const float mean = statistics[0], inverse = statistics[1];
    float lanes[16] = {}, products[16] = {};
    int64_t i = 0;
    for (; i + 16 <= width; i += 16)
        for (int j = 0; j < 16; ++j) {
            const float g = dy[i + j] * weight[i + j] * (1 + scale[i + j]);
            lanes[j] += g;
            products[j] += g * (x[i + j] - mean);
        }
    float sum = 0, product = 0;
    for (int j = 0; j < 16; ++j) sum += lanes[j], product += products[j];
    for (; i < width; ++i) {
        const float g = dy[i] * weight[i] * (1 + scale[i]);
        sum += g;
        product += g * (x[i] - mean);
    }
    const float share = sum / static_cast<float>(width);
    const float slope = product * inverse / static_cast<float>(width);
    float *__restrict shifts = sums, *__restrict scales = sums + width;
    for (i = 0; i < width; ++i) {
        const float n = (x[i] - mean) * inverse, factor = weight[i] * (1 + scale[i]), g = dy[i] * factor;
        y[i] = n * factor + shift[i];
        dx[i] += (g - share - n * slope) * inverse;
        shifts[i] += dy[i];
        scales[i] += dy[i] * n;
    }
}

}  // namespace

CTStatus ct_norm_modulate(CTTensor x_, CTTensor weight_, CTTensor modulation_, int64_t shift_part, int64_t scale_part,
                          double epsilon, CTType y_type, CTTensor *y_, CTTensor *statistics_) {
    return guarded([&] {
        at::Tensor &x = unwrap(x_), &modulation = unwrap(modulation_);
        if (cuda::takes(x)) {
            const auto [y, statistics] = cuda::norm_modulate(x, unwrap(weight_), modulation, shift_part, scale_part, epsilon,
                                                             scalar_type(y_type));
            *y_ = wrap(y);
            *statistics_ = wrap(statistics);
            return;
        }
        TORCH_CHECK_VALUE(y_type == CT_FLOAT32, "on the CPU this pass supports only float32");
        const Rows shape(x, modulation);
        shape.check(shift_part);
        shape.check(scale_part);
        const float *in = floats(x, "x"), *weight = floats(unwrap(weight_), "weight", shape.width);
        const float *parts = floats(modulation, "modulation");
        at::Tensor made = at::empty_like(x), kept = at::empty({shape.rows, 2}, x.options());
        float *out = floats(made, "y"), *statistics = floats(kept, "statistics");
        parallel_rows(shape.rows, piece, [&](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; ++row) {
                const int64_t sequence = row / shape.length;
                forward_row(in + row * shape.width, weight, parts + shape.part(sequence, shift_part),
                            parts + shape.part(sequence, scale_part), out + row * shape.width, shape.width,
                            static_cast<float>(epsilon), statistics + 2 * row);
            }
        });
        *y_ = wrap(made);
        *statistics_ = wrap(kept);
    });
}

CTStatus ct_norm_modulate_backward(CTTensor dy_, CTTensor x_, CTTensor statistics_, CTTensor weight_,
                                   CTTensor modulation_, int64_t shift_part, int64_t scale_part, CTTensor dx_,
                                   CTTensor dweight_, CTTensor dmodulation_, CTTensor *y_) {
    return guarded([&] {
        at::Tensor &x = unwrap(x_), &modulation = unwrap(modulation_);
        if (cuda::takes(x)) {
            *y_ = wrap(cuda::norm_modulate_backward(unwrap(dy_), x, unwrap(statistics_), unwrap(weight_), modulation,
                                                    shift_part, scale_part, unwrap(dx_), unwrap(dweight_),
                                                    unwrap(dmodulation_)));
            return;
        }
        const Rows shape(x, modulation);
        shape.check(shift_part);
        shape.check(scale_part);
        const int64_t width = shape.width, count = x.numel();
        const float *dy = floats(unwrap(dy_), "y gradient", count), *in = floats(x, "x");
        const float *statistics = floats(unwrap(statistics_), "statistics", 2 * shape.rows);
        const float *weight = floats(unwrap(weight_), "weight", width), *parts = floats(modulation, "modulation");
        float *dx = floats(unwrap(dx_), "x gradient", count), *dweight = floats(unwrap(dweight_), "weight gradient", width);
        float *dparts = floats(unwrap(dmodulation_), "modulation gradient", modulation.numel());
        at::Tensor made = at::empty_like(x);
        float *y = floats(made, "y");
        sum_over_rows(
            shape.sequences, shape.length, 2 * width,
            [&](int64_t sequence, int64_t begin, int64_t end, float *sums) {
                for (int64_t row = begin; row < end; ++row) {
                    backward_row(dy + row * width, in + row * width, weight, parts + shape.part(sequence, shift_part),
                                 parts + shape.part(sequence, scale_part), statistics + 2 * row, dx + row * width,
                                 y + row * width, sums, width);
                }
            },
            [&](int64_t sequence, const float *sums) {
                const float *scale = parts + shape.part(sequence, scale_part);
                float *dshift = dparts + shape.part(sequence, shift_part);
                float *dscale = dparts + shape.part(sequence, scale_part);
                for (int64_t i = 0; i < width; ++i) {
                    dshift[i] = sums[i];
                    dscale[i] = weight[i] * sums[width + i];
                    dweight[i] += (1 + scale[i]) * sums[width + i];
                }
            });
        *y_ = wrap(made);
    });
}
