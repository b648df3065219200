// target[index[r]] += rows[r]: threads share the columns, so rows with the same target never race, and are summed in
// their order.
#include <ATen/core/grad_mode.h>

#include "../cuda/passes.h"
#include "arrays.h"
#include "parallel.h"

using namespace ctorch;

namespace {

CT_VECTORISED
void add(float *target, const float *row, int64_t count) {
    for (int64_t i = 0; i < count; ++i) target[i] += row[i];
}

}  // namespace

CTStatus ct_add_rows(CTTensor target_, CTTensor rows_, CTTensor index_) {
    return guarded([&] {
        at::Tensor &target = unwrap(target_), &rows = unwrap(rows_), &index = unwrap(index_);
        if (cuda::takes(target)) {
            const at::NoGradGuard off;
            cuda::add_rows(target, rows, index);
            return;
        }
        if (!target.is_cpu()) {
            const at::NoGradGuard off;
            target.index_add_(0, index, rows);
            return;
        }
        TORCH_CHECK_VALUE(target.dim() == 2 && rows.dim() == 2 && rows.size(1) == target.size(1),
                          "expected a target [N, d] and rows [R, d]");
        const int64_t width = target.size(1), count = rows.size(0);
        const int64_t *places = wholes(index, "index", count, target.size(0));
        float *out = floats(target, "target");
        const float *in = floats(rows, "rows");
        parallel_rows(width, 64, [&](int64_t begin, int64_t end) {
            for (int64_t row = 0; row < count; ++row) {
                add(out + places[row] * width + begin, in + row * width + begin, end - begin);
            }
        });
    });
}
