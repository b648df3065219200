"""A plain PyTorch SEDD, for the comparison of speed: the published way of working, without tricks.

The whole network by autograd, logits of every position and every state [B, L, V], transition rows as dense [B, L, V], draws by
float32 Gumbel noise, AdamW and the moving average of PyTorch's ordinary kind. It prints one JSON object with the keys of
`sedd bench --json` that it can fill.
"""

import argparse
import json
import math
import resource
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F


class SigmaEmbedding(nn.Module):
    def __init__(self, width: int, frequencies: int = 256):
        super().__init__()
        self.frequencies = frequencies
        self.mlp = nn.Sequential(nn.Linear(frequencies, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, sigma):  # [B] -> [B, cond]
        half = self.frequencies // 2
        rates = torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float32, device=sigma.device) / half)
        angles = sigma[:, None] * rates[None]
        return self.mlp(torch.cat([angles.cos(), angles.sin()], dim=-1))


def norm(x, weight):
    with torch.autocast(x.device.type, enabled=False):
        return F.layer_norm(x.float(), [x.shape[-1]]) * weight


def modulate(x, shift, scale):
    return x * (1 + scale) + shift


def rotate(x, cosine, sine):  # [B, L, heads, width], half-split
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)


class Block(nn.Module):
    def __init__(self, d: int, heads: int, condition: int, dropout: float):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm1, self.norm2 = nn.Parameter(torch.ones(d)), nn.Parameter(torch.ones(d))
        self.qkv = nn.Linear(d, 3 * d, bias=False)
        self.out = nn.Linear(d, d, bias=False)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(approximate="tanh"), nn.Linear(4 * d, d))
        self.modulation = nn.Linear(condition, 6 * d)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x, condition, rotary):
        batch, length, d = x.shape
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(condition)[:, None].chunk(6, dim=2)
        qkv = self.qkv(modulate(norm(x, self.norm1), shift1, scale1)).view(batch, length, 3, self.heads, -1)
        with torch.autocast(x.device.type, enabled=False):
            cosine, sine = (part.to(qkv.dtype) for part in rotary)
            query, key = rotate(qkv[:, :, 0], cosine, sine), rotate(qkv[:, :, 1], cosine, sine)
        mixed = F.scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), qkv[:, :, 2].transpose(1, 2)
        ).transpose(1, 2).reshape(batch, length, d)
        x = x + gate1 * F.dropout(self.out(mixed), self.dropout, self.training)
        y = self.mlp(modulate(norm(x, self.norm2), shift2, scale2))
        return x + gate2 * F.dropout(y, self.dropout, self.training)


class SEDD(nn.Module):
    def __init__(self, tokens: int, d: int, heads: int, blocks: int, condition: int = 128, dropout: float = 0.1):
        super().__init__()
        self.states, self.head_width = tokens + 1, d // heads
        self.embedding = nn.Parameter(torch.empty(self.states, d))
        nn.init.kaiming_uniform_(self.embedding, a=math.sqrt(5))
        self.sigma = SigmaEmbedding(condition)
        self.blocks = nn.ModuleList([Block(d, heads, condition, dropout) for _ in range(blocks)])
        self.norm = nn.Parameter(torch.ones(d))
        self.modulation = nn.Linear(condition, 2 * d)
        self.head = nn.Linear(d, self.states)
        for layer in (self.modulation, self.head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, states, sigma):  # [B, L], [B] -> log-scores [B, L, V]
        length = states.shape[1]
        condition = F.silu(self.sigma(sigma))
        rates = 1.0 / 10000 ** (torch.arange(0, self.head_width, 2, device=states.device).float() / self.head_width)
        angles = torch.arange(length, device=states.device).float()[:, None] * rates
        rotary = angles.cos()[None, :, None], angles.sin()[None, :, None]
        x = self.embedding[states]
        with torch.autocast(states.device.type, dtype=torch.bfloat16, enabled=states.device.type == "cuda"):
            for block in self.blocks:
                x = block(x, condition, rotary)
            shift, scale = self.modulation(condition)[:, None].chunk(2, dim=2)
            logits = self.head(modulate(norm(x, self.norm), shift, scale))
        shift = torch.where(sigma < 0.5, torch.expm1(sigma), sigma.exp() - 1).log()
        logits = logits.float() - shift[:, None, None] - math.log(self.states - 1)
        return logits.scatter(-1, states[..., None], 0)


