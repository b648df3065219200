"""Makes nanogpt-*.pt and nanogpt-*.safetensors beside it with PyTorch 2.11: checkpoints in the form of nanoGPT's train.py, and the
logits of a plain implementation of its formulas (linear layers [out, in], exact GELU, head tied to the embedding or not)."""
import math
import os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))
layers, heads, d, length, vocabulary = 2, 2, 8, 6, 10


def state(bias, tied, generator):
    def normal(*shape):
        return 0.3 * torch.randn(*shape, generator=generator)

    made = {"transformer.wte.weight": normal(vocabulary, d), "transformer.wpe.weight": normal(length, d)}
    for i in range(layers):
        for name, shape in [
            ("ln_1", (d,)), ("attn.c_attn", (3 * d, d)), ("attn.c_proj", (d, d)), ("ln_2", (d,)),
            ("mlp.c_fc", (4 * d, d)), ("mlp.c_proj", (d, 4 * d)),
        ]:
            made[f"transformer.h.{i}.{name}.weight"] = normal(*shape)
            if bias:
                made[f"transformer.h.{i}.{name}.bias"] = normal(shape[0])
    made["transformer.ln_f.weight"] = normal(d)
    if bias:
        made["transformer.ln_f.bias"] = normal(d)
    made["lm_head.weight"] = made["transformer.wte.weight"] if tied else normal(vocabulary, d)
    return made


def logits(w, tokens):
    def norm(x, name):
        return F.layer_norm(x, (d,), w[name + ".weight"], w.get(name + ".bias"), 1e-5)

    def linear(x, name):
        return F.linear(x, w[name + ".weight"], w.get(name + ".bias"))

    b, t = tokens.shape
    x = w["transformer.wte.weight"][tokens] + w["transformer.wpe.weight"][:t]
    mask = torch.full((t, t), -math.inf).triu(1)
    for i in range(layers):
        h = f"transformer.h.{i}."
        q, k, v = [
            part.reshape(b, t, heads, d // heads).transpose(1, 2)
            for part in linear(norm(x, h + "ln_1"), h + "attn.c_attn").split(d, dim=2)
        ]
        weights = (q @ k.transpose(2, 3) / math.sqrt(d // heads) + mask).softmax(-1)
        x = x + linear((weights @ v).transpose(1, 2).reshape(b, t, d), h + "attn.c_proj")
        x = x + linear(F.gelu(linear(norm(x, h + "ln_2"), h + "mlp.c_fc")), h + "mlp.c_proj")
    return F.linear(norm(x, "transformer.ln_f"), w["lm_head.weight"])


for name, bias, tied in [("tied", False, True), ("separate", True, False)]:
    generator = torch.Generator().manual_seed(7)
    w = state(bias, tied, generator)
    arguments = dict(
        n_layer=layers, n_head=heads, n_embd=d, block_size=length, bias=bias, vocab_size=vocabulary, dropout=0.0)
    torch.save(
        {
            "model": {"_orig_mod." + key: value for key, value in w.items()},
            "optimizer": {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 6e-4, "params": [0]}]},
            "model_args": arguments, "iter_num": 3, "best_val_loss": torch.tensor(1.25), "config": {"dataset": "x"},
        }, os.path.join(here, f"nanogpt-{name}.pt"))
    tokens = torch.randint(vocabulary, (2, length), generator=generator)
    save_file(
        {"tokens": tokens, "logits": logits(w, tokens)}, os.path.join(here, f"nanogpt-{name}.safetensors"))
