#include "driver.h"

#include <c10/util/Exception.h>
#include <dlfcn.h>

namespace ctorch::cuda {

void *symbol(void *library, const char *name, const char *library_name) {
    void *found = dlsym(library, name);
    TORCH_CHECK(found != nullptr, library_name, " has no function ", name,
                "; its version is incompatible with this program: install torch 2.11 with CUDA, or use --device cpu");
    return found;
}

static Driver open_driver() {
    const char *name = "libcuda.so.1";
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    TORCH_CHECK(library != nullptr, "NVIDIA's driver cannot be opened: ", dlerror(), "; install it, or use --device cpu");
    Driver driver{};
    bind(driver.init, library, "cuInit", name);
    bind(driver.error_string, library, "cuGetErrorString", name);
    bind(driver.device_attribute, library, "cuDeviceGetAttribute", name);
    bind(driver.retain_primary_context, library, "cuDevicePrimaryCtxRetain", name);
    bind(driver.current_context, library, "cuCtxGetCurrent", name);
    bind(driver.set_current_context, library, "cuCtxSetCurrent", name);
    bind(driver.load_module, library, "cuModuleLoadData", name);
    bind(driver.get_function, library, "cuModuleGetFunction", name);
    bind(driver.set_function_attribute, library, "cuFuncSetAttribute", name);
    bind(driver.launch, library, "cuLaunchKernel", name);
    driver.check(driver.init(0), "starting the driver");
    return driver;
}

const Driver &Driver::shared() {
    static const Driver driver = open_driver();
    return driver;
}

void Driver::check(int result, const char *what) const {
    if (result == 0) return;
    const char *text = nullptr;
    if (error_string(result, &text) != 0 || text == nullptr) text = "an error without a name";
    TORCH_CHECK(false, what, ": ", text, " (CUDA error ", result, ")");
}

}  // namespace ctorch::cuda
