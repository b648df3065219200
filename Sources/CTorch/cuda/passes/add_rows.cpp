#include <ATen/ops/empty.h>
#include <ATen/ops/sort.h>

#include "../arrays.h"
#include "../passes.h"

namespace ctorch::cuda {

void add_rows(const Tensor &target, const Tensor &rows, const Tensor &index) {
    TORCH_CHECK_VALUE(target.dim() == 2 && rows.dim() == 2 && rows.size(1) == target.size(1) && index.dim() == 1,
                      "expected a target [N, d], rows [R, d] and an index [R]");
    constexpr int64_t piece = 64;
    const int64_t count = rows.size(0), width = rows.size(1), pieces = blocks(count, piece);
    const Arrays arrays(target);
    // A stable sort: rows with the same target are added in their order.
    const auto [places, order] = at::sort(index, /*stable=*/true, /*dim=*/0, /*descending=*/false);
    const auto options = rows.options();
    const Tensor heads = at::empty({pieces, width}, options), tails = at::empty({pieces, width}, options);
    float *out = arrays.floats(target, "target", target.numel());
    float *first = arrays.floats(heads, "heads", heads.numel()), *last = arrays.floats(tails, "tails", tails.numel());
    const int64_t *sorted = arrays.wholes(places, "index", count);
    const Grid grid{.x = pieces, .y = blocks(width, 256)};
    launch({"add_rows", "add_rows_within"}, at::kFloat, target.device(), grid,
           (const float *)arrays.floats(rows, "rows", rows.numel()), sorted,
           (const int64_t *)arrays.wholes(order, "order", count), count, width, piece, out, first, last);
    launch({"add_rows", "add_rows_across"}, at::kFloat, target.device(), grid, sorted, count, width, piece, out,
           (const float *)first, (const float *)last);
}

}  // namespace ctorch::cuda
