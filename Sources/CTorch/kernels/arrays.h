// Checks of the tensors that kernels are given.
#pragma once

#include "../guard.h"

namespace ctorch {

// The elements of a contiguous float32 tensor on the CPU.
inline float *floats(at::Tensor &tensor, const char *name, int64_t count = -1) {
    TORCH_CHECK_VALUE(tensor.is_cpu() && tensor.is_contiguous() && tensor.scalar_type() == at::kFloat, name,
                      " is not a contiguous float32 tensor on the CPU");
    TORCH_CHECK_VALUE(count < 0 || tensor.numel() == count, name, " has ", tensor.numel(), " elements, expected ", count);
    return tensor.mutable_data_ptr<float>();
}

// The elements of a contiguous float64 tensor on the CPU.
inline const double *doubles(const at::Tensor &tensor, const char *name, int64_t count) {
    TORCH_CHECK_VALUE(tensor.is_cpu() && tensor.is_contiguous() && tensor.scalar_type() == at::kDouble, name,
                      " is not a contiguous float64 tensor on the CPU");
    TORCH_CHECK_VALUE(tensor.numel() == count, name, " has ", tensor.numel(), " elements, expected ", count);
    return static_cast<const double *>(tensor.const_data_ptr());
}

// The elements of a contiguous int64 tensor on the CPU, each of [0, bound).
inline const int64_t *wholes(const at::Tensor &tensor, const char *name, int64_t count, int64_t bound) {
    TORCH_CHECK_VALUE(tensor.is_cpu() && tensor.is_contiguous() && tensor.scalar_type() == at::kLong, name,
                      " is not a contiguous int64 tensor on the CPU");
    TORCH_CHECK_VALUE(tensor.numel() == count, name, " has ", tensor.numel(), " elements, expected ", count);
    const int64_t *data = static_cast<const int64_t *>(tensor.const_data_ptr());
    for (int64_t i = 0; i < count; ++i) {
        TORCH_CHECK_INDEX(data[i] >= 0 && data[i] < bound, name, " holds ", data[i], ", which is outside 0..<", bound);
    }
    return data;
}

// The shapes of a pass over rows [R, d] in sequences of equal length.
struct Rows {
    int64_t rows, width, sequences, length, stride;

    // From x [R, d] and modulation [sequences, parts d].
    Rows(const at::Tensor &x, const at::Tensor &modulation) {
        TORCH_CHECK_VALUE(x.dim() == 2 && modulation.dim() == 2, "expected rows [R, d] and modulation [B, parts d]");
        rows = x.size(0);
        width = x.size(1);
        sequences = modulation.size(0);
        stride = modulation.size(1);
        TORCH_CHECK_VALUE(sequences > 0 && rows % sequences == 0, rows, " rows do not divide evenly among ", sequences,
                          " sequences");
        length = rows / sequences;
    }

    // Start of part `part` of a sequence.
    int64_t part(int64_t sequence, int64_t part) const { return sequence * stride + part * width; }

    void check(int64_t part) const {
        TORCH_CHECK_VALUE(part >= 0 && (part + 1) * width <= stride, "part ", part, " of width ", width,
                          " is outside a modulation of width ", stride);
    }
};

// Sums over rows are computed in pieces of this many rows, so that they do not depend on the number of threads.
constexpr int64_t piece = 32;

}  // namespace ctorch
