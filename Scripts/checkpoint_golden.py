#!/usr/bin/env python3
"""Golden values of published diffusion checkpoints' layouts (pip install torch==2.11.0 numpy), for Tests/SEDDTests/Golden/checkpoints.

    checkpoint_golden.py FOLDER

Writes small models in the layouts of MDLM, BD3-LM (one block as long as the text), RADD and Duo, with random weights, and what an implementation
in plain PyTorch, written from the papers' formulas, computes from them: laws of clean tokens, losses, gradients and reverse steps. Weights are
float32 and everything is computed in float64.

expected.safetensors, B sequences of L positions, n tokens, V states:
    x0, xt int64 [B, L]; t, sigma, sigma_rate [B]
    log_clean [B, L, n]        log p(token); -1e30 for what a carried-over token excludes
    loss [B]                   nats, with the weight of the likelihood bound
    grad/NAME                  gradient of the mean of `loss`, by the names of the weights without prefix
    step/size [1], step/probs [B, L, V]   the law of the state after one ancestral step
"""
import json
import math
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

WIDTH, HEADS, CONDITION, BLOCKS, LENGTH, TOKENS, FREQUENCIES = 8, 2, 4, 2, 9, 11, 256
FLOOR = 1e-3


def write_safetensors(path, tensors, metadata=None):
    kinds = {np.dtype(np.float32): "F32", np.dtype(np.int64): "I64"}
    header, data = ({"__metadata__": metadata} if metadata else {}), b""
    for name, array in tensors.items():
        array = np.ascontiguousarray(array)
        header[name] = {"dtype": kinds[array.dtype], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def shapes(states, adaln):
    d, c = WIDTH, CONDITION
    made = {"vocab_embed.embedding": [states, d]}
    if adaln:
        made |= {"sigma_map.mlp.0.weight": [c, FREQUENCIES], "sigma_map.mlp.0.bias": [c],
                 "sigma_map.mlp.2.weight": [c, c], "sigma_map.mlp.2.bias": [c]}
    for block in range(BLOCKS):
        p = f"blocks.{block}."
        made |= {p + "norm1.weight": [d], p + "attn_qkv.weight": [3 * d, d], p + "attn_out.weight": [d, d],
                 p + "norm2.weight": [d], p + "mlp.0.weight": [4 * d, d], p + "mlp.0.bias": [4 * d],
                 p + "mlp.2.weight": [d, 4 * d], p + "mlp.2.bias": [d]}
        made |= ({p + "adaLN_modulation.weight": [6 * d, c], p + "adaLN_modulation.bias": [6 * d]} if adaln
                 else {p + "norm1.bias": [d], p + "norm2.bias": [d]})
    made |= {"output_layer.norm_final.weight": [d], "output_layer.linear.weight": [states, d],
             "output_layer.linear.bias": [states]}
    made |= ({"output_layer.adaLN_modulation.weight": [2 * d, c], "output_layer.adaLN_modulation.bias": [2 * d]} if adaln
             else {"output_layer.norm_final.bias": [d]})
    return made


def draw(states, adaln, seed):
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes(states, adaln).items():
        values = torch.randn(shape, generator=generator) * 0.4
        weights[name] = 1 + values / 2 if name.endswith("weight") and "norm" in name else values
    return {name: values.float() for name, values in weights.items()}


def rotate(x, positions):
    """Rotary positions, halves of each head; x [B, L, heads, width]."""
    width = x.shape[-1]
    rates = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = positions[:, None].double() * rates
    cosine, sine = angles.cos()[None, :, None, :], angles.sin()[None, :, None, :]
    a, b = x[..., : width // 2], x[..., width // 2:]
    return torch.cat([a * cosine - b * sine, b * cosine + a * sine], dim=-1)


def attend(x, w, prefix, positions, allowed):
    b, l, d = x.shape
    q, k, v = (x @ w[prefix + "attn_qkv.weight"].T).view(b, l, 3, HEADS, d // HEADS).unbind(2)
    q, k = rotate(q, positions), rotate(k, positions)
    logits = torch.einsum("blhw,bmhw->bhlm", q, k) / math.sqrt(d // HEADS)
    logits = logits.masked_fill(~allowed, -math.inf)
    mixed = torch.einsum("bhlm,bmhw->blhw", logits.softmax(-1), v).reshape(b, l, d)
    return mixed @ w[prefix + "attn_out.weight"].T


def network(w, tokens, sigma, positions=None, allowed=None):
    """Outputs of the head [B, L, V]; sigma [B] where there is adaLN, else None."""
    length = tokens.shape[1]
    positions = torch.arange(length) if positions is None else positions
    allowed = torch.ones(length, length, dtype=torch.bool) if allowed is None else allowed
    adaln = "sigma_map.mlp.0.weight" in w
    if adaln:
        rates = torch.exp(-math.log(10000) * torch.arange(FREQUENCIES // 2, dtype=torch.float64) / (FREQUENCIES // 2))
        waves = torch.cat([(sigma[:, None] * rates).cos(), (sigma[:, None] * rates).sin()], dim=1)
        middle = F.silu(waves @ w["sigma_map.mlp.0.weight"].T + w["sigma_map.mlp.0.bias"])
        condition = F.silu(middle @ w["sigma_map.mlp.2.weight"].T + w["sigma_map.mlp.2.bias"])

    def modulation(prefix, parts):
        made = condition @ w[prefix + "adaLN_modulation.weight"].T + w[prefix + "adaLN_modulation.bias"]
        return made[:, None, :].chunk(parts, dim=-1)

    def norm(x, name):
        centred = (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt()
        return centred * w[name + ".weight"] + (0 if adaln else w[name + ".bias"])

    x = w["vocab_embed.embedding"][tokens]
    for block in range(BLOCKS):
        p = f"blocks.{block}."
        shift1, scale1, gate1, shift2, scale2, gate2 = modulation(p, 6) if adaln else (0, 0, 1, 0, 0, 1)
        x = x + gate1 * attend(norm(x, p + "norm1") * (1 + scale1) + shift1, w, p, positions, allowed)
        h = norm(x, p + "norm2") * (1 + scale2) + shift2
        h = F.gelu(h @ w[p + "mlp.0.weight"].T + w[p + "mlp.0.bias"], approximate="tanh")
        x = x + gate2 * (h @ w[p + "mlp.2.weight"].T + w[p + "mlp.2.bias"])
    shift, scale = modulation("output_layer.", 2) if adaln else (0, 0)
    x = norm(x, "output_layer.norm_final") * (1 + scale) + shift
    return x @ w["output_layer.linear.weight"].T + w["output_layer.linear.bias"]


def block_diffusion(w, noised, clean, block):
    """BD3-LM in training: noised and clean text side by side, each noised block sees itself and the clean blocks before it."""
    length = noised.shape[1]
    place = torch.arange(2 * length)
    number, is_clean = (place % length) // block, place >= length
    q, k = number[:, None], number[None, :]
    q_clean, k_clean = is_clean[:, None], is_clean[None, :]
    allowed = ((q == k) & (q_clean == k_clean)) | ((q > k) & k_clean & ~q_clean) | ((q >= k) & k_clean & q_clean)
    both = torch.cat([noised, clean], dim=1)
    zero = torch.zeros(noised.shape[0], dtype=torch.float64)
    return network(w, both, zero, place % length, allowed)[:, :length]


def masked_law(logits, noised):
    """SUBS of MDLM: no mass on MASK, tokens carried over; [B, L, n]."""
    law = logits[..., :TOKENS].log_softmax(-1)
    carried = torch.full_like(law, -1e30).scatter(-1, noised.clamp(max=TOKENS - 1)[..., None], 0.0)
    return torch.where((noised == TOKENS)[..., None], law, carried)


def masked_loss(law, clean, noised, sigma, rate):
    """Weighted cross entropy over masked positions, weight -alpha' / (1 - alpha) = sigma' / (e^sigma - 1)."""
    nats = -law.gather(-1, clean[..., None])[..., 0]
    return (torch.where(noised == TOKENS, nats, 0) * (rate / torch.expm1(sigma))[:, None]).sum(1)


def masked_step(law, noised, now, later):
    """From MASK to v with (alpha_s - alpha_t) / (1 - alpha_t) p(v); a token stays."""
    alpha_t, alpha_s = (-now).exp()[:, None, None], (-later).exp()[:, None, None]
    open_ = torch.cat([(alpha_s - alpha_t) / (1 - alpha_t) * law.exp(),
                       ((1 - alpha_s) / (1 - alpha_t)).expand(-1, law.shape[1], 1)], dim=-1)
    return torch.where((noised == TOKENS)[..., None], open_, F.one_hot(noised, TOKENS + 1).double())


def uniform_loss(law, clean, noised, sigma, rate):
    """The bound of UDLM in continuous time (arXiv 2412.10193): a sum over all states with barred laws V alpha x + 1 - alpha."""
    size, alpha = law.shape[-1], (-sigma).exp()[:, None, None]
    model = size * alpha * law.exp() + 1 - alpha
    truth = size * alpha * F.one_hot(clean, size).double() + 1 - alpha
    own_model, own_truth = model.gather(-1, noised[..., None]), truth.gather(-1, noised[..., None])
    ratio = truth / own_truth
    inner = size / own_truth - size / own_model - (ratio * (own_model * truth / (model * own_truth)).log()).sum(-1, keepdim=True)
    # alpha' / (V alpha) = -sigma' / V.
    return (-rate[:, None] / size * inner[..., 0]).sum(1)


def uniform_step(law, noised, now, later):
    """The posterior of a state at s, given that at t and the mean law."""
    size, x = law.shape[-1], law.exp()
    alpha_t, alpha_s = (-now).exp()[:, None, None], (-later).exp()[:, None, None]
    between, hot = alpha_t / alpha_s, F.one_hot(noised, law.shape[-1]).double()
    top = alpha_t * size * x * hot + (between - alpha_t) * hot + (alpha_s - alpha_t) * x \
        + (1 - between) * (1 - alpha_s) / size
    return top / (alpha_t * size * x.gather(-1, noised[..., None]) + 1 - alpha_t)


LAYOUTS = {
    "mdlm": dict(model_type="mdlm", vocab_size=TOKENS + 1, model_length=LENGTH, hidden_dim=WIDTH, cond_dim=CONDITION,
                 n_blocks=BLOCKS, n_heads=HEADS, dropout=0.1, time_conditioning=False, architectures=["MDLM"],
                 return_dict=False, torch_dtype="float32", transformers_version="4.40.0"),
    "bd3lm": dict(model_type="bd3lm", block_size=LENGTH, vocab_size=TOKENS + 1, model_length=LENGTH, cross_attn=True,
                  adaln=True, attn_backend="sdpa", causal=False, hidden_dim=WIDTH, cond_dim=CONDITION, n_blocks=BLOCKS,
                  n_heads=HEADS, dropout=0.1, time_conditioning=False, var_min=True, sampling_eps_min=1e-3,
                  sampling_eps_max=0.999, architectures=["BD3LM"], return_dict=False, transformers_version="4.40.0"),
    "duo": dict(model_type="DUO", vocab_size=TOKENS, model_length=LENGTH, causal=False, hidden_dim=WIDTH,
                cond_dim=CONDITION, n_blocks=BLOCKS, n_heads=HEADS, dropout=0.1, architectures=["DUO"],
                return_dict=False, torch_dtype="float32", transformers_version="4.40.0"),
    "radd": dict(ngpus=1, tokens=TOKENS, model=dict(name="small_radd", type="ddit_wot", hidden_size=WIDTH,
                 cond_dim=CONDITION, length=LENGTH, n_blocks=BLOCKS, n_heads=HEADS, dropout=0.02, use_checkpoint=False,
                 dtype="float32"), noise=dict(type="loglinear", sigma_min=1e-4, sigma_max=20),
                 training=dict(loss_type="lambda_DCE", ema=0.9999)),
}


def make(layout, folder, seed):
    os.makedirs(folder, exist_ok=True)
    states = TOKENS if layout == "duo" else TOKENS + 1
    weights = draw(states, layout != "radd", seed)
    prefix = "" if layout == "radd" else "backbone."
    inverse = (1 / 10000.0 ** (np.arange(0, WIDTH // HEADS, 2) / (WIDTH // HEADS))).astype(np.float32)
    stored = {prefix + name: values.numpy() for name, values in weights.items()}
    write_safetensors(os.path.join(folder, "model.safetensors"), stored | {prefix + "rotary_emb.inv_freq": inverse},
                      {"format": "pt"})
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(LAYOUTS[layout], file, indent=1)
        file.write("\n")

    generator = torch.Generator().manual_seed(seed + 100)
    times = torch.tensor([0.03, 0.5, 0.95], dtype=torch.float64).float().double()
    size = 0.02
    sigma_at = lambda t: -torch.log1p(-(1 - FLOOR) * t)
    sigma, rate = sigma_at(times), (1 - FLOOR) / (1 - (1 - FLOOR) * times)
    later = sigma_at(times - size)
    clean = torch.randint(TOKENS, (3, LENGTH), generator=generator)
    moved = torch.rand(3, LENGTH, generator=generator) < -torch.expm1(-sigma)[:, None]
    moved[:, 4] = True
    fresh = torch.randint(TOKENS, (3, LENGTH), generator=generator) if layout == "duo" else torch.full((3, LENGTH), TOKENS)
    noised = torch.where(moved, fresh, clean)

    w = {name: values.double().requires_grad_() for name, values in weights.items()}
    zero = torch.zeros(3, dtype=torch.float64)
    if layout == "duo":
        law = network(w, noised, sigma).log_softmax(-1)
        loss, step = uniform_loss(law, clean, noised, sigma, rate), uniform_step(law, noised, sigma, later)
    else:
        logits = (block_diffusion(w, noised, clean, LENGTH) if layout == "bd3lm"
                  else network(w, noised, None if layout == "radd" else zero))
        law = masked_law(logits, noised)
        loss, step = masked_loss(law, clean, noised, sigma, rate), masked_step(law, noised, sigma, later)
    loss.mean().backward()
    expected = {"x0": clean.numpy(), "xt": noised.numpy(), "step/size": np.array([size], dtype=np.float32)}
    for name, values in dict(t=times, sigma=sigma, sigma_rate=rate, log_clean=law, loss=loss, **{"step/probs": step}).items():
        expected[name] = values.detach().float().numpy()
    for name, values in w.items():
        expected["grad/" + name] = values.grad.float().numpy()
    write_safetensors(os.path.join(folder, "expected.safetensors"), expected)
    total = step.sum(-1).detach()
    assert torch.allclose(total, torch.ones_like(total)), total
    print(f"{layout}: losses {[round(x, 4) for x in loss.tolist()]}")


if __name__ == "__main__":
    for number, layout in enumerate(LAYOUTS):
        make(layout, os.path.join(sys.argv[1], layout), 17 + number)
