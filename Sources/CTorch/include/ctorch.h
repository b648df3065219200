// A pure C interface to libtorch.
//
// Every function that can fail returns a CTStatus and leaves its result in the last parameter; ct_last_error() returns
// the reason of the last failure on this thread. No C++ exception crosses this header. A returned CTTensor is owned by
// the caller, who releases it once with ct_release; parameters are borrowed.
#ifndef CTORCH_H
#define CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    void *impl;
} CTTensor;

typedef enum {
    CT_OK = 0,
    CT_OUT_OF_MEMORY = 1,
    CT_BAD_INDEX = 2,
    CT_BAD_VALUE = 3,
    CT_TORCH = 4,
    CT_STANDARD = 5,
    CT_UNKNOWN = 6,
} CTStatus;

// These numbers are our own: libtorch's may change between versions.
typedef enum {
    CT_FLOAT32 = 0,
    CT_FLOAT64 = 1,
    CT_FLOAT16 = 2,
    CT_BFLOAT16 = 3,
    CT_INT64 = 4,
    CT_INT32 = 5,
    CT_UINT8 = 6,
    CT_BOOL = 7,
    CT_INT16 = 8,
    CT_INT8 = 9,
    CT_OTHER_TYPE = 100,
} CTType;

typedef enum { CT_CPU = 0, CT_CUDA = 1, CT_MPS = 2 } CTDeviceKind;

typedef struct {
    CTDeviceKind kind;
    int32_t index;
} CTDevice;

// Valid until the next failure on the same thread.
const char *ct_last_error(void);

// runtime.cpp: versions, threads and devices
const char *ct_version(void);
// The file from which libtorch's operators were loaded.
CTStatus ct_library_path(char *buffer, size_t capacity);
CTStatus ct_load_cuda(const char *path, bool *out);
CTStatus ct_device_count(CTDeviceKind kind, int32_t *out);
CTStatus ct_threads(int32_t *out);
CTStatus ct_set_threads(int32_t count);
CTStatus ct_parallel_information(char *buffer, size_t capacity);
// Whether the processor multiplies bfloat16 numbers by instructions of its own (AVX512-BF16).
bool ct_has_bfloat16_instructions(void);
CTStatus ct_synchronize(CTDevice device);
// Peak memory of tensors on a CUDA device, bytes.
CTStatus ct_peak_device_bytes(CTDevice device, int64_t *out);

// tensors.cpp: creating, reading and moving
void ct_release(CTTensor tensor);
CTStatus ct_empty(const int64_t *shape, int32_t rank, CTType type, CTDevice device, CTTensor *out);
CTStatus ct_full(const int64_t *shape, int32_t rank, double value, CTType type, CTDevice device, CTTensor *out);
// Copies `bytes` bytes, which must be exactly the size of the shape and type.
CTStatus ct_from_bytes(const void *data, size_t bytes, const int64_t *shape, int32_t rank, CTType type, CTTensor *out);
CTStatus ct_to_bytes(CTTensor tensor, void *data, size_t bytes);
CTStatus ct_rank(CTTensor tensor, int32_t *out);
CTStatus ct_shape(CTTensor tensor, int64_t *out, int32_t rank);
CTStatus ct_type(CTTensor tensor, CTType *out);
CTStatus ct_device(CTTensor tensor, CTDevice *out);
CTStatus ct_to_type(CTTensor tensor, CTType type, CTTensor *out);
CTStatus ct_to_device(CTTensor tensor, CTDevice device, CTTensor *out);
CTStatus ct_item(CTTensor tensor, double *out);

// views.cpp: other shapes of the same elements, and parts of them
CTStatus ct_reshape(CTTensor a, const int64_t *shape, int32_t rank, CTTensor *out);
CTStatus ct_transpose(CTTensor a, int64_t d0, int64_t d1, CTTensor *out);
CTStatus ct_narrow(CTTensor a, int64_t dimension, int64_t start, int64_t length, CTTensor *out);
CTStatus ct_select(CTTensor a, int64_t dimension, int64_t index, CTTensor *out);
CTStatus ct_unsqueeze(CTTensor a, int64_t dimension, CTTensor *out);
CTStatus ct_expand(CTTensor a, const int64_t *shape, int32_t rank, CTTensor *out);
CTStatus ct_strided(CTTensor a, const int64_t *shape, const int64_t *strides, int32_t rank, int64_t offset,
                    CTTensor *out);
