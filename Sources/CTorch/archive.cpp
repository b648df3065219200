// PyTorch files are zip archives of a pickle and raw records; libtorch's own reader and writer handle the container.
#include <caffe2/serialize/inline_container.h>

#include <memory>

#include "guard.h"

using namespace ctorch;
using caffe2::serialize::PyTorchStreamReader;
using caffe2::serialize::PyTorchStreamWriter;

static PyTorchStreamReader &reader(CTArchiveReader archive) {
    TORCH_CHECK_VALUE(archive.impl != nullptr, "a null archive handle was passed");
    return *static_cast<PyTorchStreamReader *>(archive.impl);
}

static PyTorchStreamWriter &writer(CTArchiveWriter archive) {
    TORCH_CHECK_VALUE(archive.impl != nullptr, "a null archive handle was passed");
    return *static_cast<PyTorchStreamWriter *>(archive.impl);
}

CTStatus ct_archive_open(const char *path, CTArchiveReader *out) {
    return guarded([&] { out->impl = new PyTorchStreamReader(std::string(path)); });
}

void ct_archive_close(CTArchiveReader archive) { delete static_cast<PyTorchStreamReader *>(archive.impl); }

CTStatus ct_archive_has(CTArchiveReader archive, const char *name, bool *out) {
    return guarded([&] { *out = reader(archive).hasRecord(name); });
}

CTStatus ct_archive_size(CTArchiveReader archive, const char *name, size_t *out) {
    return guarded([&] { *out = reader(archive).getRecordSize(name); });
}

CTStatus ct_archive_read(CTArchiveReader archive, const char *name, void *data, size_t bytes) {
    return guarded([&] {
        const size_t found = reader(archive).getRecord(name, data, bytes);
        TORCH_CHECK_VALUE(found == bytes, "record ", name, " has ", found, " bytes, expected ", bytes);
    });
}

CTStatus ct_archive_create(const char *path, CTArchiveWriter *out) {
    return guarded([&] { out->impl = new PyTorchStreamWriter(std::string(path)); });
}

CTStatus ct_archive_write(CTArchiveWriter archive, const char *name, const void *data, size_t bytes) {
    return guarded([&] { writer(archive).writeRecord(name, data, bytes); });
}

CTStatus ct_archive_finish(CTArchiveWriter archive) {
    return guarded([&] { writer(archive).writeEndOfFile(); });
}

void ct_archive_discard(CTArchiveWriter archive) {
    guarded([&] { delete static_cast<PyTorchStreamWriter *>(archive.impl); });
}