EPSILON = 1e-3


def noise(t):  # log-linear
    return -torch.log1p(-(1 - EPSILON) * t), (1 - EPSILON) / (1 - (1 - EPSILON) * t)


def loss(model, clean):
    mask = model.states - 1
    batch = clean.shape[0]
    t = (1 - EPSILON) * torch.rand(batch, device=clean.device) + EPSILON
    sigma, rate = noise(t)
    masked = torch.rand(clean.shape, device=clean.device) < (1 - torch.exp(-sigma))[:, None]
    noised = torch.where(masked, mask, clean)
    log_score = compiled(model)(noised, sigma)
    ratio = (1 / torch.expm1(sigma))[:, None].expand_as(clean)[masked]
    chosen = log_score[masked]
    positive = chosen[:, :-1].exp().sum(-1)
    negative = ratio * chosen.gather(-1, clean[masked][:, None]).squeeze(-1)
    entropy = torch.zeros(clean.shape, device=clean.device)
    entropy[masked] = positive - negative + ratio * (ratio.log() - 1)
    return (rate[:, None] * entropy).sum(-1).mean()


class Training:
    """One optimizer step: corrupt, forward, backward, clip, AdamW, moving average."""

    def __init__(self, model, decay: float = 0.9999):
        self.model, self.decay = model, decay
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
        self.average = [p.detach().clone() for p in model.parameters()]

    def step(self, clean):
        value = loss(self.model, clean)
        value.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        with torch.no_grad():
            for average, weight in zip(self.average, self.model.parameters()):
                average.sub_((1 - self.decay) * (average - weight))
        return value.item()


@torch.no_grad()
def reverse_step(model, states, template, t, dt):
    """An analytic step of the absorbing chain for every position, then the template set again."""
    mask = model.states - 1
    times = torch.full((states.shape[0],), t, device=states.device)
    sigma, earlier = noise(times)[0], noise(times - dt)[0]
    difference = (sigma - earlier)[:, None, None]
    score = compiled(model)(states, sigma).exp()
    rest = (1 - difference.exp()).squeeze(-1) * score.sum(-1)
    score = score * difference.exp()
    score[..., -1] += rest
    row = torch.exp(-difference) * F.one_hot(states, model.states)
    row = row + torch.where(states == mask, 1 - torch.exp(-difference).squeeze(-1), 0.0)[..., None]
    weights = score * row
    gumbel = 1e-10 - (torch.rand_like(weights) + 1e-10).log()
    drawn = (weights / gumbel).argmax(-1)
    return torch.where(template == mask, drawn, template)


def compiled(model):
    return model.__dict__.get("compiled_form", model)


def seconds(body, repeats, device):
    times = []
    for index in range(repeats + (3 if device == "cuda" or args.compile else 1)):
        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        body()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return statistics.median(times[-repeats:])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in [("tokens", 27), ("hidden", 192), ("heads", 4), ("blocks", 4), ("length", 128), ("batch", 16), ("repeats", 5)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--only", choices=["train", "sample"])
    args = parser.parse_args()
    if args.device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True

    torch.manual_seed(1)
    model = SEDD(args.tokens, args.hidden, args.heads, args.blocks).to(args.device)
    if args.compile:
        model.__dict__["compiled_form"] = torch.compile(model)
    clean = torch.randint(0, args.tokens, (args.batch, args.length), device=args.device)
    report = {"torch": torch.__version__, "compiled": args.compile, "device": args.device}
    if args.only != "sample":
        training = Training(model.train())
        report["train_step_seconds"] = seconds(lambda: training.step(clean), args.repeats, args.device)
        del training
        model.zero_grad(set_to_none=True)
    if args.only != "train":
        model.eval()
        template = torch.where(torch.arange(args.length, device=args.device) % 2 == 0, clean, args.tokens)
        report["sample_step_seconds"] = seconds(
            lambda: reverse_step(model, template, template, 1.0, (1 - 1e-5) / 128), args.repeats, args.device
        )
    report["parameters"] = sum(p.numel() for p in model.parameters())
    report["peak_rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    if args.device == "cuda":
        report["peak_device_bytes"] = torch.cuda.max_memory_allocated()
    print(json.dumps(report, sort_keys=True))
