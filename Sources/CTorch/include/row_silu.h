// SiLU in which each row is bit-identical whatever the other rows and the number of threads.
#ifndef CTORCH_ROW_SILU_H
#define CTORCH_ROW_SILU_H

#include "ctorch.h"

#ifdef __cplusplus
extern "C" {
#endif

// out = x / (1 + e^-x) for x [R, width]. That holds for contiguous float32 on the CPU if no gradient is recorded;
// otherwise this is libtorch's own operator.
CTStatus ct_row_silu(CTTensor x, CTTensor *out);

#ifdef __cplusplus
}
#endif

#endif