CTStatus ct_contiguous(CTTensor a, CTTensor *out);
CTStatus ct_clone(CTTensor a, CTTensor *out);
CTStatus ct_concatenate(const CTTensor *parts, int32_t count, int64_t dimension, CTTensor *out);
CTStatus ct_index_select(CTTensor a, int64_t dimension, CTTensor index, CTTensor *out);
CTStatus ct_gather(CTTensor a, int64_t dimension, CTTensor index, CTTensor *out);
CTStatus ct_scatter_value(CTTensor a, int64_t dimension, CTTensor index, double value, CTTensor *out);
CTStatus ct_scatter(CTTensor a, int64_t dimension, CTTensor index, CTTensor source, CTTensor *out);

// elementwise.cpp
CTStatus ct_add(CTTensor a, CTTensor b, CTTensor *out);
CTStatus ct_subtract(CTTensor a, CTTensor b, CTTensor *out);
CTStatus ct_multiply(CTTensor a, CTTensor b, CTTensor *out);
CTStatus ct_divide(CTTensor a, CTTensor b, CTTensor *out);
CTStatus ct_add_scalar(CTTensor a, double b, CTTensor *out);
CTStatus ct_multiply_scalar(CTTensor a, double b, CTTensor *out);
CTStatus ct_negate(CTTensor a, CTTensor *out);
CTStatus ct_exp(CTTensor a, CTTensor *out);
CTStatus ct_expm1(CTTensor a, CTTensor *out);
CTStatus ct_log(CTTensor a, CTTensor *out);
CTStatus ct_log1p(CTTensor a, CTTensor *out);
CTStatus ct_sqrt(CTTensor a, CTTensor *out);
CTStatus ct_cos(CTTensor a, CTTensor *out);
CTStatus ct_sin(CTTensor a, CTTensor *out);
CTStatus ct_silu(CTTensor a, CTTensor *out);
CTStatus ct_gelu_tanh(CTTensor a, CTTensor *out);
CTStatus ct_gelu(CTTensor a, CTTensor *out);
CTStatus ct_abs(CTTensor a, CTTensor *out);
CTStatus ct_clamp_min(CTTensor a, double minimum, CTTensor *out);
CTStatus ct_equal(CTTensor a, CTTensor b, CTTensor *out);
CTStatus ct_equal_scalar(CTTensor a, double b, CTTensor *out);
CTStatus ct_where(CTTensor condition, CTTensor a, CTTensor b, CTTensor *out);
CTStatus ct_is_finite(CTTensor a, CTTensor *out);

// reductions.cpp
CTStatus ct_sum(CTTensor a, CTTensor *out);
CTStatus ct_sum_dimension(CTTensor a, int64_t dimension, bool keep, CTTensor *out);
CTStatus ct_mean(CTTensor a, CTTensor *out);
CTStatus ct_maximum(CTTensor a, CTTensor *out);
CTStatus ct_maximum_dimension(CTTensor a, int64_t dimension, bool keep, CTTensor *out);
CTStatus ct_norm(CTTensor a, CTTensor *out);
CTStatus ct_all(CTTensor a, CTTensor *out);
CTStatus ct_cumulative_sum(CTTensor a, int64_t dimension, CTTensor *out);
CTStatus ct_search_sorted(CTTensor sorted, CTTensor values, bool right, CTTensor *out);
CTStatus ct_argmax(CTTensor a, int64_t dimension, CTTensor *out);
// Sorted elements and their original indices; equal elements keep their order.
CTStatus ct_sort(CTTensor a, int64_t dimension, bool descending, CTTensor *values, CTTensor *places);

// networks.cpp: matrix products and layers
CTStatus ct_matmul(CTTensor a, CTTensor b, CTTensor *out);
CTStatus ct_linear(CTTensor x, CTTensor weight, CTTensor bias_or_null, CTTensor *out);
CTStatus ct_layer_norm(CTTensor x, CTTensor weight, double epsilon, CTTensor *out);
CTStatus ct_embedding(CTTensor table, CTTensor index, CTTensor *out);
CTStatus ct_attention(CTTensor query, CTTensor key, CTTensor value, bool causal, CTTensor *out);

// Eigenvalues (ascending) and eigenvectors (columns) of a symmetric matrix.
CTStatus ct_symmetric_eigen(CTTensor a, CTTensor *values, CTTensor *vectors);

// inplace.cpp: functions that modify their first parameter
CTStatus ct_copy_into(CTTensor target, CTTensor source);
CTStatus ct_zero_into(CTTensor target);
CTStatus ct_add_into(CTTensor target, CTTensor other, double scale);
CTStatus ct_multiply_into(CTTensor target, double factor);
CTStatus ct_lerp_into(CTTensor target, CTTensor other, double weight);
// target += aᵀ b, for a [R, M], b [R, N], target [M, N]. On the CPU, a product of bfloat16 factors is rounded to bfloat16
// before it is added.
CTStatus ct_add_transposed_product_into(CTTensor target, CTTensor a, CTTensor b);

