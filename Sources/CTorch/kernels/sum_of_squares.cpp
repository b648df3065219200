// The sum of the squares of a flat array, in double precision over pieces of fixed size: it depends neither on the number
// of threads nor on the length of a vector register.
#include <vector>

#include "../cuda/passes.h"
#include "arrays.h"
#include "parallel.h"

using namespace ctorch;

namespace {

constexpr int64_t share = 1 << 14;

CT_VECTORISED
double squares(const float *x, int64_t count) {
    double sums[32] = {};
    int64_t i = 0;
    for (; i + 32 <= count; i += 32)
        for (int j = 0; j < 32; ++j) {
            const double value = x[i + j];
            sums[j] += value * value;
        }
    double sum = 0;
    for (int j = 0; j < 32; ++j) sum += sums[j];
    for (; i < count; ++i) sum += double(x[i]) * double(x[i]);
    return sum;
}

}  // namespace

CTStatus ct_sum_of_squares(CTTensor x_, double *out) {
    return guarded([&] {
        at::Tensor &x = unwrap(x_);
        if (cuda::takes(x)) {
            *out = cuda::sum_of_squares(x);
            return;
        }
        if (!x.is_cpu()) {
            const double norm = x.norm().item<double>();
            *out = norm * norm;
            return;
        }
        const float *data = floats(x, "x");
        const int64_t count = x.numel(), pieces = (count + share - 1) / share;
        std::vector<double> partial(static_cast<size_t>(pieces));
        parallel_rows(pieces, 4, [&](int64_t begin, int64_t end) {
            for (int64_t item = begin; item < end; ++item) {
                partial[item] = squares(data + item * share, std::min(share, count - item * share));
            }
        });
        double sum = 0;
        for (const double part : partial) sum += part;
        *out = sum;
    });
}
