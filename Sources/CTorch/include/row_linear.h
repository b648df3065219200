// A matrix product in which each row is bit-identical whatever the other rows and the number of threads.
#ifndef CTORCH_ROW_LINEAR_H
#define CTORCH_ROW_LINEAR_H

#include "ctorch.h"

#ifdef __cplusplus
extern "C" {
#endif

// out = x Wᵀ + b for x [R, in], W [out, in], b [out]. That holds for contiguous float32 on the CPU if no gradient is
// recorded; otherwise this is libtorch's own product.
CTStatus ct_row_linear(CTTensor x, CTTensor weight, CTTensor bias_or_null, CTTensor *out);

#ifdef __cplusplus
}
#endif

#endif
