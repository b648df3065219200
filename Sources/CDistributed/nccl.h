#pragma once

#include "c10d.h"

#if CD_HAS_C10D

#include <ATen/core/Tensor.h>

#include <chrono>
#include <functional>

#include "store.h"

namespace cdistributed {

// NCCL between the CUDA devices of all processes, one per process. Failures throw.
class Nccl {
   public:
    Nccl(const Store &store, int rank, int size, int device, std::chrono::milliseconds timeout);
    ~Nccl();
    Nccl(const Nccl &) = delete;
    void sum(const at::Tensor &tensor);
    void broadcast(const at::Tensor &tensor, int from);

   private:
    void run(const at::Tensor &tensor, const char *what, const std::function<int(void *)> &start);

    void *communicator_ = nullptr;
    const int device_;
    const std::chrono::milliseconds timeout_;
};

}  // namespace cdistributed

#endif
