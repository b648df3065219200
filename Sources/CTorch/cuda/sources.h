// The kernels' texts, by the names of their files.
#pragma once

#include <string>
#include <vector>

namespace ctorch::cuda {

struct Source {
    const char *name;
    const char *text;
    // Whether it has kernels over activations of the trunk, and so is compiled for bf16 as well as for float.
    bool has_elements;
};

const std::vector<Source> &sources();

// What NVRTC is given for a file: prelude, common part and the file's own, for one type of activation ("bf16", "float").
std::string whole_text(const Source &source, const char *element);

}  // namespace ctorch::cuda
