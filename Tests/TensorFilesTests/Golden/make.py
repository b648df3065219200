"""Makes the PyTorch files beside it, with PyTorch itself (2.11 made those that are committed): python make.py"""
import argparse
import collections
import os

import torch

here = os.path.dirname(os.path.abspath(__file__))
base = torch.arange(12, dtype=torch.float32).reshape(3, 4) / 8
tensors = collections.OrderedDict(
    plain=base.clone(),
    transposed=base.t(),  # a view with strides
    part=base[1:, 2:],  # a view with an offset, of the same storage
    half=torch.tensor([1.5, -2.0], dtype=torch.float16),
    brain=torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    double=torch.tensor([0.1], dtype=torch.float64),
    scalar=torch.tensor(7.25),
    parameter=torch.nn.Parameter(torch.tensor([3.0, 4.0])),
    numbers=torch.tensor([-1, 2], dtype=torch.int64),
    repeated=torch.tensor([5.0]).expand(4),
)


def save(value, name, **options):
    torch.save(value, os.path.join(here, name), **options)


save(tensors, "zip.bin")
save(tensors, "legacy.bin", _use_new_zipfile_serialization=False)
save(tensors, "protocol4.bin", pickle_protocol=4)
save({"epoch": 3, "loss": torch.tensor(0.5), "state_dict": tensors}, "nested.ckpt")
save({"model": tensors, "teacher": tensors}, "named.pt")
save({"student": tensors, "teacher": tensors}, "ambiguous.pt")
save(torch.nn.Linear(2, 2), "module.pt")
save({"state_dict": tensors, "options": argparse.Namespace(lr=1e-3), "config": collections.Counter("aab")}, "objects.ckpt")
small = {"_orig_mod.w": base.clone(), "_orig_mod.b": base[0].clone()}
save({"model": small, "model_args": {"n_layer": 1, "bias": False, "dropout": 0.0}, "iter_num": 3}, "arguments.pt")
