// Attention on a CUDA device: the engine's own, which in bfloat16 is flash attention, forward and backward, between a kernel that
// turns queries and keys and lays the heads apart, and one that goes back. Its backward pass is the one that the engine
// records, so that it keeps what the form that it chose needs.
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "passes.h"

using namespace ctorch;

namespace {

// The engine's backward passes add up a query's gradient in whatever order blocks end, unless they are asked not to; a run that is
// resumed shall equal one that was not. For the length of such a pass; the setting is the process's.
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

// Of the engine's forms the one of cuDNN would go before flash attention on some devices.
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
