// c10d's ProcessGroupGloo.hpp names types of Gloo, whose headers libtorch does not bring. It holds them behind pointers alone, so
// the size of its own types does not depend on what they are: names suffice. The functions here are never called from this library;
// libtorch's own code, where the real types are, calls them.
#pragma once

#include <chrono>
#include <memory>

namespace gloo {

class Context {
   public:
    void setTimeout(std::chrono::milliseconds timeout);
};

namespace transport {
class UnboundBuffer;
}  // namespace transport

}  // namespace gloo
