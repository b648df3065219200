// Bidirectional attention with rotary positions, forward and backward, straight from and into the joint array of
// queries, keys and values [R, 3 d]: nothing is transposed, rotated or copied outside a head's scratch memory, which
// fits in the second-level cache. All weights of some tens of queries are formed at once, so the softmax is the plain
// one.
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "arrays.h"
#include "exponential.h"
#include "parallel.h"

using namespace ctorch;

namespace {

// One head of one sequence.
struct Heads {
    int64_t width, length;
    // Stride from a position to the next, in [R, d].
    int64_t stride;
    const float *cosine, *sine, *in;
    float *out, *log_sums;
    // Only for the backward pass.
    const float *out_gradient;
    float *gradient;

    int64_t half() const { return width / 2; }
    float scale() const { return 1 / std::sqrt(static_cast<float>(width)); }
    const float *joint(int64_t part, int64_t position) const { return in + (3 * position + part) * stride; }
    float *joint_gradient(int64_t part, int64_t position) const { return gradient + (3 * position + part) * stride; }
};

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"))), apply_to = function)
namespace avx512 {
#define CT_LANES 16
#define CT_ROWS 6
#define CT_COLUMNS 4
#include "attention_task.h"
}  // namespace avx512
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
namespace avx2 {
#define CT_LANES 8
#define CT_ROWS 6
#define CT_COLUMNS 2
#include "attention_task.h"
}  // namespace avx2
#pragma clang attribute pop
#endif
namespace portable {
#define CT_LANES 4
#define CT_ROWS 4
#define CT_COLUMNS 2
#include "attention_task.h"
}  // namespace portable

// The functions of a task, for one kind of processor.
struct Way {
    int64_t (*forward_scratch)(int64_t, int64_t), (*backward_scratch)(int64_t, int64_t);
    void (*forward)(const Heads &, int64_t, int64_t, float *);
    void (*backward)(const Heads &, float *);
    int64_t rows_at_once;
};

const Way ways[] = {
    {portable::forward_scratch, portable::backward_scratch, portable::forward, portable::backward, portable::rows_at_once},
#if defined(__x86_64__)
    {avx2::forward_scratch, avx2::backward_scratch, avx2::forward, avx2::backward, avx2::rows_at_once},
    {avx512::forward_scratch, avx512::backward_scratch, avx512::forward, avx512::backward, avx512::rows_at_once},
#endif
};

int best_way() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw")) {
        return 2;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 1;
#endif
    return 0;
}

// -1 is the best.
const Way &way(int32_t form) {
    const int best = best_way();
    TORCH_CHECK_VALUE(form >= -1 && form <= best, "this processor runs forms 0 to ", best, " of attention, not ", form);
    return ways[form < 0 ? best : form];
}

// The arrays that both passes share, checked.
struct Problem {
    int64_t rows, d, heads, length, sequences;
    const float *joint, *cosine, *sine;

    Problem(CTTensor joint_, CTTensor cosine_, CTTensor sine_, int64_t heads) : heads(heads) {
        at::Tensor &given = unwrap(joint_), &table = unwrap(cosine_);
        TORCH_CHECK_VALUE(heads > 0 && given.dim() == 2 && given.size(1) > 0 && given.size(1) % (6 * heads) == 0,
                          "expected queries, keys and values [R, 3 d] with an even width for each head");
        TORCH_CHECK_VALUE(table.dim() == 2 && table.size(0) > 0, "the table of cosines is empty; expected [length, width / 2]");
        rows = given.size(0);
        d = given.size(1) / 3;
        length = table.size(0);
        TORCH_CHECK_VALUE(rows % length == 0, rows, " rows are not a multiple of the sequence length ", length);
        sequences = rows / length;
        joint = floats(given, "joint");
        const int64_t half = d / heads / 2;
        cosine = floats(table, "cosine", length * half);
        sine = floats(unwrap(sine_), "sine", length * half);
    }

    Heads task(int64_t item, float *out, float *log_sums) const {
        const int64_t sequence = item / heads, head = item % heads, width = d / heads;
        return Heads{width, length, d, cosine, sine, joint + sequence * length * 3 * d + head * width,
                     out + sequence * length * d + head * width, log_sums + item * length, nullptr, nullptr};
    }
};

}  // namespace

int32_t ct_attention_forms(void) { return best_way() + 1; }

CTStatus ct_attention_forward(CTTensor joint, CTTensor cosine, CTTensor sine, int64_t heads, int32_t form,
                              CTTensor *out_, CTTensor *log_sums_) {
    return guarded([&] {
        const Problem problem(joint, cosine, sine, heads);
        at::Tensor out = at::empty({problem.rows, problem.d}, unwrap(joint).options());
        at::Tensor sums = at::empty({problem.sequences, heads, problem.length}, out.options());
        float *to = floats(out, "out"), *kept = floats(sums, "sums");
        const Way &by = way(form);
        const int64_t items = problem.sequences * heads;
        // A head is split if there are fewer heads than cores; each part arranges the keys again.
        const int64_t most = (problem.length + by.rows_at_once - 1) / by.rows_at_once;
        const int64_t parts = std::clamp<int64_t>(threads_here() / std::max<int64_t>(items, 1), 1, most);
        const int64_t share = (most + parts - 1) / parts * by.rows_at_once;
        const int64_t scratch = by.forward_scratch(problem.d / heads, problem.length);
        parallel_rows(items * parts, 1, [&](int64_t begin, int64_t end) {
            const std::unique_ptr<float[]> memory(new float[scratch]);
            for (int64_t item = begin; item < end; ++item) {
                const int64_t first = item % parts * share, last = std::min(first + share, problem.length);
                if (first < last) by.forward(problem.task(item / parts, to, kept), first, last, memory.get());
            }
        });
        *out_ = wrap(out);
        *log_sums_ = wrap(sums);
    });
}

CTStatus ct_attention_backward(CTTensor out_gradient_, CTTensor joint, CTTensor cosine, CTTensor sine, int64_t heads,
                               int32_t form, CTTensor out_, CTTensor log_sums_, CTTensor *joint_gradient) {
    return guarded([&] {
        const Problem problem(joint, cosine, sine, heads);
        const int64_t count = problem.rows * problem.d;
        const float *pull = floats(unwrap(out_gradient_), "out gradient", count);
        float *out = floats(unwrap(out_), "out", count), *sums = floats(unwrap(log_sums_), "log sums", problem.rows * heads);
        at::Tensor made = at::empty({problem.rows, 3 * problem.d}, unwrap(joint).options());
        float *to = floats(made, "joint gradient");
        const Way &by = way(form);
        const int64_t scratch = by.backward_scratch(problem.d / heads, problem.length);
        parallel_rows(problem.sequences * heads, 1, [&](int64_t begin, int64_t end) {
            const std::unique_ptr<float[]> memory(new float[scratch]);
            for (int64_t item = begin; item < end; ++item) {
                Heads task = problem.task(item, out, sums);
                const int64_t offset = task.out - out;
                const int64_t sequence = item / heads, head = item % heads;
                task.out_gradient = pull + offset;
                task.gradient = to + sequence * problem.length * 3 * problem.d + head * task.width;
                by.backward(task, memory.get());
            }
        });
        *joint_gradient = wrap(made);
    });
}
