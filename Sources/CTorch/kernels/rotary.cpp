// Rotary positions inside the joint array of queries, keys and values, half-split:
//   (a, b) -> (a cos - b sin, b cos + a sin), and the inverse turn of their gradients.
#include "arrays.h"
#include "parallel.h"

using namespace ctorch;

namespace {

CT_VECTORISED
void turn(const float *a, const float *b, const float *cosine, const float *sine, float *out_a, float *out_b,
          int64_t half, float direction) {
    for (int64_t i = 0; i < half; ++i) {
        const float s = direction * sine[i], first = a[i], second = b[i];
        out_a[i] = first * cosine[i] - second * s;
        out_b[i] = second * cosine[i] + first * s;
    }
}

}  // namespace

CTStatus ct_rotate(CTTensor joint_, CTTensor cosine_, CTTensor sine_, int64_t heads) {
    return guarded([&] {
        at::Tensor &joint = unwrap(joint_), &table = unwrap(cosine_);
        TORCH_CHECK_VALUE(heads > 0 && joint.dim() == 2 && joint.size(1) > 0 && joint.size(1) % (6 * heads) == 0,
                          "expected queries, keys and values [R, 3 d] with an even width for each head");
        const int64_t d = joint.size(1) / 3, half = d / heads / 2, length = table.numel() / half;
        TORCH_CHECK_VALUE(length > 0, "the table of cosines is empty; expected [length, width / 2]");
        float *data = floats(joint, "joint");
        const float *cosine = floats(table, "cosine", length * half), *sine = floats(unwrap(sine_), "sine", length * half);
        parallel_rows(joint.size(0), piece, [&](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; ++row) {
                const float *c = cosine + row % length * half, *s = sine + row % length * half;
                // Queries and keys lie side by side: 2 x heads vectors.
                for (int64_t head = 0; head < 2 * heads; ++head) {
                    float *a = data + row * 3 * d + head * 2 * half;
                    turn(a, a + half, c, s, a, a + half, half, 1);
                }
            }
        });
    });
}

CTStatus ct_unrotate(CTTensor query_, CTTensor key_, CTTensor value_, CTTensor cosine_, CTTensor sine_, CTTensor *joint_) {
    return guarded([&] {
        const at::Tensor *given[3] = {&unwrap(query_), &unwrap(key_), &unwrap(value_)};
        TORCH_CHECK_VALUE(given[0]->dim() == 4, "expected gradients [sequences, heads, length, width]");
        const int64_t sequences = given[0]->size(0), heads = given[0]->size(1), length = given[0]->size(2);
        const int64_t width = given[0]->size(3), half = width / 2, d = heads * width;
        TORCH_CHECK_VALUE(width % 2 == 0, "a head of width ", width, " cannot be turned; expected an even width");
        for (const at::Tensor *part : given) {
            TORCH_CHECK_VALUE(part->sizes() == given[0]->sizes() && part->stride(3) == 1 && part->scalar_type() == at::kFloat,
                              "expected three float32 gradients of one shape with contiguous vectors");
        }
        const float *cosine = floats(unwrap(cosine_), "cosine", length * half), *sine = floats(unwrap(sine_), "sine", length * half);
        at::Tensor made = at::empty({sequences * length, 3 * d}, given[0]->options());
        float *out = floats(made, "joint");
        parallel_rows(sequences * length, piece, [&](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; ++row) {
                const int64_t sequence = row / length, position = row % length;
                for (int64_t part = 0; part < 3; ++part) {
                    const at::Tensor &source = *given[part];
                    const float *base = static_cast<const float *>(source.const_data_ptr()) + sequence * source.stride(0) + position * source.stride(2);
                    for (int64_t head = 0; head < heads; ++head) {
                        const float *from = base + head * source.stride(1);
                        float *to = out + row * 3 * d + part * d + head * width;
                        if (part == 2) {
                            std::copy(from, from + width, to);
                        } else {
                            turn(from, from + half, cosine + position * half, sine + position * half, to, to + half, half, -1);
                        }
                    }
                }
            }
        });
        *joint_ = wrap(made);
    });
}
