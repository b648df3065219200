// A pure C interface to libtorch's c10d: a key-value store shared by processes, and collective operations on tensors,
// which are passed as the `impl` of their CTTensor.
//
// As in ctorch.h no C++ exception crosses this header: a failure is a status, and cd_last_error() returns the reason of
// the last one on this thread. Returned objects are owned by the caller, who closes them once. In a build whose
// libtorch lacks c10d every function returns CD_MISSING.
#ifndef CDISTRIBUTED_H
#define CDISTRIBUTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    CD_OK = 0,
    // This build has no c10d.
    CD_MISSING = 1,
    // Another process or the network failed, or exceeded the time limit.
    CD_PEER = 2,
    // An invalid argument.
    CD_BAD_VALUE = 3,
} CDStatus;

typedef struct {
    void *impl;
} CDStore;

typedef struct {
    void *impl;
} CDGroup;

// A running operation.
typedef struct {
    void *impl;
} CDWork;

// Valid until the next failure on the same thread.
const char *cd_last_error(void);

bool cd_available(void);

// store.cpp: keys visible to all processes.

// Connects to the store at host:port, which runs in this process if `serves`.
// Every key is prefixed with `prefix`.
CDStatus cd_store_open(
    const char *host, uint16_t port, bool serves, const char *prefix, int64_t timeout_ms, CDStore *out);
void cd_store_close(CDStore store);
CDStatus cd_store_set(CDStore store, const char *key, const void *bytes, size_t count);
// Waits for the key. The bytes are released with cd_free.
CDStatus cd_store_get(CDStore store, const char *key, int64_t timeout_ms, void **bytes, size_t *count);
CDStatus cd_store_add(CDStore store, const char *key, int64_t amount, int64_t *out);
CDStatus cd_store_has(CDStore store, const char *key, bool *out);
void cd_free(void *bytes);

// group.cpp: collective operations, which all processes start in the same order.

// `address` is an address of this machine that the others can reach; if null, c10d chooses one (GLOO_SOCKET_IFNAME).
CDStatus cd_group_open(
    CDStore store, int32_t rank, int32_t size, const char *address, int64_t timeout_ms, CDGroup *out);
void cd_group_close(CDGroup group);
// The sum over all processes, in place.
CDStatus cd_group_sum(CDGroup group, void *tensor, CDWork *out);
// The elements of process `from`, in place.
CDStatus cd_group_broadcast(CDGroup group, void *tensor, int32_t from, CDWork *out);
// The tensors of all processes one after the other: `whole` has the elements of `part` times the number of processes.
CDStatus cd_group_gather(CDGroup group, void *part, void *whole, CDWork *out);
// Waits until the operation is done, and closes it.
CDStatus cd_work_finish(CDWork work);

#ifdef __cplusplus
}
#endif

#endif
