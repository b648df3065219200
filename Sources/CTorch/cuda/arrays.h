// Checks of the tensors that a pass gives to a kernel.
#pragma once

#include "launch.h"

namespace ctorch::cuda {

// Arrays of one pass, all on one device.
class Arrays {
    at::Device device;

    void *contiguous(const at::Tensor &tensor, at::ScalarType type, const char *name, int64_t count) const {
        TORCH_CHECK_VALUE(tensor.device() == device && tensor.is_contiguous() && tensor.scalar_type() == type, name,
                          " is not a contiguous array of ", type, " on ", device, "; found ", tensor.scalar_type(), " on ",
                          tensor.device());
        TORCH_CHECK_VALUE(tensor.numel() == count, name, " has ", tensor.numel(), " elements, expected ", count);
        return tensor.data_ptr();
    }

public:
    // On the device of `tensor`.
    explicit Arrays(const at::Tensor &tensor) : device(tensor.device()) {}

    float *floats(const at::Tensor &tensor, const char *name, int64_t count) const {
        return static_cast<float *>(contiguous(tensor, at::kFloat, name, count));
    }
    double *doubles(const at::Tensor &tensor, const char *name, int64_t count) const {
        return static_cast<double *>(contiguous(tensor, at::kDouble, name, count));
    }
    int64_t *wholes(const at::Tensor &tensor, const char *name, int64_t count) const {
        return static_cast<int64_t *>(contiguous(tensor, at::kLong, name, count));
    }
    // Activations of the trunk: `type` is float or bf16.
    void *elements(const at::Tensor &tensor, at::ScalarType type, const char *name, int64_t count) const {
        TORCH_CHECK_VALUE(type == at::kFloat || type == at::kBFloat16, name, " is an array of ", type,
                          "; expected float or bfloat16");
        return contiguous(tensor, type, name, count);
    }
};

// Sums over rows are computed in pieces of this many rows, one block each.
constexpr int64_t rows_of_a_piece = 32;

}  // namespace ctorch::cuda