// autograd.cpp
CTStatus ct_require_gradient(CTTensor tensor, bool required);
CTStatus ct_detach(CTTensor tensor, CTTensor *out);
CTStatus ct_gradient(CTTensor tensor, CTTensor *out, bool *defined);
CTStatus ct_set_gradient(CTTensor tensor, CTTensor gradient);
CTStatus ct_backward(CTTensor tensor, CTTensor gradient);

// kernels/: fused passes that libtorch has no operator for. Contiguous float32 on the CPU; for tensors on a CUDA
// device, the same passes in cuda/, where activations of the trunk (a branch, u, y and their gradients) may be
// bfloat16. R = sequences x length rows, modulation [sequences, parts x d] holds shifts, scales and gates side by side;
// `part` names one of them.

// Dropout of one branch in training: a function of (key, step, sequences[b], position, channel), with one number for
// each of `count` sequences; share 0 for none.
typedef struct {
    uint64_t key, step;
    const uint32_t *sequences;
    int64_t count;
    double share;
} CTDropout;

// dropout.cpp: 0 or 1 / (1 - share) for each element of `out` [sequences, length, width].
CTStatus ct_dropout_mask(CTTensor out, CTDropout dropout);

// norm_modulate.cpp: y = norm(x) weight (1 + scale) + shift, of type `y_type`; `statistics` [R, 2] keeps mean and 1 / deviation.
CTStatus ct_norm_modulate(CTTensor x, CTTensor weight, CTTensor modulation, int64_t shift_part, int64_t scale_part,
                          double epsilon, CTType y_type, CTTensor *y, CTTensor *statistics);
// Adds to x_gradient and weight_gradient; writes the two parts of modulation_gradient; recomputes y.
CTStatus ct_norm_modulate_backward(CTTensor y_gradient, CTTensor x, CTTensor statistics, CTTensor weight,
                                   CTTensor modulation, int64_t shift_part, int64_t scale_part, CTTensor x_gradient,
                                   CTTensor weight_gradient, CTTensor modulation_gradient, CTTensor *y);

// gated_residual.cpp: y = x + gate dropout(branch + bias).
CTStatus ct_gated_residual(CTTensor x, CTTensor branch, CTTensor bias_or_null, CTTensor modulation, int64_t gate_part,
                           CTDropout dropout, CTTensor *y);
// Creates branch_gradient; adds to bias_gradient; writes the part of modulation_gradient.
CTStatus ct_gated_residual_backward(CTTensor y_gradient, CTTensor branch, CTTensor bias_or_null, CTTensor modulation,
                                    int64_t gate_part, CTDropout dropout, CTTensor bias_gradient_or_null,
                                    CTTensor modulation_gradient, CTTensor *branch_gradient);

// gelu.cpp: y = gelu(u + bias); backward replaces y_gradient with the gradient of u, in place, and recomputes y.
CTStatus ct_bias_gelu(CTTensor u, CTTensor bias, CTTensor *y);
CTStatus ct_bias_gelu_backward(CTTensor y_gradient, CTTensor u, CTTensor bias, CTTensor bias_gradient, CTTensor *y);

// attention.cpp: softmax(Q Kᵀ / sqrt(width)) V of queries, keys and values [R, 3 d], with queries and keys rotated by
// rotary positions; cosine and sine are [length, width / 2]. `out` is [R, d], `log_sums` [sequences, heads, length].
// `form` is a variant that this processor can run, portable first; -1 selects the best.
CTStatus ct_attention_forward(CTTensor joint, CTTensor cosine, CTTensor sine, int64_t heads, int32_t form, CTTensor *out,
                              CTTensor *log_sums);
CTStatus ct_attention_backward(CTTensor out_gradient, CTTensor joint, CTTensor cosine, CTTensor sine, int64_t heads,
                               int32_t form, CTTensor out, CTTensor log_sums, CTTensor *joint_gradient);
int32_t ct_attention_forms(void);

// cuda/attention.cpp: the same on a CUDA device, by libtorch's own attention (flash attention in bfloat16) between two
// kernels that rotate and split. If `recording`, `out` is recorded, and `parts` are the queries, keys and values from
// which it was computed.
bool ct_takes_device_kernels(CTTensor tensor);
CTStatus ct_device_attention(CTTensor joint, CTTensor cosine, CTTensor sine, int64_t heads, bool recording, CTTensor *out,
                             CTTensor parts[3]);
CTStatus ct_device_attention_backward(CTTensor out_gradient, CTTensor out, const CTTensor parts[3], CTTensor cosine,
                                      CTTensor sine, CTTensor *joint_gradient);

