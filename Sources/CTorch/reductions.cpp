#include <ATen/ops/searchsorted.h>

#include "guard.h"

using namespace ctorch;

CTStatus ct_sum(CTTensor a, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).sum(); });
}

CTStatus ct_sum_dimension(CTTensor a, int64_t dimension, bool keep, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).sum(dimension, keep); });
}

CTStatus ct_mean(CTTensor a, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).mean(); });
}

CTStatus ct_maximum(CTTensor a, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).max(); });
}

CTStatus ct_norm(CTTensor a, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).norm(); });
}

CTStatus ct_all(CTTensor a, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).all(); });
}

CTStatus ct_cumulative_sum(CTTensor a, int64_t dimension, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).cumsum(dimension); });
}

CTStatus ct_search_sorted(CTTensor sorted, CTTensor values, bool right, CTTensor *out) {
    return returning(out, [&] { return at::searchsorted(unwrap(sorted), unwrap(values), false, right); });
}

CTStatus ct_maximum_dimension(CTTensor a, int64_t dimension, bool keep, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).amax(dimension, keep); });
}

CTStatus ct_sort(CTTensor a, int64_t dimension, bool descending, CTTensor *values, CTTensor *places) {
    return guarded([&] {
        auto [sorted, indices] = unwrap(a).sort(/*stable=*/true, dimension, descending);
        *values = wrap(std::move(sorted));
        *places = wrap(std::move(indices));
    });
}

CTStatus ct_argmax(CTTensor a, int64_t dimension, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).argmax(dimension); });
}
