// The logarithm of the sum of exponentials of each row, bit-identical whatever the other rows.
#ifndef CTORCH_LOG_SUM_EXP_H
#define CTORCH_LOG_SUM_EXP_H

#include "ctorch.h"

#ifdef __cplusplus
extern "C" {
#endif

// out [R], float64, = log sum of e^x over the first `columns` entries of each row of x [R, V], float32. The sum is in double
// precision on the CPU, and in single precision elsewhere.
CTStatus ct_log_sum_exp(CTTensor x, int64_t columns, CTTensor *out);

#ifdef __cplusplus
}
#endif

#endif
