#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/tensor.h>

#include "../../kernels/arrays.h"
#include "../../kernels/dropout.h"
#include "../arrays.h"
#include "../passes.h"

namespace ctorch::cuda {

namespace {

// Same layout as in the kernel.
struct DropoutNumbers {
    uint32_t key0, key1, step, threshold;
    float kept;
};

// The numbers of the sequences on the device, null for no dropout. All branches of a pass use the same ones, so those
// of the last call are kept. They are not freed when the thread ends: at process exit there may be no device to free
// them on.
const uint32_t *sequences_on(const at::Device &device, const CTDropout &dropout) {
    struct Kept {
        std::vector<int32_t> numbers;
        Tensor array;
    };
    static thread_local Kept *kept = new Kept;
    const int32_t *numbers = reinterpret_cast<const int32_t *>(dropout.sequences);
    const std::vector<int32_t> asked(numbers, numbers + dropout.count);
    if (!kept->array.defined() || kept->array.device() != device || kept->numbers != asked) {
        kept->array = at::tensor(asked, at::kInt).to(device);
        kept->numbers = asked;
    }
    return reinterpret_cast<const uint32_t *>(kept->array.const_data_ptr());
}

struct Dropping {
    const uint32_t *sequences = nullptr;
    DropoutNumbers numbers{};

    Dropping(const at::Device &device, const CTDropout &dropout, int64_t count) {
        if (!drops(dropout, count)) return;
        const DropoutRow row = dropout_row(dropout, 0, 0);
        sequences = sequences_on(device, dropout);
        numbers = DropoutNumbers{row.key0, row.key1, row.step, row.threshold, row.kept};
    }
};

}  // namespace

Tensor gated_residual(const Tensor &x, const Tensor &branch, const Tensor &bias, const Tensor &modulation,
                      int64_t gate_part, const CTDropout &dropout) {
    const Rows shape(x, modulation);
    shape.check(gate_part);
    const Arrays arrays(x);
    const at::ScalarType element = branch.scalar_type();
    const Dropping dropping(x.device(), dropout, shape.sequences);
    const float *parts = arrays.floats(modulation, "modulation", modulation.numel());
    const float *biases = bias.defined() ? arrays.floats(bias, "bias", shape.width) : nullptr;
    const Tensor y = at::empty_like(x);
    launch({"gated_residual", "gated_residual"}, element, x.device(),
           {.x = blocks(shape.rows * blocks(shape.width, 8), 256)}, (const float *)arrays.floats(x, "x", x.numel()),
           (const void *)arrays.elements(branch, element, "branch", x.numel()), biases, parts + shape.part(0, gate_part),
           dropping.sequences, dropping.numbers, shape.rows, shape.width, shape.length, shape.stride,
           arrays.floats(y, "y", x.numel()));
    return y;
}

Tensor gated_residual_backward(const Tensor &dy, const Tensor &branch, const Tensor &bias, const Tensor &modulation,
                               int64_t gate_part, const CTDropout &dropout, const Tensor &dbias,
                               const Tensor &dmodulation) {
    const Rows shape(branch, modulation);
    shape.check(gate_part);
    const int64_t width = shape.width, count = branch.numel(), pieces = blocks(shape.length, rows_of_a_piece);
    const Arrays arrays(branch);
    const at::ScalarType element = branch.scalar_type();
    const Dropping dropping(branch.device(), dropout, shape.sequences);
    const float *parts = arrays.floats(modulation, "modulation", modulation.numel());
    float *dparts = arrays.floats(dmodulation, "modulation gradient", modulation.numel());
    const float *biases = bias.defined() ? arrays.floats(bias, "bias", width) : nullptr;
    const Tensor dbranch = at::empty_like(branch);
    const Tensor partial = at::empty({shape.sequences * pieces, 2 * width}, dy.options());
    float *sums = arrays.floats(partial, "partial sums", partial.numel());
    launch({"gated_residual", "gated_residual_backward"}, element, branch.device(),
           {.x = pieces, .y = shape.sequences, .threads = threads_for(blocks(width, 8))},
           (const float *)arrays.floats(dy, "y gradient", count),
           (const void *)arrays.elements(branch, element, "branch", count), biases, parts + shape.part(0, gate_part),
           dropping.sequences, dropping.numbers, width, shape.length, shape.stride, rows_of_a_piece,
           arrays.elements(dbranch, element, "branch gradient", count), sums);
    launch({"column_sums", "sum_pieces"}, at::kFloat, branch.device(), {.x = blocks(width, 256), .y = shape.sequences},
           (const float *)sums, pieces, 2 * width, width, shape.stride, dparts + shape.part(0, gate_part));
    if (dbias.defined()) add_columns(partial, width, dbias);
    return dbranch;
}

}  // namespace ctorch::cuda
