// PyTorch files are zip archives of a pickle and raw records; libtorch's own reader and writer handle the container.
#include <caffe2/serialize/inline_container.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "guard.h"

using namespace ctorch;
using caffe2::serialize::PyTorchStreamReader;
using caffe2::serialize::PyTorchStreamWriter;

static PyTorchStreamReader &reader(CTArchiveReader archive) {
    TORCH_CHECK_VALUE(archive.impl != nullptr, "a null archive handle was passed");
    return *static_cast<PyTorchStreamReader *>(archive.impl);
}

// libtorch's writer finishes its file in its destructor, where a full disk would end the process. So it is given a place
// to write to that never fails, and the first failure is kept and reported.
struct ArchiveFile {
    int descriptor;
    int failure = 0;
    std::unique_ptr<PyTorchStreamWriter> writer;

    explicit ArchiveFile(const char *path) : descriptor(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644)) {
        TORCH_CHECK(descriptor >= 0, path, ": ", std::strerror(errno));
        writer = std::make_unique<PyTorchStreamWriter>([this](const void *data, size_t bytes) {
            const char *rest = static_cast<const char *>(data);
            for (size_t left = bytes; left > 0 && failure == 0;) {
                const ssize_t written = write(descriptor, rest, left);
                if (written < 0 && errno == EINTR) continue;
                if (written <= 0) {
                    failure = errno == 0 ? EIO : errno;
                } else {
                    rest += written;
                    left -= static_cast<size_t>(written);
                }
            }
            return bytes;
        });
    }

    ~ArchiveFile() {
        writer.reset();
        close(descriptor);
    }

    void check() const { TORCH_CHECK(failure == 0, std::strerror(failure)); }
};

static ArchiveFile &file(CTArchiveWriter archive) {
    TORCH_CHECK_VALUE(archive.impl != nullptr, "a null archive handle was passed");
    return *static_cast<ArchiveFile *>(archive.impl);
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
    return guarded([&] { out->impl = new ArchiveFile(path); });
}

CTStatus ct_archive_write(CTArchiveWriter archive, const char *name, const void *data, size_t bytes) {
    return guarded([&] {
        file(archive).writer->writeRecord(name, data, bytes);
        file(archive).check();
    });
}

CTStatus ct_archive_finish(CTArchiveWriter archive) {
    return guarded([&] {
        ArchiveFile &made = file(archive);
        made.writer->writeEndOfFile();
        made.check();
        TORCH_CHECK(fsync(made.descriptor) == 0 || errno == EINVAL, std::strerror(errno));
    });
}

void ct_archive_discard(CTArchiveWriter archive) {
    guarded([&] { delete static_cast<ArchiveFile *>(archive.impl); });
}
