#include "guard.h"

namespace ctorch {

static thread_local std::string last_error;

void remember(const char *message) noexcept {
    try {
        last_error = message;
    } catch (...) {
        last_error.clear();
    }
}

at::ScalarType scalar_type(CTType type) {
    switch (type) {
        case CT_FLOAT32: return at::kFloat;
        case CT_FLOAT64: return at::kDouble;
        case CT_FLOAT16: return at::kHalf;
        case CT_BFLOAT16: return at::kBFloat16;
        case CT_INT64: return at::kLong;
        case CT_INT32: return at::kInt;
        case CT_INT16: return at::kShort;
        case CT_INT8: return at::kChar;
        case CT_UINT8: return at::kByte;
        case CT_BOOL: return at::kBool;
        case CT_OTHER_TYPE: break;
    }
    TORCH_CHECK_VALUE(false, "element type ", static_cast<int>(type), " has no counterpart in libtorch");
}

CTType type_of(at::ScalarType type) {
    switch (type) {
        case at::kFloat: return CT_FLOAT32;
        case at::kDouble: return CT_FLOAT64;
        case at::kHalf: return CT_FLOAT16;
        case at::kBFloat16: return CT_BFLOAT16;
        case at::kLong: return CT_INT64;
        case at::kInt: return CT_INT32;
        case at::kShort: return CT_INT16;
        case at::kChar: return CT_INT8;
        case at::kByte: return CT_UINT8;
        case at::kBool: return CT_BOOL;
        default: return CT_OTHER_TYPE;
    }
}

at::Device device_of(CTDevice device) {
    switch (device.kind) {
        case CT_CPU: return at::Device(at::kCPU);
        case CT_CUDA: return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device.index));
        case CT_MPS: return at::Device(at::kMPS, static_cast<c10::DeviceIndex>(device.index));
    }
    TORCH_CHECK_VALUE(false, "device kind ", static_cast<int>(device.kind), " is unknown");
}

}  // namespace ctorch

const char *ct_last_error(void) { return ctorch::last_error.c_str(); }
