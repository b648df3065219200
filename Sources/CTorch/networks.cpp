#include <ATen/ops/embedding.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <optional>

#include "guard.h"

using namespace ctorch;

CTStatus ct_matmul(CTTensor a, CTTensor b, CTTensor *out) {
    return returning(out, [&] { return unwrap(a).matmul(unwrap(b)); });
}

CTStatus ct_linear(CTTensor x, CTTensor weight, CTTensor bias_or_null, CTTensor *out) {
    return returning(out, [&] {
        std::optional<at::Tensor> bias;
        if (bias_or_null.impl != nullptr) bias = unwrap(bias_or_null);
        return at::linear(unwrap(x), unwrap(weight), bias);
    });
}

CTStatus ct_layer_norm(CTTensor x, CTTensor weight, double epsilon, CTTensor *out) {
    return returning(out, [&] {
        const at::Tensor &scale = unwrap(weight);
        return at::layer_norm(unwrap(x), scale.sizes(), scale, {}, epsilon);
    });
}

CTStatus ct_embedding(CTTensor table, CTTensor index, CTTensor *out) {
    return returning(out, [&] { return at::embedding(unwrap(table), unwrap(index)); });
}

CTStatus ct_attention(CTTensor query, CTTensor key, CTTensor value, bool causal, CTTensor *out) {
    return returning(out, [&] {
        return at::scaled_dot_product_attention(unwrap(query), unwrap(key), unwrap(value), {}, 0.0, causal);
    });
}

CTStatus ct_symmetric_eigen(CTTensor a, CTTensor *values, CTTensor *vectors) {
    return guarded([&] {
        auto [eigenvalues, eigenvectors] = at::linalg_eigh(unwrap(a));
        *values = wrap(std::move(eigenvalues));
        *vectors = wrap(std::move(eigenvectors));
    });
}
