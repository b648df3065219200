// Whether this libtorch has c10d, and the error handling of every function of this library.
//
// Headers are not sufficient evidence: a libtorch built without c10d may include them. Scripts/libtorch.sh inspects the
// library itself, and creates a mark if the symbols are missing.
#pragma once

#include "include/cdistributed.h"

#if __has_include(<torch/csrc/distributed/c10d/TCPStore.hpp>) && !__has_include("../../.libtorch/without-c10d.h")
#define CD_HAS_C10D 1
// Macros with which libtorch was built; without them its headers are empty.
#ifndef USE_DISTRIBUTED
#define USE_DISTRIBUTED
#endif
#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO
#endif
#else
#define CD_HAS_C10D 0
#endif

namespace cdistributed {

CDStatus fail(CDStatus status, const char *message) noexcept;
CDStatus missing() noexcept;

}  // namespace cdistributed

#if CD_HAS_C10D

#include <c10/util/Exception.h>

#include <exception>

namespace cdistributed {

template <typename Body>
CDStatus guarded(Body &&body) noexcept {
    try {
        body();
        return CD_OK;
    } catch (const c10::ValueError &error) {
        return fail(CD_BAD_VALUE, error.what_without_backtrace());
    } catch (const c10::Error &error) {
        return fail(CD_PEER, error.what_without_backtrace());
    } catch (const std::exception &error) {
        return fail(CD_PEER, error.what());
    } catch (...) {
        return fail(CD_PEER, "an exception of an unknown type");
    }
}

}  // namespace cdistributed

#endif
