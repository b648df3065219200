#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "../../kernels/arrays.h"
#include "../arrays.h"
#include "../passes.h"

namespace ctorch::cuda {

std::pair<Tensor, Tensor> norm_modulate(const Tensor &x, const Tensor &weight, const Tensor &modulation,
                                        int64_t shift_part, int64_t scale_part, double epsilon, at::ScalarType element) {
    const Rows shape(x, modulation);
    shape.check(shift_part);
    shape.check(scale_part);
    const Arrays arrays(x);
    const Tensor y = at::empty_like(x, x.options().dtype(element));
    const Tensor statistics = at::empty({shape.rows, 2}, x.options());
    const float *parts = arrays.floats(modulation, "modulation", modulation.numel());
    launch({"norm_modulate", "norm_modulate"}, element, x.device(), {.x = blocks(shape.rows, 8)},
           (const float *)arrays.floats(x, "x", x.numel()), (const float *)arrays.floats(weight, "weight", shape.width),
           parts + shape.part(0, shift_part), parts + shape.part(0, scale_part), shape.rows, shape.width, shape.length,
           shape.stride, static_cast<float>(epsilon), arrays.elements(y, element, "y", x.numel()),
           arrays.floats(statistics, "statistics", 2 * shape.rows));
    return {y, statistics};
}

Tensor norm_modulate_backward(const Tensor &dy, const Tensor &x, const Tensor &statistics, const Tensor &weight,
                              const Tensor &modulation, int64_t shift_part, int64_t scale_part, const Tensor &dx,
                              const Tensor &dweight, const Tensor &dmodulation) {
    const Rows shape(x, modulation);
    shape.check(shift_part);
    shape.check(scale_part);
    const int64_t width = shape.width, count = x.numel(), pieces = blocks(shape.length, rows_of_a_piece);
    const at::ScalarType element = dy.scalar_type();
    const Arrays arrays(x);
    const Tensor y = at::empty_like(dy);
    const Tensor partial = at::empty({shape.sequences * pieces, 2 * width}, x.options());
    const Tensor shares = at::empty({shape.sequences, width}, x.options());
    const float *parts = arrays.floats(modulation, "modulation", modulation.numel());
    float *dparts = arrays.floats(dmodulation, "modulation gradient", modulation.numel());
    const float *weights = arrays.floats(weight, "weight", width);
    const float *scale = parts + shape.part(0, scale_part);
    float *sums = arrays.floats(partial, "partial sums", partial.numel());
    launch({"norm_modulate", "norm_modulate_backward"}, element, x.device(),
           {.x = pieces,
            .y = shape.sequences,
            .threads = threads_for(width),
            .shared_bytes = 2 * width * int64_t(sizeof(float))},
           (const void *)arrays.elements(dy, element, "y gradient", count), (const float *)arrays.floats(x, "x", count),
           (const float *)arrays.floats(statistics, "statistics", 2 * shape.rows), weights,
           parts + shape.part(0, shift_part), scale, width, shape.length, shape.stride, rows_of_a_piece,
           arrays.floats(dx, "x gradient", count), arrays.elements(y, element, "y", count), sums);
    launch({"norm_modulate", "norm_modulate_sums"}, element, x.device(),
           {.x = blocks(width, 256), .y = shape.sequences}, (const float *)sums, weights, scale, pieces, width,
           shape.stride, dparts + shape.part(0, shift_part), dparts + shape.part(0, scale_part),
           arrays.floats(shares, "shares", shares.numel()));
    add_columns(shares, 0, dweight);
    return y;
}

}  // namespace ctorch::cuda
