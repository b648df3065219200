#include "guard.h"

using namespace ctorch;

CTStatus ct_require_gradient(CTTensor tensor, bool required) {
    return guarded([&] { unwrap(tensor).requires_grad_(required); });
}

CTStatus ct_detach(CTTensor tensor, CTTensor *out) {
    return returning(out, [&] { return unwrap(tensor).detach(); });
}

CTStatus ct_gradient(CTTensor tensor, CTTensor *out, bool *defined) {
    return guarded([&] {
        const at::Tensor &gradient = unwrap(tensor).grad();
        *defined = gradient.defined();
        if (*defined) *out = wrap(gradient);
    });
}

CTStatus ct_set_gradient(CTTensor tensor, CTTensor gradient) {
    return guarded([&] {
        const at::Tensor &whole = unwrap(tensor), &storage = unwrap(gradient);
        TORCH_CHECK_VALUE(whole.sizes() == storage.sizes() && whole.scalar_type() == storage.scalar_type() &&
                              whole.device() == storage.device(),
                          "the storage has shape ", storage.sizes(), " and type ", storage.scalar_type(),
                          "; expected those of the tensor, ", whole.sizes(), " and ", whole.scalar_type());
        unwrap(tensor).mutable_grad() = storage;
    });
}

CTStatus ct_backward(CTTensor tensor, CTTensor gradient) {
    return guarded([&] { unwrap(tensor).backward(unwrap(gradient)); });
}
