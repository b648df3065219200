#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <cstring>

#include "guard.h"

using namespace ctorch;

void ct_release(CTTensor tensor) { delete static_cast<at::Tensor *>(tensor.impl); }

CTStatus ct_empty(const int64_t *shape, int32_t rank, CTType type, CTDevice device, CTTensor *out) {
    return returning(out, [&] {
        return at::empty(shape_of(shape, rank), at::TensorOptions(scalar_type(type)).device(device_of(device)));
    });
}

CTStatus ct_full(const int64_t *shape, int32_t rank, double value, CTType type, CTDevice device, CTTensor *out) {
    return returning(out, [&] {
        return at::full(shape_of(shape, rank), value, at::TensorOptions(scalar_type(type)).device(device_of(device)));
    });
}

CTStatus ct_from_bytes(const void *data, size_t bytes, const int64_t *shape, int32_t rank, CTType type, CTTensor *out) {
    return returning(out, [&] {
        at::Tensor made = at::empty(shape_of(shape, rank), at::TensorOptions(scalar_type(type)));
        TORCH_CHECK_VALUE(made.nbytes() == bytes, "the shape takes ", made.nbytes(), " bytes, found ", bytes);
        if (bytes > 0) std::memcpy(made.mutable_data_ptr(), data, bytes);
        return made;
    });
}

CTStatus ct_to_bytes(CTTensor tensor, void *data, size_t bytes) {
    return guarded([&] {
        const at::Tensor whole = unwrap(tensor).detach().cpu().contiguous();
        TORCH_CHECK_VALUE(whole.nbytes() == bytes, "the tensor has ", whole.nbytes(), " bytes, the buffer ", bytes);
        if (bytes > 0) std::memcpy(data, whole.const_data_ptr(), bytes);
    });
}

CTStatus ct_rank(CTTensor tensor, int32_t *out) {
    return guarded([&] { *out = static_cast<int32_t>(unwrap(tensor).dim()); });
}

CTStatus ct_shape(CTTensor tensor, int64_t *out, int32_t rank) {
    return guarded([&] {
        const at::IntArrayRef sizes = unwrap(tensor).sizes();
        TORCH_CHECK_VALUE(static_cast<size_t>(rank) == sizes.size(), "the tensor has rank ", sizes.size(), ", not ", rank);
        std::copy(sizes.begin(), sizes.end(), out);
    });
}

CTStatus ct_type(CTTensor tensor, CTType *out) {
    return guarded([&] { *out = type_of(unwrap(tensor).scalar_type()); });
}

CTStatus ct_device(CTTensor tensor, CTDevice *out) {
    return guarded([&] {
        const at::Device device = unwrap(tensor).device();
        TORCH_CHECK_VALUE(device.is_cpu() || device.is_cuda() || device.is_mps(), "device ", device.str(), " is unknown");
        const CTDeviceKind kind = device.is_cpu() ? CT_CPU : device.is_cuda() ? CT_CUDA : CT_MPS;
        *out = CTDevice{kind, device.has_index() ? device.index() : 0};
    });
}

CTStatus ct_to_type(CTTensor tensor, CTType type, CTTensor *out) {
    return returning(out, [&] { return unwrap(tensor).to(scalar_type(type)); });
}

CTStatus ct_to_device(CTTensor tensor, CTDevice device, CTTensor *out) {
    return returning(out, [&] { return unwrap(tensor).to(device_of(device)); });
}

CTStatus ct_item(CTTensor tensor, double *out) {
    return guarded([&] {
        const at::Tensor &whole = unwrap(tensor);
        TORCH_CHECK_VALUE(whole.numel() == 1, "reading a number requires a tensor of one element, found ", whole.numel());
        *out = whole.item().toDouble();
    });
}
