#include <ATen/ops/gelu.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/where.h>

#include "guard.h"

using namespace ctorch;

#define BINARY(name, expression)                                      \
    CTStatus name(CTTensor a_, CTTensor b_, CTTensor *out) {          \
        return returning(out, [&] {                                   \
            const at::Tensor &a = unwrap(a_), &b = unwrap(b_);        \
            return expression;                                        \
        });                                                           \
    }

#define WITH_SCALAR(name, expression)                                 \
    CTStatus name(CTTensor a_, double b, CTTensor *out) {             \
        return returning(out, [&] {                                   \
            const at::Tensor &a = unwrap(a_);                         \
            return expression;                                        \
        });                                                           \
    }

#define UNARY(name, expression)                                       \
    CTStatus name(CTTensor a_, CTTensor *out) {                       \
        return returning(out, [&] {                                   \
            const at::Tensor &a = unwrap(a_);                         \
            return expression;                                        \
        });                                                           \
    }

BINARY(ct_add, a.add(b))
BINARY(ct_subtract, a.sub(b))
BINARY(ct_multiply, a.mul(b))
BINARY(ct_divide, a.div(b))
BINARY(ct_equal, a.eq(b))

WITH_SCALAR(ct_add_scalar, a.add(b))
WITH_SCALAR(ct_multiply_scalar, a.mul(b))
WITH_SCALAR(ct_clamp_min, a.clamp_min(b))
WITH_SCALAR(ct_equal_scalar, a.eq(b))

UNARY(ct_negate, a.neg())
UNARY(ct_exp, a.exp())
UNARY(ct_expm1, a.expm1())
UNARY(ct_log, a.log())
UNARY(ct_log1p, a.log1p())
UNARY(ct_sqrt, a.sqrt())
UNARY(ct_cos, a.cos())
UNARY(ct_sin, a.sin())
UNARY(ct_silu, at::silu(a))
UNARY(ct_gelu_tanh, at::gelu(a, "tanh"))
UNARY(ct_gelu, at::gelu(a, "none"))
UNARY(ct_abs, a.abs())
UNARY(ct_is_finite, a.isfinite())

CTStatus ct_where(CTTensor condition, CTTensor a, CTTensor b, CTTensor *out) {
    return returning(out, [&] { return at::where(unwrap(condition), unwrap(a), unwrap(b)); });
}
