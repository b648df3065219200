#include <ATen/ops/as_strided.h>
#include <ATen/ops/cat.h>

#include <vector>

#include "guard.h"

using namespace ctorch;

CTStatus ct_reshape(CTTensor a, const int64_t *shape, int32_t rank, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).reshape(shape_of(shape, rank)); });
}

CTStatus ct_transpose(CTTensor a, int64_t d0, int64_t d1, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).transpose(d0, d1); });
}

CTStatus ct_narrow(CTTensor a, int64_t dimension, int64_t start, int64_t length, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).narrow(dimension, start, length); });
}

CTStatus ct_select(CTTensor a, int64_t dimension, int64_t index, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).select(dimension, index); });
}

CTStatus ct_unsqueeze(CTTensor a, int64_t dimension, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).unsqueeze(dimension); });
}

CTStatus ct_expand(CTTensor a, const int64_t *shape, int32_t rank, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).expand(shape_of(shape, rank)); });
}

CTStatus ct_strided(CTTensor a, const int64_t *shape, const int64_t *strides, int32_t rank, int64_t offset,
                    CTTensor *out) {
    return returning(out, [&] {
        return at::as_strided(unwrap(a), shape_of(shape, rank), shape_of(strides, rank), offset);
    });
}

CTStatus ct_contiguous(CTTensor a, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).contiguous(); });
}

CTStatus ct_clone(CTTensor a, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).clone(); });
}

CTStatus ct_concatenate(const CTTensor *parts, int32_t count, int64_t dimension, CTTensor *out) {
    return returning(out, [&] {
        std::vector<at::Tensor> list;
        for (int32_t i = 0; i < count; ++i) list.push_back(unwrap(parts[i]));
        return at::cat(list, dimension);
    });
}

CTStatus ct_index_select(CTTensor a, int64_t dimension, CTTensor index, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).index_select(dimension, unwrap(index)); });
}

CTStatus ct_gather(CTTensor a, int64_t dimension, CTTensor index, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).gather(dimension, unwrap(index)); });
}

CTStatus ct_scatter_value(CTTensor a, int64_t dimension, CTTensor index, double value, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).scatter(dimension, unwrap(index), value); });
}

CTStatus ct_scatter(CTTensor a, int64_t dimension, CTTensor index, CTTensor source, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).scatter(dimension, unwrap(index), unwrap(source)); });
}
