// Runs the kernels of Sources/CTorch/cuda/kernels on the CPU, compiled as C++.
#ifndef CUDA_EMULATION_H
#define CUDA_EMULATION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// In which order the blocks of a grid, and the threads of a block between two barriers, take their turns: all together from the
// first on; or warp by warp, each as far as it gets, from the last on or in no order.
typedef enum { EMULATION_RISING = 0, EMULATION_FALLING = 1, EMULATION_MIXED = 2 } EmulationOrder;

// From here on, on this thread, tensors on the CPU take the way of a CUDA device.
void cuda_emulation_begin(EmulationOrder order);
void cuda_emulation_end(void);
// Kernels launched on this thread since the beginning.
int64_t cuda_emulation_launches(void);

#ifdef __cplusplus
}
#endif
#endif
