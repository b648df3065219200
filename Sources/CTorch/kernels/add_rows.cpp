// target[index[r]] += rows[r]: columns are shared out, so rows that meet in one place never race, and the order of
// summation is that of the rows.
#include <ATen/core/grad_mode.h>

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
        if (!target.is_cpu()) {
            const at::NoGradGuard off;
            target.index_add_(0, index, rows);
            return;
        }
        TORCH_CHECK_VALUE(target.dim() == 2 && rows.dim() == 2 && rows.size(1) == target.size(1),
                          "expected a target [N, d] and rows [R, d]");
        TORCH_CHECK_VALUE(index.is_cpu() && index.is_contiguous() && index.scalar_type() == at::kLong &&
                              index.numel() == rows.size(0),
                          "expected one int64 index on the CPU for each of ", rows.size(0), " rows");
        const int64_t width = target.size(1), count = rows.size(0);
        const int64_t *places = static_cast<const int64_t *>(index.const_data_ptr());
        for (int64_t row = 0; row < count; ++row) {
            TORCH_CHECK_INDEX(places[row] >= 0 && places[row] < target.size(0), "index ", places[row], " is outside 0..<",
                              target.size(0));
        }
        float *out = floats(target, "target");
        const float *in = floats(rows, "rows");
        parallel_rows(width, 64, [&](int64_t begin, int64_t end) {
            for (int64_t row = 0; row < count; ++row) {
                add(out + places[row] * width + begin, in + row * width + begin, end - begin);
            }
        });
    });
}
