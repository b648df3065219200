#include <ATen/ops/empty.h>

#include "../arrays.h"
#include "../passes.h"

namespace ctorch::cuda {

std::pair<Tensor, Tensor> reverse_step(const Tensor &logits, const Tensor &states, const Tensor &shift,
                                       const Tensor &rules, const Tensor &uniforms) {
    TORCH_CHECK_VALUE(logits.dim() == 2 && logits.size(1) >= 2, "expected logits [M, V] of two states or more");
    const int64_t rows = logits.size(0), size = logits.size(1);
    constexpr int64_t run_length = 1024;  // the kernel's constant of that name
    const Arrays arrays(logits);
    const Tensor drawn = at::empty({rows}, logits.options().dtype(at::kLong));
    const Tensor totals = at::empty({rows}, logits.options().dtype(at::kDouble));
    launch({"reverse_step", "reverse_step"}, at::kFloat, logits.device(),
           {.x = rows, .threads = threads_for(size), .shared_bytes = blocks(size, run_length) * int64_t(sizeof(double))},
           (const float *)arrays.floats(logits, "logits", logits.numel()),
           (const int64_t *)arrays.wholes(states, "states", rows), (const double *)arrays.doubles(shift, "shift", rows),
           (const double *)arrays.doubles(rules, "rules", 5 * rows),
           (const double *)arrays.doubles(uniforms, "uniforms", rows), size, arrays.wholes(drawn, "drawn", rows),
           arrays.doubles(totals, "totals", rows));
    return {drawn, totals};
}

}  // namespace ctorch::cuda
