// The sources of the kernels, by file name.
#pragma once

#include <string>
#include <vector>

namespace ctorch::cuda {

struct Source {
    const char *name;
    const char *text;
    // Whether its kernels process activations of the trunk and are therefore compiled for bf16 as well as float.
    bool has_elements;
};

const std::vector<Source> &sources();

// The source that NVRTC compiles for a file: prelude, common part and the file itself, for one type of activation
// ("bf16", "float").
std::string whole_text(const Source &source, const char *element);

}  // namespace ctorch::cuda
