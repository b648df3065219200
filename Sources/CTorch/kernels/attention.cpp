// libtorch's fused attention on the CPU by its own two doors, forward and backward, so that no tape is needed.
#include "arrays.h"

using namespace ctorch;

CTStatus ct_attention_recorded(CTTensor query, CTTensor key, CTTensor value, CTTensor *out, CTTensor *log_sums) {
    return guarded([&] {
        auto [mixed, sums] =
            at::_scaled_dot_product_flash_attention_for_cpu(unwrap(query), unwrap(key), unwrap(value), 0.0, false);
        *out = wrap(mixed);
        *log_sums = wrap(sums);
    });
}

CTStatus ct_attention_backward(CTTensor out_gradient, CTTensor query, CTTensor key, CTTensor value, CTTensor out,
                               CTTensor log_sums, CTTensor *query_gradient, CTTensor *key_gradient,
                               CTTensor *value_gradient) {
    return guarded([&] {
        auto [dq, dk, dv] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
            unwrap(out_gradient), unwrap(query), unwrap(key), unwrap(value), unwrap(out), unwrap(log_sums), 0.0, false);
        *query_gradient = wrap(dq);
        *key_gradient = wrap(dk);
        *value_gradient = wrap(dv);
    });
}
