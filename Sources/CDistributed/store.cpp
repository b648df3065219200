#include "c10d.h"

#if CD_HAS_C10D

#include <c10/util/Logging.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <cstdlib>
#include <cstring>

#include "store.h"

using cdistributed::guarded;
using cdistributed::unwrap;

// c10d warns of a lost connection by a stack trace of twenty lines, and of every address without a name. What fails is
// thrown as well, and reported in one line. TORCH_CPP_LOG_LEVEL brings the warnings back.
static void log_errors_only() {
    static const bool done = [] {
        FLAGS_caffe2_log_level = 2;  // ERROR
        c10::initLogging();          // applies TORCH_CPP_LOG_LEVEL if it is set
        return true;
    }();
    (void)done;
}

CDStatus cd_store_open(
    const char *host, uint16_t port, bool serves, const char *prefix, int64_t timeout_ms, CDStore *out) {
    return guarded([&] {
        log_errors_only();
        c10d::TCPStoreOptions options;
        options.port = port;
        options.isServer = serves;
        // Processes register by rank, so that the missing ones can be named.
        options.waitWorkers = false;
        options.timeout = std::chrono::milliseconds(timeout_ms);
        auto whole = c10::make_intrusive<c10d::TCPStore>(host, options);
        out->impl = new cdistributed::Store(c10::make_intrusive<c10d::PrefixStore>(prefix, whole));
    });
}

void cd_store_close(CDStore store) { delete static_cast<cdistributed::Store *>(store.impl); }

CDStatus cd_store_set(CDStore store, const char *key, const void *bytes, size_t count) {
    return guarded([&] {
        auto first = static_cast<const uint8_t *>(bytes);
        unwrap(store)->set(key, std::vector<uint8_t>(first, first + count));
    });
}

CDStatus cd_store_get(CDStore store, const char *key, int64_t timeout_ms, void **bytes, size_t *count) {
    return guarded([&] {
        unwrap(store)->wait({key}, std::chrono::milliseconds(timeout_ms));
        auto value = unwrap(store)->get(key);
        void *copy = std::malloc(value.empty() ? 1 : value.size());
        TORCH_CHECK(copy != nullptr, "out of memory");
        std::memcpy(copy, value.data(), value.size());
        *bytes = copy;
        *count = value.size();
    });
}

CDStatus cd_store_add(CDStore store, const char *key, int64_t amount, int64_t *out) {
    return guarded([&] { *out = unwrap(store)->add(key, amount); });
}

CDStatus cd_store_has(CDStore store, const char *key, bool *out) {
    return guarded([&] { *out = unwrap(store)->check({key}); });
}

#else

CDStatus cd_store_open(const char *, uint16_t, bool, const char *, int64_t, CDStore *) { return cdistributed::missing(); }
void cd_store_close(CDStore) {}
CDStatus cd_store_set(CDStore, const char *, const void *, size_t) { return cdistributed::missing(); }
CDStatus cd_store_get(CDStore, const char *, int64_t, void **, size_t *) { return cdistributed::missing(); }
CDStatus cd_store_add(CDStore, const char *, int64_t, int64_t *) { return cdistributed::missing(); }
CDStatus cd_store_has(CDStore, const char *, bool *) { return cdistributed::missing(); }

#endif
