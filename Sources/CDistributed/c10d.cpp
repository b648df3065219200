#include "c10d.h"

#include <cstdlib>
#include <string>

namespace cdistributed {

static thread_local std::string last_error;

CDStatus fail(CDStatus status, const char *message) noexcept {
    try {
        last_error = message;
    } catch (...) {
        last_error.clear();
    }
    return status;
}

CDStatus missing() noexcept {
    return fail(CD_MISSING, "this libtorch was built without c10d (USE_DISTRIBUTED)");
}

}  // namespace cdistributed

const char *cd_last_error(void) { return cdistributed::last_error.c_str(); }

bool cd_available(void) { return CD_HAS_C10D; }

void cd_free(void *bytes) { std::free(bytes); }
