#include <ATen/ops/empty.h>

#include "../arrays.h"
#include "../passes.h"

namespace ctorch::cuda {

// Unlike on the CPU, states are not checked against their bounds here, which would wait for the GPU; callers get them
// from the host.
Tensor score_entropy(const Tensor &logits, const Tensor &states, const Tensor &clean, const Tensor &sigma,
                     const Tensor &shift, const Tensor &factors, CTChain chain) {
    TORCH_CHECK_VALUE(logits.dim() == 2 && logits.size(1) >= 2, "expected logits [M, V] of two states or more");
    const int64_t rows = logits.size(0), size = logits.size(1);
    const Arrays arrays(logits);
    const Tensor entropy = at::empty({rows}, logits.options().dtype(at::kDouble));
    launch({"score_entropy", chain == CT_ABSORBING ? "score_entropy_absorbing" : "score_entropy_uniform"}, at::kFloat,
           logits.device(), {.x = rows, .threads = threads_for(size)}, arrays.floats(logits, "logits", logits.numel()),
           (const int64_t *)arrays.wholes(states, "states", rows), (const int64_t *)arrays.wholes(clean, "clean", rows),
           (const double *)arrays.doubles(sigma, "sigma", rows), (const double *)arrays.doubles(shift, "shift", rows),
           (const double *)arrays.doubles(factors, "factors", rows), size, arrays.doubles(entropy, "entropy", rows));
    return entropy;
}

}  // namespace ctorch::cuda
