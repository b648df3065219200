// c10d's ProcessGroupGloo.hpp refers to types of Gloo, whose headers libtorch does not include. It holds them only by
// pointer, so the size of its own types does not depend on them and declarations suffice. The functions here are never
// called from this library, only from libtorch's own code, which has the real types.
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
