// Independent tasks in parallel, each on one thread, and the sum of their results.
#ifndef CTORCH_TASKS_H
#define CTORCH_TASKS_H

#include "ctorch.h"

#ifdef __cplusplus
extern "C" {
#endif

// Calls body(task, context) once for each task in [0, count), on the threads of libtorch. Matrix
// products inside use one thread; if there are several tasks, all operators do.
CTStatus ct_run_tasks(int64_t count, void (*body)(int64_t task, void *context), void *context);

// sum += parts[0]; sum += parts[1]; ... in that order, element by element. Contiguous float32 on the CPU, all of one size.
CTStatus ct_add_parts(CTTensor sum, const CTTensor *parts, int32_t count);

#ifdef __cplusplus
}
#endif

#endif
