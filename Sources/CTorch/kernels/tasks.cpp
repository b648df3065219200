#include "../include/tasks.h"

#include <vector>

#include "arrays.h"
#include "parallel.h"

using namespace ctorch;

CTStatus ct_run_tasks(int64_t count, void (*body)(int64_t task, void *context), void *context) {
    return guarded([&] {
        TORCH_CHECK_VALUE(count >= 0, count, " tasks were asked for; expected 0 or more");
        parallel_tasks(count, [&](int64_t task) { body(task, context); });
    });
}

namespace {

CT_VECTORISED
void add_part(float *__restrict sum, const float *__restrict part, int64_t count) {
    for (int64_t i = 0; i < count; ++i) sum[i] += part[i];
}

// Number of elements that stay in the first-level cache from one part to the next.
constexpr int64_t span = 1 << 12;

}  // namespace

CTStatus ct_add_parts(CTTensor sum_, const CTTensor *parts_, int32_t count) {
    return guarded([&] {
        at::Tensor &sum = unwrap(sum_);
        const int64_t size = sum.numel();
        float *to = floats(sum, "sum");
        std::vector<const float *> parts;
        for (int32_t i = 0; i < count; ++i) {
            CTTensor part = parts_[i];
            parts.push_back(floats(unwrap(part), "part", size));
        }
        parallel_rows(size, 1 << 16, [&](int64_t begin, int64_t end) {
            for (int64_t first = begin; first < end; first += span) {
                const int64_t length = std::min(span, end - first);
                for (const float *part : parts) add_part(to + first, part + first, length);
            }
        });
    });
}
