#include "c10d.h"

#if CD_HAS_C10D

#include <ATen/core/Tensor.h>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <memory>

#include "nccl.h"
#include "store.h"

using cdistributed::guarded;
using cdistributed::unwrap;

namespace {

using Work = c10::intrusive_ptr<c10d::Work>;

// Gloo for arrays on the CPU; NCCL, opened on first use, for those on a CUDA device.
struct Group {
    c10::intrusive_ptr<c10d::Backend> gloo;
    cdistributed::Store store;
    std::chrono::milliseconds timeout;
    std::unique_ptr<cdistributed::Nccl> nccl;

    cdistributed::Nccl &on(at::Device device) {
        if (!nccl)
            nccl = std::make_unique<cdistributed::Nccl>(
                store, gloo->getRank(), gloo->getSize(), device.index(), timeout);
        return *nccl;
    }
};

Group &unwrap(CDGroup handle) {
    TORCH_CHECK_VALUE(handle.impl != nullptr, "a null group was passed");
    return *static_cast<Group *>(handle.impl);
}

at::Tensor &tensor_of(void *impl) {
    TORCH_CHECK_VALUE(impl != nullptr, "a null tensor handle was passed");
    return *static_cast<at::Tensor *>(impl);
}

CDWork wrap(Work work) { return CDWork{new Work(std::move(work))}; }

}  // namespace

CDStatus cd_group_open(
    CDStore store, int32_t rank, int32_t size, const char *address, int64_t timeout_ms, CDGroup *out) {
    return guarded([&] {
        std::chrono::milliseconds timeout(timeout_ms);
        auto options = address ? c10d::ProcessGroupGloo::Options::create(timeout)
                               : c10d::ProcessGroupGloo::Options::create_default(timeout);
        if (address) options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(address));
        auto gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(unwrap(store), rank, size, options);
        out->impl = new Group{gloo, unwrap(store), timeout, nullptr};
    });
}

void cd_group_close(CDGroup group) { delete static_cast<Group *>(group.impl); }

CDStatus cd_group_sum(CDGroup group, void *tensor, CDWork *out) {
    return guarded([&] {
        std::vector<at::Tensor> tensors{tensor_of(tensor).detach()};
        Group &all = unwrap(group);
        if (tensors[0].is_cuda()) {
            all.on(tensors[0].device()).sum(tensors[0]);
            *out = wrap(nullptr);
            return;
        }
        *out = wrap(all.gloo->allreduce(tensors));
    });
}

CDStatus cd_group_broadcast(CDGroup group, void *tensor, int32_t from, CDWork *out) {
    return guarded([&] {
        std::vector<at::Tensor> tensors{tensor_of(tensor).detach()};
        Group &all = unwrap(group);
        if (tensors[0].is_cuda()) {
            all.on(tensors[0].device()).broadcast(tensors[0], from);
            *out = wrap(nullptr);
            return;
        }
        c10d::BroadcastOptions options;
        options.rootRank = from;
        *out = wrap(all.gloo->broadcast(tensors, options));
    });
}

CDStatus cd_group_gather(CDGroup group, void *part, void *whole, CDWork *out) {
    return guarded([&] {
        at::Tensor own = tensor_of(part).detach(), all = tensor_of(whole).detach();
        auto &gloo = *unwrap(group).gloo;
        const int64_t size = gloo.getSize();
        TORCH_CHECK_VALUE(
            all.numel() == own.numel() * size && all.dtype() == own.dtype() && !own.is_cuda() && !all.is_cuda(),
            "gather: ", all.numel(), " elements for ", size, " parts of ", own.numel(), "; expected arrays on the CPU");
        std::vector<at::Tensor> inputs{own};
        std::vector<std::vector<at::Tensor>> outputs{all.view({size, own.numel()}).unbind(0)};
        for (auto &one : outputs[0]) one = one.view(own.sizes());
        *out = wrap(gloo.allgather(outputs, inputs));
    });
}

CDStatus cd_work_finish(CDWork work) {
    auto owned = static_cast<Work *>(work.impl);
    CDStatus status = guarded([&] {
        TORCH_CHECK_VALUE(owned != nullptr, "a null operation was passed");
        // NCCL's operations are already complete.
        if (*owned) (*owned)->wait();
    });
    delete owned;
    return status;
}

#else

CDStatus cd_group_open(CDStore, int32_t, int32_t, const char *, int64_t, CDGroup *) { return cdistributed::missing(); }
void cd_group_close(CDGroup) {}
CDStatus cd_group_sum(CDGroup, void *, CDWork *) { return cdistributed::missing(); }
CDStatus cd_group_broadcast(CDGroup, void *, int32_t, CDWork *) { return cdistributed::missing(); }
CDStatus cd_group_gather(CDGroup, void *, void *, CDWork *) { return cdistributed::missing(); }
CDStatus cd_work_finish(CDWork) { return cdistributed::missing(); }

#endif
