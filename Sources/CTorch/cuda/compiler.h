// NVRTC: compiles the source of kernels to machine code for one architecture, cached on disk.
#pragma once

#include <string>

#include "sources.h"

namespace ctorch::cuda {

struct CompilerVersion {
    int major, minor;
};

// Throws if NVRTC is not found.
CompilerVersion compiler_version();

struct Binary {
    std::string image;
    // Its location in the cache.
    std::string path;
    // Whether it had to be compiled.
    bool compiled;
};

// The machine code of a kernel file for sm_<architecture> (90 for compute capability 9.0).
Binary binary(const Source &source, const char *element, int architecture);

}  // namespace ctorch::cuda
