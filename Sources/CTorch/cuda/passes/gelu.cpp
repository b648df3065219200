#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "../arrays.h"
#include "../passes.h"

namespace ctorch::cuda {

Tensor bias_gelu(const Tensor &u, const Tensor &bias) {
    TORCH_CHECK_VALUE(u.dim() == 2, "expected rows [R, width]");
    const int64_t rows = u.size(0), width = u.size(1);
    const Arrays arrays(u);
    const at::ScalarType element = u.scalar_type();
    const Tensor y = at::empty_like(u);
    launch({"gelu", "bias_gelu"}, element, u.device(),
           {.x = blocks(width, 256), .y = std::min<int64_t>(blocks(rows, 8), 4096)},
           (const void *)arrays.elements(u, element, "u", u.numel()),
           (const float *)arrays.floats(bias, "bias", width), rows, width, arrays.elements(y, element, "y", u.numel()));
    return y;
}

Tensor bias_gelu_backward(const Tensor &dy, const Tensor &u, const Tensor &bias, const Tensor &dbias) {
    TORCH_CHECK_VALUE(u.dim() == 2, "expected rows [R, width]");
    const int64_t rows = u.size(0), width = u.size(1);
    // Enough rows per piece to keep the number of pieces within the limit of a grid's second dimension.
    const int64_t piece = std::max(rows_of_a_piece, blocks(rows, 1 << 15)), pieces = blocks(rows, piece);
    const Arrays arrays(u);
    const at::ScalarType element = u.scalar_type();
    const Tensor y = at::empty_like(u), partial = at::empty({pieces, width}, bias.options());
    launch({"gelu", "bias_gelu_backward"}, element, u.device(), {.x = blocks(width, 256), .y = pieces},
           arrays.elements(dy, element, "y gradient", u.numel()),
           (const void *)arrays.elements(u, element, "u", u.numel()),
           (const float *)arrays.floats(bias, "bias", width), rows, width, piece,
           arrays.elements(y, element, "y", u.numel()), arrays.floats(partial, "partial sums", partial.numel()));
    add_columns(partial, 0, dbias);
    return y;
}

}  // namespace ctorch::cuda