// add_rows.cpp: target[index[r]] += rows[r], in the order of the rows; by libtorch's own operator on other devices.
CTStatus ct_add_rows(CTTensor target, CTTensor rows, CTTensor index);

// score_entropy.cpp: replaces logits [M, V] with `factors` times the gradient of the score entropy with respect to the
// log-scores, and returns the entropy, float64 [M]. States and clean are int64 [M], sigma, shift and factors float64
// [M].
typedef enum { CT_ABSORBING = 0, CT_UNIFORM = 1 } CTChain;
CTStatus ct_score_entropy(CTTensor logits, CTTensor states, CTTensor clean, CTTensor sigma, CTTensor shift,
                          CTTensor factors, CTChain chain, CTTensor *entropy);

// reverse_step.cpp: draws the next states, int64 [M], from logits [M, V], which are overwritten with the weights. A row
// of `rules`, float64 [M, 5], gives them: w_y = r0 s_y + r1 S + r2, the own state's r3 + r4 S, S the sum of all scores
// but its own. If the sum of the weights is not finite and positive, the draw is -1; `totals`, float64 [M], has that
// sum.
CTStatus ct_reverse_step(CTTensor logits, CTTensor states, CTTensor shift, CTTensor rules, CTTensor uniforms,
                         CTTensor *drawn, CTTensor *totals);

// sum_of_squares.cpp: in double precision on the CPU and on CUDA devices, by libtorch's own operator on others.
CTStatus ct_sum_of_squares(CTTensor x, double *out);

// adamw.cpp: one AdamW step and one moving-average step over flat float32 arrays, and optional bfloat16 copies of the
// weights and of the average; see adamw.cpp.
typedef struct {
    double rate, beta1, beta2, epsilon, decay;
    double correction1, correction2;
    double gradient_scale;
    double average_weight;
} CTAdamW;
CTStatus ct_adamw(CTTensor weights, CTTensor gradient, CTTensor moment1, CTTensor moment2, CTTensor average,
                  CTTensor weights_copy_or_null, CTTensor average_copy_or_null, CTAdamW settings);
// The same by libtorch's operators, for any device.
CTStatus ct_adamw_plain(CTTensor weights, CTTensor gradient, CTTensor moment1, CTTensor moment2, CTTensor average,
                        CTAdamW settings);

// muon.cpp
// One Muon step and one moving-average step over `count` matrices of one shape, float32 views whose rows are contiguous; the step
// of each is multiplied by its factor. See muon.cpp.
typedef struct {
    double rate, momentum, decay;
    double gradient_scale;
    double average_weight;
    int64_t steps;
    // Whether the products of the orthogonalization round to bfloat16.
    bool in_bfloat16;
} CTMuon;
CTStatus ct_muon(const CTTensor *weights, const CTTensor *gradients, const CTTensor *momenta, const CTTensor *averages,
                 const double *factors, int32_t count, CTMuon settings);
// Only the orthogonalization, of matrices [count, rows, columns].
CTStatus ct_orthogonalised(CTTensor matrices, int64_t steps, bool in_bfloat16, CTTensor *out);

// cuda/: requirements of the CUDA kernels besides libtorch

// The version of NVRTC, which compiles them; fails if it is not found.
CTStatus ct_kernel_compiler(int32_t *major, int32_t *minor);
// Compiles all kernels for sm_<architecture> into the cache, without a GPU; returns how many kernel files were
// compiled, and how many were already cached.
CTStatus ct_compile_kernels(int32_t architecture, int32_t *compiled, int32_t *kept);
// 90 for compute capability 9.0.
CTStatus ct_compute_capability(CTDevice device, int32_t *out);

// graph.cpp: captures the work launched between begin and leave, which replay launches again as a unit. Graphs may share
// a memory pool if none is replayed before the results of another have been read.
typedef struct {
    void *impl;
} CTGraph;
typedef struct {
    unsigned long long first, second;
} CTGraphPool;
CTStatus ct_graph_new_pool(CTGraphPool *out);
CTStatus ct_graph_create(CTDevice device, CTGraph *out);
void ct_graph_destroy(CTGraph graph);
// Switches to the graph's own stream, so that a first run can initialize what a capture requires.
CTStatus ct_graph_enter(CTGraph graph);
CTStatus ct_graph_begin(CTGraph graph, CTGraphPool pool);
// Ends a capture, and returns to the previous stream.
CTStatus ct_graph_leave(CTGraph graph);
CTStatus ct_graph_replay(CTGraph graph);
// The names looked up in libtorch_cuda, by index; null after the last.
const char *ct_cuda_symbol(int32_t number);

#ifdef __cplusplus
}
#endif
#endif
