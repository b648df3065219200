#include "kernels.h"

#include <map>
#include <tuple>
#include <utility>

#include "device.h"

using std::isfinite;

#define CUDA_SOURCE(name, ...) \
    namespace name {           \
    __VA_ARGS__                \
    }

namespace emulation {

#include "../../Sources/CTorch/cuda/kernels/common.cu"
using namespace common;

namespace plain {
#include "../../Sources/CTorch/cuda/kernels/adamw.cu"
#include "../../Sources/CTorch/cuda/kernels/add_rows.cu"
#include "../../Sources/CTorch/cuda/kernels/column_sums.cu"
#include "../../Sources/CTorch/cuda/kernels/reverse_step.cu"
#include "../../Sources/CTorch/cuda/kernels/score_entropy.cu"
#include "../../Sources/CTorch/cuda/kernels/sum_of_squares.cu"
}  // namespace plain

namespace single {
typedef float element;
#include "../../Sources/CTorch/cuda/kernels/gated_residual.cu"
#include "../../Sources/CTorch/cuda/kernels/gelu.cu"
#include "../../Sources/CTorch/cuda/kernels/norm_modulate.cu"
#include "../../Sources/CTorch/cuda/kernels/rotary.cu"
}  // namespace single

namespace brain {
typedef bf16 element;
#include "../../Sources/CTorch/cuda/kernels/gated_residual.cu"
#include "../../Sources/CTorch/cuda/kernels/gelu.cu"
#include "../../Sources/CTorch/cuda/kernels/norm_modulate.cu"
#include "../../Sources/CTorch/cuda/kernels/rotary.cu"
}  // namespace brain

namespace {

template <typename... Parameters, size_t... I>
Entry made(void (*kernel)(Parameters...), std::index_sequence<I...>) {
    return Entry{{sizeof(Parameters)...}, [kernel](void **arguments) -> std::function<void()> {
                     std::tuple<Parameters...> values;
                     (std::memcpy(static_cast<void *>(&std::get<I>(values)), arguments[I], sizeof(Parameters)), ...);
                     return [kernel, values] { std::apply(kernel, values); };
                 }};
}

template <typename... Parameters>
Entry made(void (*kernel)(Parameters...)) {
    return made(kernel, std::index_sequence_for<Parameters...>());
}

using Name = std::tuple<std::string, std::string, bool>;

const std::map<Name, Entry> &table() {
#define PLAIN(file, name) {{#file, #name, false}, made(plain::file::name)}
#define BOTH(file, name) \
    {{#file, #name, false}, made(single::file::name)}, {{#file, #name, true}, made(brain::file::name)}
    static const std::map<Name, Entry> all = {
        PLAIN(adamw, adamw),
        PLAIN(add_rows, add_rows_within),
        PLAIN(add_rows, add_rows_across),
        PLAIN(column_sums, add_columns),
        PLAIN(column_sums, sum_pieces),
        PLAIN(reverse_step, reverse_step),
        PLAIN(score_entropy, score_entropy_absorbing),
        PLAIN(score_entropy, score_entropy_uniform),
        PLAIN(sum_of_squares, squares_of_shares),
        PLAIN(sum_of_squares, sum_of_shares),
        BOTH(gated_residual, gated_residual),
        BOTH(gated_residual, gated_residual_backward),
        BOTH(gelu, bias_gelu),
        BOTH(gelu, bias_gelu_backward),
        BOTH(norm_modulate, norm_modulate),
        BOTH(norm_modulate, norm_modulate_backward),
        BOTH(norm_modulate, norm_modulate_sums),
        BOTH(rotary, rotary_split),
        BOTH(rotary, rotary_join),
    };
    return all;
}

}  // namespace

const Entry *find(const std::string &file, const std::string &kernel, bool bfloat16) {
    const auto found = table().find({file, kernel, bfloat16});
    return found == table().end() ? nullptr : &found->second;
}

}  // namespace emulation
