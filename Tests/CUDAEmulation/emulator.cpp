// A grid on one thread of the CPU: blocks one after the other, the threads of a block as fibers that run until the next barrier
// or exchange. (A context is entered once for each fiber; from then on it is left and entered by jumps, which call no system.)
// Rules that a GPU would let pass in silence, or break by chance, fail here: a barrier that some threads never reach, an exchange
// that a lane misses, arguments of another size than the parameters.
#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "../../Sources/CTorch/cuda/emulation.h"
#include "cuda_emulation.h"
#include "device.h"
#include "kernels.h"

namespace emulation {

thread_local Index threadIdx, blockIdx, blockDim, gridDim;

namespace {

constexpr size_t stack_bytes = 128 << 10;
constexpr int lanes = 32;

enum class State { ready, at_barrier, at_exchange, done };

struct Fiber {
    ucontext_t context;
    jmp_buf place;
    // Whether it stands in its loop, at `place`.
    bool entered = false;
    std::unique_ptr<char[]> stack{new char[stack_bytes]};
    State state = State::done;
    Exchange kind = Exchange::none;
    uint64_t value = 0;
    int parameter = 0;
};

// What runs on this thread.
struct Block {
    std::vector<Fiber> fibers;
    std::vector<size_t> turns, warps;
    std::vector<std::max_align_t> shared;
    jmp_buf scheduler;
    size_t current = 0;
    const std::function<void()> *body = nullptr;
    std::string failure;
};

thread_local Block block;
thread_local EmulationOrder order = EMULATION_RISING;
thread_local int64_t launches = 0;

void pause(State state) {
    Fiber &fiber = block.fibers[block.current];
    fiber.state = state;
    if (_setjmp(fiber.place) == 0) _longjmp(block.scheduler, 1);
    threadIdx.x = static_cast<unsigned>(block.current);
}

// What every fiber does: the bodies of one block after another.
void loop() {
    for (;;) {
        (*block.body)();
        pause(State::done);
    }
}

// Until the fiber pauses.
void resume(size_t turn) {
    Fiber &fiber = block.fibers[turn];
    block.current = turn;
    threadIdx.x = static_cast<unsigned>(turn);
    if (_setjmp(block.scheduler) != 0) return;
    if (fiber.entered) _longjmp(fiber.place, 1);
    fiber.entered = true;
    setcontext(&fiber.context);
}

void prepare(size_t count) {
    if (block.fibers.size() < count) block.fibers = std::vector<Fiber>(count);
    for (Fiber &fiber : block.fibers) {
        if (fiber.entered) continue;
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.get();
        fiber.context.uc_stack.ss_size = stack_bytes;
        fiber.context.uc_link = nullptr;
        makecontext(&fiber.context, loop, 0);
    }
}

std::vector<size_t> turns(size_t count) {
    std::vector<size_t> all(count);
    for (size_t i = 0; i < count; ++i) all[i] = i;
    if (order == EMULATION_FALLING) std::reverse(all.begin(), all.end());
    if (order == EMULATION_MIXED) std::shuffle(all.begin(), all.end(), std::mt19937_64(count));
    return all;
}

// What lane `lane` of the warp that starts at `first` gets.
uint64_t result(size_t first, int lane) {
    const Fiber &own = block.fibers[first + lane];
    const auto value = [&](int other) { return block.fibers[first + other].value; };
    switch (own.kind) {
    case Exchange::exclusive_or: return value(lane ^ own.parameter);
    case Exchange::up: return lane < own.parameter ? own.value : value(lane - own.parameter);
    case Exchange::from_lane: return value(own.parameter);
    case Exchange::ballot: {
        uint64_t bits = 0;
        for (int other = 0; other < lanes; ++other) bits |= (value(other) & 1) << other;
        return bits;
    }
    case Exchange::none: break;
    }
    return 0;
}

// Lets a warp go on whose lanes are all at the same exchange; whether it does.
bool settle_exchange(size_t warp) {
    const size_t first = warp * lanes;
    const auto begin = block.fibers.begin() + static_cast<ptrdiff_t>(first), end = begin + lanes;
    const auto waits = [](const Fiber &fiber) { return fiber.state == State::at_exchange; };
    if (std::none_of(begin, end, waits)) return false;
    const auto same = [&](const Fiber &fiber) {
        return waits(fiber) && fiber.kind == begin->kind && fiber.parameter == begin->parameter;
    };
    if (!std::all_of(begin, end, same)) {
        block.failure = "the lanes of a warp are not at the same exchange";
        return false;
    }
    uint64_t results[lanes];
    for (int lane = 0; lane < lanes; ++lane) results[lane] = result(first, lane);
    for (int lane = 0; lane < lanes; ++lane) {
        block.fibers[first + lane].value = results[lane];
        block.fibers[first + lane].state = State::ready;
    }
    return true;
}

// Each thread once; or, but in the rising order, each warp as far as it gets before another moves, so that what lacks a barrier
// is overtaken.
void take_turns() {
    const auto run_ready = [](size_t warp) {
        for (const size_t turn : block.turns) {
            if (turn / lanes == warp && block.fibers[turn].state == State::ready) resume(turn);
        }
    };
    for (const size_t warp : block.warps) {
        do run_ready(warp);
        while (settle_exchange(warp) && order != EMULATION_RISING);
    }
}

void run_block(const std::function<void()> &body) {
    block.body = &body;
    const auto begin = block.fibers.begin(), end = begin + static_cast<ptrdiff_t>(block.turns.size());
    for (auto fiber = begin; fiber != end; ++fiber) fiber->state = State::ready;
    const auto count = [&](State state) {
        return std::count_if(begin, end, [&](const Fiber &f) { return f.state == state; });
    };
    const ptrdiff_t all = end - begin;
    while (block.failure.empty() && count(State::done) < all) {
        take_turns();
        if (count(State::ready) > 0 || count(State::done) == all || !block.failure.empty()) continue;
        if (count(State::at_barrier) < all) {
            block.failure = "some threads wait at a barrier that the others never reach";
            return;
        }
        for (auto fiber = begin; fiber != end; ++fiber) fiber->state = State::ready;
    }
}

const char *run(const char *file, const char *kernel, bool bfloat16, ctorch::cuda::Grid grid, void **arguments, const size_t *sizes,
                size_t count) {
    block.failure.clear();
    const Entry *entry = find(file, kernel, bfloat16);
    if (entry == nullptr) return "the emulation has no such kernel";
    if (entry->sizes != std::vector<size_t>(sizes, sizes + count)) return "arguments of other sizes than the parameters";
    if (grid.threads % lanes != 0 || grid.threads > 256) return "a block of no whole number of warps, or of more than 256 threads";
    ++launches;
    block.turns = turns(static_cast<size_t>(grid.threads));
    block.warps = turns(block.turns.size() / lanes);
    prepare(block.turns.size());
    blockDim = Index{static_cast<unsigned>(grid.threads), 1, 1};
    gridDim = Index{static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), 1};
    const std::function<void()> body = entry->with(arguments);
    for (const size_t place : turns(static_cast<size_t>(grid.x * grid.y))) {
        // Dynamic shared memory that no thread has written is NaN; static arrays keep the values of the block before.
        block.shared.resize((grid.shared_bytes + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t));
        std::memset(static_cast<void *>(block.shared.data()), 0xff, block.shared.size() * sizeof(std::max_align_t));
        blockIdx = Index{static_cast<unsigned>(place % grid.x), static_cast<unsigned>(place / grid.x), 0};
        run_block(body);
        if (block.failure.empty()) continue;
        // Some stand in the middle of a body that nobody will end.
        block.fibers.clear();
        return block.failure.c_str();
    }
    return nullptr;
}

}  // namespace

void barrier() { pause(State::at_barrier); }

uint64_t exchange(Exchange kind, uint64_t value, int parameter) {
    Fiber &fiber = block.fibers[block.current];
    fiber.kind = kind;
    fiber.value = value;
    fiber.parameter = parameter;
    pause(State::at_exchange);
    return fiber.value;
}

void *dynamic_shared() { return block.shared.data(); }

}  // namespace emulation

void cuda_emulation_begin(EmulationOrder order) {
    emulation::order = order;
    emulation::launches = 0;
    ctorch::cuda::emulate(emulation::run);
}

void cuda_emulation_end(void) { ctorch::cuda::emulate(nullptr); }

int64_t cuda_emulation_launches(void) { return emulation::launches; }
