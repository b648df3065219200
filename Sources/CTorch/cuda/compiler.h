// NVRTC: from the text of kernels to machine code for one architecture, kept on disk.
#pragma once

#include <string>

#include "sources.h"

namespace ctorch::cuda {

struct CompilerVersion {
    int major, minor;
};

// Throws where no NVRTC is found.
CompilerVersion compiler_version();

struct Binary {
    std::string image;
    // Where it is kept.
    std::string path;
    // Whether it had to be compiled.
    bool compiled;
};

// The machine code of a file of kernels for sm_<architecture> (90 for compute capability 9.0).
Binary binary(const Source &source, const char *element, int architecture);

}  // namespace ctorch::cuda
