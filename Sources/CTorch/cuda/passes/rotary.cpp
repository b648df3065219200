#include <ATen/ops/empty.h>

#include "../arrays.h"
#include "../passes.h"

namespace ctorch::cuda {

std::array<Tensor, 3> rotary_split(const Tensor &joint, const Tensor &cosine, const Tensor &sine, int64_t heads) {
    TORCH_CHECK_VALUE(heads > 0 && joint.dim() == 2 && joint.size(1) > 0 && joint.size(1) % (6 * heads) == 0,
                      "expected queries, keys and values [R, 3 d] with an even width for each head");
    TORCH_CHECK_VALUE(cosine.dim() == 2 && cosine.size(0) > 0, "the table of cosines is empty; expected [length, width / 2]");
    const int64_t rows = joint.size(0), width = joint.size(1) / 3 / heads, length = cosine.size(0);
    TORCH_CHECK_VALUE(rows % length == 0, rows, " rows are not a multiple of the sequence length ", length);
    // Flash attention requires widths divisible by 8.
    const int64_t padded = blocks(width, 8) * 8;
    const Arrays arrays(joint);
    const at::ScalarType element = joint.scalar_type();
    const auto made = [&] { return at::empty({rows / length, length, heads, padded}, joint.options()); };
    const std::array<Tensor, 3> apart = {made(), made(), made()};
    const int64_t count = rows * heads * padded;
    launch({"rotary", "rotary_split"}, element, joint.device(), {.x = blocks(rows * 3 * heads * (padded / 2), 256)},
           (const void *)arrays.elements(joint, element, "joint", joint.numel()),
           (const float *)arrays.floats(cosine, "cosine", length * width / 2),
           (const float *)arrays.floats(sine, "sine", length * width / 2), rows, length, heads, width, padded,
           arrays.elements(apart[0], element, "queries", count), arrays.elements(apart[1], element, "keys", count),
           arrays.elements(apart[2], element, "values", count));
    return apart;
}

Tensor rotary_join(const Tensor &dquery, const Tensor &dkey, const Tensor &dvalue, const Tensor &cosine,
                   const Tensor &sine) {
    TORCH_CHECK_VALUE(dquery.dim() == 4 && cosine.dim() == 2, "expected gradients [B, L, heads, padded]");
    const int64_t length = dquery.size(1), rows = dquery.size(0) * length, heads = dquery.size(2), padded = dquery.size(3);
    const int64_t width = 2 * cosine.size(1), count = dquery.numel();
    TORCH_CHECK_VALUE(cosine.size(0) == length && width <= padded, "a table of cosines ", cosine.sizes(),
                      " does not match gradients ", dquery.sizes());
    const Arrays arrays(dquery);
    const at::ScalarType element = dquery.scalar_type();
    const Tensor djoint = at::empty({rows, 3 * heads * width}, dquery.options());
    launch({"rotary", "rotary_join"}, element, dquery.device(), {.x = blocks(rows * 3 * heads * (width / 2), 256)},
           (const void *)arrays.elements(dquery, element, "query gradient", count),
           (const void *)arrays.elements(dkey, element, "key gradient", count),
           (const void *)arrays.elements(dvalue, element, "value gradient", count),
           (const float *)arrays.floats(cosine, "cosine", length * width / 2),
           (const float *)arrays.floats(sine, "sine", length * width / 2), rows, length, heads, width, padded,
           arrays.elements(djoint, element, "joint gradient", djoint.numel()));
    return djoint;
}

}  // namespace ctorch::cuda
