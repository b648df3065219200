#include "launch.h"

#include <c10/core/DeviceGuard.h>
#include <dlfcn.h>

#include <map>
#include <mutex>
#include <tuple>

#include "compiler.h"
#include "driver.h"

namespace ctorch::cuda {

namespace {

// Set by a test: replaces the GPU on this thread.
thread_local Launcher emulator = nullptr;

// One device: its primary context, which libtorch also uses, and the functions loaded into it.
class Machine {
    int architecture;
    Driver::Context context = nullptr;
    std::map<std::tuple<std::string, at::ScalarType>, Driver::Module> modules;
    std::map<std::tuple<std::string, std::string, at::ScalarType>, Driver::Function> functions;

public:
    explicit Machine(int index) {
        const Driver &driver = Driver::shared();
        constexpr int capability_major = 75, capability_minor = 76;
        int major = 0, minor = 0;
        driver.check(driver.device_attribute(&major, capability_major, index), "asking a GPU what it is");
        driver.check(driver.device_attribute(&minor, capability_minor, index), "asking a GPU what it is");
        architecture = 10 * major + minor;
        driver.check(driver.retain_primary_context(&context, index), "opening a GPU's context");
    }

    int compute_capability() const { return architecture; }

    void enter() const {
        const Driver &driver = Driver::shared();
        Driver::Context current = nullptr;
        driver.check(driver.current_context(&current), "asking for the current context");
        if (current != context) driver.check(driver.set_current_context(context), "entering a GPU's context");
    }

    Driver::Function function(Kernel kernel, at::ScalarType element) {
        auto &found = functions[{kernel.file, kernel.name, element}];
        if (found == nullptr) {
            const Driver &driver = Driver::shared();
            driver.check(driver.get_function(&found, module(kernel.file, element), kernel.name), kernel.name);
        }
        return found;
    }

private:
    Driver::Module module(const char *file, at::ScalarType element) {
        auto &found = modules[{file, element}];
        if (found != nullptr) return found;
        for (const Source &source : sources()) {
            if (std::strcmp(source.name, file) != 0) continue;
            const Driver &driver = Driver::shared();
            const Binary code = binary(source, element == at::kBFloat16 ? "bf16" : "float", architecture);
            const std::string what = "loading " + code.path + " (delete it if it is damaged)";
            driver.check(driver.load_module(&found, code.image.data()), what.c_str());
            return found;
        }
        TORCH_CHECK(false, "unknown kernel file '", file, "'");
    }
};

std::mutex lock;

Machine &machine(int index) {
    static std::map<int, Machine> machines;
    return machines.try_emplace(index, index).first->second;
}

// libtorch's current stream of this thread, from a C function that libtorch_cuda has for compiled models.
Driver::Stream current_stream(int device) {
    using Ask = int32_t (*)(int32_t device, void **stream);
    static const Ask ask =
        reinterpret_cast<Ask>(symbol(RTLD_DEFAULT, "aoti_torch_get_current_cuda_stream", "libtorch_cuda"));
    void *stream = nullptr;
    TORCH_CHECK(ask(device, &stream) == 0, "libtorch does not say which stream it is working on");
    return stream;
}

}  // namespace

bool takes(const at::Tensor &tensor) { return tensor.is_cuda() || (emulator != nullptr && tensor.is_cpu()); }

void launch(Kernel kernel, at::ScalarType element, const at::Device &device, Grid grid, void **arguments,
            const size_t *sizes, size_t count) {
    // 48 KiB without asking, of which up to a KiB may be a kernel's static arrays.
    constexpr int64_t largest_x = 2147483647, largest_y = 65535, shared_without_asking = 47 << 10;
    TORCH_CHECK_VALUE(grid.x <= largest_x && grid.y <= largest_y, "kernel ", kernel.name, " would take ", grid.x, " x ",
                      grid.y, " blocks; a GPU takes ", largest_x, " x ", largest_y, ": use a smaller batch");
    if (device.is_cpu()) {
        const char *failure = emulator(kernel.file, kernel.name, element == at::kBFloat16, grid, arguments, sizes, count);
        TORCH_CHECK(failure == nullptr, "kernel ", kernel.name, ": ", failure);
        return;
    }
    const c10::DeviceGuard guard(device);
    const std::lock_guard<std::mutex> alone(lock);
    const Driver &driver = Driver::shared();
    Machine &gpu = machine(device.index());
    gpu.enter();
    const Driver::Function function = gpu.function(kernel, element);
    if (grid.shared_bytes > shared_without_asking) {
        constexpr int largest_dynamic_shared = 8;
        driver.check(driver.set_function_attribute(function, largest_dynamic_shared, static_cast<int>(grid.shared_bytes)),
                     "asking for shared memory");
    }
    driver.check(driver.launch(function, static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), 1,
                               static_cast<unsigned>(grid.threads), 1, 1, static_cast<unsigned>(grid.shared_bytes),
                               current_stream(device.index()), arguments, nullptr),
                 kernel.name);
}

void emulate(Launcher launcher) { emulator = launcher; }

}  // namespace ctorch::cuda

CTStatus ct_compute_capability(CTDevice device, int32_t *out) {
    return ctorch::guarded([&] {
        TORCH_CHECK_VALUE(device.kind == CT_CUDA, "only a CUDA device has a compute capability");
        const std::lock_guard<std::mutex> alone(ctorch::cuda::lock);
        *out = ctorch::cuda::machine(device.index).compute_capability();
    });
}
