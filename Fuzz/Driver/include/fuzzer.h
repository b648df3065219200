#pragma once
#include <stddef.h>
#include <stdint.h>

// libFuzzer's loop, from the compiler's runtime: calls `callback` until its options say that it is enough.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
