// NVIDIA's driver, opened at run time: the few functions needed for loading and launching a kernel, declared by hand (a
// C interface that has been stable since CUDA 4), so that building does not require CUDA.
#pragma once

#include <cstddef>

namespace ctorch::cuda {

struct Driver {
    // Results are 0 for success; handles are opaque pointers.
    using Context = void *;
    using Module = void *;
    using Function = void *;
    using Stream = void *;

    int (*init)(unsigned flags);
    int (*error_string)(int result, const char **text);
    int (*device_attribute)(int *value, int attribute, int device);
    int (*retain_primary_context)(Context *context, int device);
    int (*current_context)(Context *context);
    int (*set_current_context)(Context context);
    int (*load_module)(Module *module, const void *image);
    int (*get_function)(Function *function, Module module, const char *name);
    int (*set_function_attribute)(Function function, int attribute, int value);
    int (*launch)(Function function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                  unsigned block_z, unsigned shared_bytes, Stream stream, void **arguments, void **extra);

    // Opened once; throws with the loader's reason.
    static const Driver &shared();

    // Throws with the driver's message if `result` is not 0.
    void check(int result, const char *what) const;
};

// The symbol of an open library; throws an error that names both.
void *symbol(void *library, const char *name, const char *library_name);

template <typename Function>
void bind(Function &function, void *library, const char *name, const char *library_name) {
    function = reinterpret_cast<Function>(symbol(library, name, library_name));
}

}  // namespace ctorch::cuda
