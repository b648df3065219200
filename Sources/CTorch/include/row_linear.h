// A product of which each row is the same, to the bit, whatever rows stand beside it and on however many threads.
#ifndef CTORCH_ROW_LINEAR_H
#define CTORCH_ROW_LINEAR_H

#include "ctorch.h"

#ifdef __cplusplus
extern "C" {
#endif

// out = x Wᵀ + b for x [R, in], W [out, in], b [out]. Rows are equal wherever they stand for float32 on the CPU, where no gradient is
// recorded; everything else goes to the library's own product.
CTStatus ct_row_linear(CTTensor x, CTTensor weight, CTTensor bias_or_null, CTTensor *out);

#ifdef __cplusplus
}
#endif

#endif
