#include "sources.h"

#include "prelude.h"

// Every file in kernels/ is one argument of CUDA_SOURCE; here it becomes a string.
#define CUDA_SOURCE(name, ...) static constexpr char name##_text[] = #__VA_ARGS__;
#include "kernels/adamw.cu"
#include "kernels/add_rows.cu"
#include "kernels/column_sums.cu"
#include "kernels/common.cu"
#include "kernels/gated_residual.cu"
#include "kernels/gelu.cu"
#include "kernels/norm_modulate.cu"
#include "kernels/reverse_step.cu"
#include "kernels/rotary.cu"
#include "kernels/score_entropy.cu"
#include "kernels/sum_of_squares.cu"

namespace ctorch::cuda {

const std::vector<Source> &sources() {
    static const std::vector<Source> all = {
        {"adamw", adamw_text, false},
        {"add_rows", add_rows_text, false},
        {"column_sums", column_sums_text, false},
        {"gated_residual", gated_residual_text, true},
        {"gelu", gelu_text, true},
        {"norm_modulate", norm_modulate_text, true},
        {"reverse_step", reverse_step_text, false},
        {"rotary", rotary_text, true},
        {"score_entropy", score_entropy_text, false},
        {"sum_of_squares", sum_of_squares_text, false},
    };
    return all;
}

// The preprocessor joins all lines; NVRTC's messages quote lines, so statements are put on separate lines.
static std::string in_lines(const char *text) {
    std::string lines;
    for (const char *at = text; *at != 0; ++at) {
        lines += *at;
        if (*at == ';' || *at == '{' || *at == '}') lines += '\n';
    }
    return lines;
}

std::string whole_text(const Source &source, const char *element) {
    return std::string(prelude) + in_lines(common_text) + "\ntypedef " + element + " element;\n" + in_lines(source.text);
}

}  // namespace ctorch::cuda
