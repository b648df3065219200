#include "../arrays.h"
#include "../passes.h"

namespace ctorch::cuda {

void add_columns(const Tensor &array, int64_t first, const Tensor &target) {
    const Arrays arrays(array);
    const int64_t width = target.numel(), stride = array.size(1);
    TORCH_CHECK_VALUE(first + width <= stride, "sums over columns ", first, " to ", first + width, " of ", stride);
    launch({"column_sums", "add_columns"}, at::kFloat, array.device(), {.x = blocks(width, 32)},
           (const float *)arrays.floats(array, "array", array.numel()) + first, array.size(0), stride, width,
           arrays.floats(target, "target", width));
}

}  // namespace ctorch::cuda
