// Attention on a CUDA device: libtorch's (flash attention in bfloat16), forward and backward, between a kernel that rotates
// queries and keys and separates the heads, and its inverse. The backward pass is the one that libtorch records, so that it
// keeps whatever the chosen implementation needs.
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <cmath>

#include "passes.h"

using namespace ctorch;

namespace {

// By default libtorch's backward passes sum a query's gradient in an arbitrary order of blocks; a resumed run must equal an
// uninterrupted one. Deterministic algorithms are selected, process-wide, for the duration of such a pass.
class InAFixedOrder {
    at::Context &context = at::globalContext();
    const bool before = context.deterministicAlgorithms(), warned = context.deterministicAlgorithmsWarnOnly();
    const bool filled = context.deterministicFillUninitializedMemory();

public:
    InAFixedOrder() {
        context.setDeterministicAlgorithms(true, false);
        context.setDeterministicFillUninitializedMemory(false);
    }
    ~InAFixedOrder() {
        context.setDeterministicAlgorithms(before, warned);
        context.setDeterministicFillUninitializedMemory(filled);
    }
};

// On some devices libtorch would prefer cuDNN's attention to flash attention.
void prefer_flash() {
    static const bool once = (at::globalContext().setSDPUseCuDNN(false), true);
    (void)once;
}

}  // namespace

bool ct_takes_device_kernels(CTTensor tensor) {
    return tensor.impl != nullptr && cuda::takes(*static_cast<at::Tensor *>(tensor.impl));
}

CTStatus ct_device_attention(CTTensor joint_, CTTensor cosine, CTTensor sine, int64_t heads, bool recording, CTTensor *out,
                             CTTensor parts_out[3]) {
    return guarded([&] {
        at::Tensor &joint = unwrap(joint_);
        if (joint.is_cuda()) prefer_flash();
        const at::AutoGradMode mode(recording);
        auto parts = cuda::rotary_split(joint.detach(), unwrap(cosine), unwrap(sine), heads);
        if (recording) {
            for (at::Tensor &part : parts) part.requires_grad_(true);
        }
        const int64_t rows = joint.size(0), d = joint.size(1) / 3, width = d / heads;
        const at::Tensor mixed = at::scaled_dot_product_attention(
            parts[0].transpose(1, 2), parts[1].transpose(1, 2), parts[2].transpose(1, 2), {}, 0.0, false,
            1 / std::sqrt(static_cast<double>(width)));  // [B, heads, L, padded]
        *out = wrap(mixed.transpose(1, 2).narrow(3, 0, width).reshape({rows, d}));
        if (!recording) return;
        for (int i = 0; i < 3; ++i) parts_out[i] = wrap(parts[i]);
    });
}

CTStatus ct_device_attention_backward(CTTensor out_gradient, CTTensor out, const CTTensor parts[3], CTTensor cosine,
                                      CTTensor sine, CTTensor *joint_gradient) {
    return guarded([&] {
        {
            const InAFixedOrder order;
            unwrap(out).backward(unwrap(out_gradient));
        }
        at::Tensor gradients[3];
        for (int i = 0; i < 3; ++i) {
            gradients[i] = unwrap(parts[i]).grad();
            TORCH_CHECK(gradients[i].defined(), "this attention was not recorded");
            gradients[i] = gradients[i].contiguous();
        }
        *joint_gradient = wrap(cuda::rotary_join(gradients[0], gradients[1], gradients[2], unwrap(cosine), unwrap(sine)));
    });
}
