// y = x Wᵀ + b, where each row is bit-identical whatever the other rows and the number of threads.
//
// Libraries choose the kernel of a product by its number of rows, so a row's last bits depend on how many others there
// are. Here a product consists of tiles of a few heights and one width, each computed by one thread. Whether a row is
// bit-identical at every position of a tile, and in the lower tiles that avoid padding the last one, is tested once per
// shape before it is relied on.
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "../guard.h"
#include "../include/row_linear.h"
#include "parallel.h"

using namespace ctorch;

extern "C" {
// libtorch's own BLAS; null if its symbols are hidden.
void sgemm_(const char *, const char *, const int *, const int *, const int *, const float *, const float *, const int *,
            const float *, const int *, const float *, float *, const int *) __attribute__((weak));
}

namespace {

constexpr int64_t panel = 1024;  // columns of a tile: a product packs its factors again for each tile
constexpr int64_t tallest = 512;
constexpr int64_t heights[] = {tallest, 256, 192, 128, 96, 64, 32, 16, 8};

// y [rows, columns], rows `stride` apart, = x [rows, depth] w [columns, depth]ᵀ.
void product(const float *x, int64_t rows, const float *w, int64_t columns, int64_t depth, float *y, int64_t stride) {
    const int m = int(rows), n = int(columns), k = int(depth), ld = int(stride);
    const float one = 1, zero = 0;
    if (sgemm_ != nullptr) {
        // Column-major, as in Fortran: yᵀ = w xᵀ.
        sgemm_("T", "N", &n, &m, &k, &one, w, &k, x, &k, &zero, y, &ld);
        return;
    }
    const auto view = [](const float *data, int64_t r, int64_t c, int64_t s) {
        return at::from_blob(const_cast<float *>(data), {r, c}, {s, 1}, at::kFloat);
    };
    at::Tensor out = view(y, rows, columns, stride);
    at::mm_out(out, view(x, rows, depth, depth), view(w, columns, depth, depth).t());
}

// Scratch space, aligned like all arrays of the library, because products depend on alignment.
at::Tensor room(int64_t rows, int64_t columns) { return at::empty({rows, columns}, at::kFloat); }

// Heights of tiles, tallest first, in which a row is bit-identical at every position.
std::vector<int64_t> tried(int64_t columns, int64_t depth) {
    const OneThread single;
    const at::Tensor x_ = room(tallest, depth), w_ = room(columns, depth), y_ = room(tallest, columns);
    float *x = x_.mutable_data_ptr<float>(), *w = w_.mutable_data_ptr<float>(), *y = y_.mutable_data_ptr<float>();
    std::vector<float> first(static_cast<size_t>(columns));
    const size_t row_bytes = first.size() * sizeof(float);
    uint32_t state = 12345;
    const auto next = [&state] { return float((state = state * 1664525u + 1013904223u) >> 8) / float(1 << 24) - 0.5f; };
    std::generate_n(w, columns * depth, next);
    // The same row everywhere: any difference is due to its position.
    std::generate_n(x, depth, next);
    for (int64_t row = 1; row < tallest; ++row) std::copy_n(x, depth, x + row * depth);
    std::vector<int64_t> sound;
    for (const int64_t height : heights) {
        product(x, height, w, columns, depth, y, columns);
        if (sound.empty()) std::copy_n(y, columns, first.data());
        bool same = true;
        for (int64_t row = 0; row < height && same; ++row)
            same = std::memcmp(first.data(), y + row * columns, row_bytes) == 0;
        if (same) sound.push_back(height);
    }
    // A tile of one row has only one position.
    if (sound.empty()) sound.push_back(1);
    return sound;
}

const std::vector<int64_t> &sound_heights(int64_t columns, int64_t depth) {
    static std::mutex guard;
    static std::map<std::pair<int64_t, int64_t>, std::vector<int64_t>> known;
    const std::lock_guard<std::mutex> lock(guard);
    auto found = known.find({columns, depth});
    if (found == known.end()) found = known.emplace(std::pair{columns, depth}, tried(columns, depth)).first;
    return found->second;
}

// The lowest of these descending heights that holds this many rows; the tallest if none does.
int64_t lowest(const std::vector<int64_t> &usable, int64_t rows) {
    const auto found = std::find_if(usable.rbegin(), usable.rend(), [&](int64_t height) { return height >= rows; });
    return found == usable.rend() ? usable.front() : *found;
}

// The height whose tiles finish first: even shares of the threads are better, and each tile packs its factors again,
// which takes as long as about eight rows. It affects only the time.
int64_t fastest(const std::vector<int64_t> &usable, int64_t rows, int64_t panels) {
    constexpr int64_t packing = 8;
    const int64_t threads = threads_here();
    int64_t best = usable.back(), least = INT64_MAX;
    for (const int64_t height : usable) {
        const int64_t tasks = (rows + height - 1) / height * panels, rounds = (tasks + threads - 1) / threads;
        const int64_t time = rounds * (std::min(height, lowest(usable, rows)) + packing);
        if (time < least) {
            least = time;
            best = height;
        }
    }
    return best;
}

at::Tensor row_linear(const at::Tensor &x, const at::Tensor &weight, const at::Tensor *bias) {
    const int64_t rows = x.size(0), depth = x.size(1), columns = weight.size(0);
    at::Tensor y = at::empty({rows, columns}, x.options());
    if (rows == 0 || columns == 0) return y;
    const int64_t panels = (columns + panel - 1) / panel, narrow = columns - (panels - 1) * panel;
    // Heights that every panel of this product has.
    std::vector<int64_t> usable;
    const std::vector<int64_t> &last = sound_heights(narrow, depth);
    const std::vector<int64_t> &others = panels > 1 ? sound_heights(panel, depth) : last;
    std::copy_if(others.begin(), others.end(), std::back_inserter(usable), [&](int64_t height) {
        return std::find(last.begin(), last.end(), height) != last.end();
    });
    if (usable.empty()) usable.push_back(1);
    const int64_t whole = fastest(usable, rows, panels), full = rows / whole, rest = rows % whole;
    const int64_t height = lowest(usable, rest);
    const float *in = static_cast<const float *>(x.const_data_ptr()), *w = static_cast<const float *>(weight.const_data_ptr());
    const float *b = bias != nullptr ? static_cast<const float *>(bias->const_data_ptr()) : nullptr;
    float *out = y.mutable_data_ptr<float>();
    // The last tile, padded with zeros to a tested height.
    at::Tensor filled;
    if (rest > 0 && height > rest) {
        filled = room(height, depth).zero_();
        std::copy_n(in + full * whole * depth, rest * depth, filled.mutable_data_ptr<float>());
    }
    parallel_tasks((full + (rest > 0)) * panels, [&](int64_t task) {
        const int64_t tile = task / panels, column = task % panels * panel, width = std::min(panel, columns - column);
        const int64_t row = tile * whole, count = tile < full ? whole : rest;
        float *target = out + row * columns + column;
        if (tile < full || !filled.defined()) {
            product(in + row * depth, count, w + column * depth, width, depth, target, columns);
        } else {
            const at::Tensor part = room(height, width);
            float *values = part.mutable_data_ptr<float>();
            product(static_cast<const float *>(filled.const_data_ptr()), height, w + column * depth, width, depth, values, width);
            for (int64_t i = 0; i < count; ++i) std::copy_n(values + i * width, width, target + i * columns);
        }
        if (b != nullptr)
            for (int64_t i = 0; i < count; ++i)
                for (int64_t j = 0; j < width; ++j) target[i * columns + j] += b[column + j];
    });
    return y;
}

}  // namespace

CTStatus ct_row_linear(CTTensor x_, CTTensor weight_, CTTensor bias_or_null, CTTensor *out) {
    return returning(out, [&] {
        const at::Tensor &x = unwrap(x_), &weight = unwrap(weight_);
        const at::Tensor *bias = bias_or_null.impl != nullptr ? &unwrap(bias_or_null) : nullptr;
        const auto plain = [](const at::Tensor &t) {
            return t.is_cpu() && t.scalar_type() == at::kFloat && t.is_contiguous() && !t.requires_grad();
        };
        const bool fits = x.dim() == 2 && weight.dim() == 2 && x.size(1) == weight.size(1) && x.size(1) > 0 && plain(x) &&
                          plain(weight) && x.size(0) <= INT32_MAX && weight.numel() <= INT64_MAX / 8 &&
                          weight.size(0) <= INT32_MAX && x.size(1) <= INT32_MAX &&
                          (bias == nullptr || (plain(*bias) && bias->numel() == weight.size(0)));
        // Other devices and types, and invalid arguments: libtorch's own function, with its own errors.
        if (!fits) return at::linear(x, weight, bias != nullptr ? std::optional<at::Tensor>(*bias) : std::nullopt);
        return row_linear(x, weight, bias);
    });
}
