#include <ATen/core/grad_mode.h>
#include <ATen/ops/mm.h>

#include "cuda/launch.h"
#include "guard.h"

using namespace ctorch;

// In-place changes are for optimizers and loaders, never part of a recorded computation.
template <typename Body>
static CTStatus unrecorded(Body &&body) noexcept {
    return guarded([&] {
        const at::NoGradGuard off;
        body();
    });
}

CTStatus ct_copy_into(CTTensor target, CTTensor source) {
    return unrecorded([&] { unwrap(target).copy_(unwrap(source)); });
}

CTStatus ct_zero_into(CTTensor target) {
    return unrecorded([&] { unwrap(target).zero_(); });
}

CTStatus ct_add_into(CTTensor target, CTTensor other, double scale) {
    return unrecorded([&] { unwrap(target).add_(unwrap(other), scale); });
}

CTStatus ct_multiply_into(CTTensor target, double factor) {
    return unrecorded([&] { unwrap(target).mul_(factor); });
}

CTStatus ct_lerp_into(CTTensor target, CTTensor other, double weight) {
    return unrecorded([&] { unwrap(target).lerp_(unwrap(other), weight); });
}

CTStatus ct_add_transposed_product_into(CTTensor target, CTTensor a, CTTensor b) {
    return unrecorded([&] {
        at::Tensor &sum = unwrap(target), &left = unwrap(a), &right = unwrap(b);
        if (left.scalar_type() == sum.scalar_type()) {
            sum.addmm_(left.t(), right);
        } else if (left.is_cuda()) {
            // bfloat16 factors, a float32 product: no gradient is rounded before it is added.
            sum.add_(at::mm(left.t(), right, at::kFloat));
        } else if (cuda::takes(left)) {
            // The same, emulated.
            sum.addmm_(left.t().to(sum.scalar_type()), right.to(sum.scalar_type()));
        } else {
            sum.add_(at::mm(left.t(), right));
        }
    });
}
