// The passes of ../kernels on a GPU: the same operations on the same arrays, except that the trunk's activations may be
// bf16. The C functions choose between the two.
#pragma once

#include <array>
#include <utility>

#include "launch.h"

namespace ctorch::cuda {

using at::Tensor;

// y of type `element`, and the statistics.
std::pair<Tensor, Tensor> norm_modulate(const Tensor &x, const Tensor &weight, const Tensor &modulation,
                                        int64_t shift_part, int64_t scale_part, double epsilon, at::ScalarType element);
Tensor norm_modulate_backward(const Tensor &dy, const Tensor &x, const Tensor &statistics, const Tensor &weight,
                              const Tensor &modulation, int64_t shift_part, int64_t scale_part, const Tensor &dx,
                              const Tensor &dweight, const Tensor &dmodulation);

// `bias` and `dbias` may be undefined.
Tensor gated_residual(const Tensor &x, const Tensor &branch, const Tensor &bias, const Tensor &modulation,
                      int64_t gate_part, const CTDropout &dropout);
Tensor gated_residual_backward(const Tensor &dy, const Tensor &branch, const Tensor &bias, const Tensor &modulation,
                               int64_t gate_part, const CTDropout &dropout, const Tensor &dbias,
                               const Tensor &dmodulation);

Tensor bias_gelu(const Tensor &u, const Tensor &bias);
Tensor bias_gelu_backward(const Tensor &dy, const Tensor &u, const Tensor &bias, const Tensor &dbias);

// Queries, keys and values [B, L, heads, padded].
std::array<Tensor, 3> rotary_split(const Tensor &joint, const Tensor &cosine, const Tensor &sine, int64_t heads);
Tensor rotary_join(const Tensor &dquery, const Tensor &dkey, const Tensor &dvalue, const Tensor &cosine,
                   const Tensor &sine);

Tensor score_entropy(const Tensor &logits, const Tensor &states, const Tensor &clean, const Tensor &sigma,
                     const Tensor &shift, const Tensor &factors, CTChain chain);
std::pair<Tensor, Tensor> reverse_step(const Tensor &logits, const Tensor &states, const Tensor &shift,
                                       const Tensor &rules, const Tensor &uniforms);

// The copies, bf16, may be undefined.
void adamw(const Tensor &weights, const Tensor &gradient, const Tensor &moment1, const Tensor &moment2,
           const Tensor &average, const Tensor &weights_copy, const Tensor &average_copy, const CTAdamW &settings);
double sum_of_squares(const Tensor &x);
void add_rows(const Tensor &target, const Tensor &rows, const Tensor &index);

// target += the sum of the rows of array [rows, stride] from its column `first` on, in a fixed order.
void add_columns(const Tensor &array, int64_t first, const Tensor &target);

}  // namespace ctorch::cuda
