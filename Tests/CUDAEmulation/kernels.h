// The kernels as C++ functions, by file, name and type of the trunk's activations.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace emulation {

struct Entry {
    // Of the parameters, bytes.
    std::vector<size_t> sizes;
    // What a thread does, given where the arguments lie.
    std::function<std::function<void()>(void **)> with;
};

// Null where there is none.
const Entry *find(const std::string &file, const std::string &kernel, bool bfloat16);

}  // namespace emulation
