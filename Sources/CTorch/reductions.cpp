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
