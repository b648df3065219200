#pragma once

#include <torch/csrc/distributed/c10d/Store.hpp>

#include "c10d.h"

namespace cdistributed {

using Store = c10::intrusive_ptr<c10d::Store>;

inline Store &unwrap(CDStore handle) {
    TORCH_CHECK_VALUE(handle.impl != nullptr, "a null store was passed");
    return *static_cast<Store *>(handle.impl);
}

}  // namespace cdistributed
