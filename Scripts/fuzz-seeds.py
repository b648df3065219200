#!/usr/bin/env python3
"""Writes small inputs for each fuzzing target into OUT/TARGET/: valid files for the fuzzer to mutate.

usage: fuzz-seeds.py REPOSITORY OUT
"""
import json
import os
import struct
import sys

root, out = sys.argv[1], sys.argv[2]


def seed(target, name, data):
    folder = os.path.join(out, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


header = json.dumps({
    "__metadata__": {"format": "pt"},
    "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
    "b": {"dtype": "BF16", "shape": [1, 2], "data_offsets": [8, 12]},
})
seed("safetensors", "two", header.encode() + b"\0" + bytes(12))
seed("safetensors", "null", '{"__metadata__":null,"e":{"dtype":"I64","shape":[0],"data_offsets":[0,0],"x":[1]}}\0')
seed("weights", "safetensors", struct.pack("<Q", len(header)) + header.encode() + bytes(12))
seed("weights", "pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 578452\n")
seed("weights", "page", "<!doctype html><html>")
golden = os.path.join(root, "Tests/TensorFilesTests/Golden")
for name in sorted(os.listdir(golden)):
    if name.endswith(".py"):
        continue
    data = open(os.path.join(golden, name), "rb").read()
    seed("weights", name, data)
    magic = data.find(b"\x50\x19\x2e\x80\x02\x4d\xe9\x03\x2e")
    if magic >= 0:
        # After the description of the machine, the third pickle.
        third = data.index(b"u.", magic) + 2
        seed("pickle", name, data[third:])
    start = data.find(b"\x80\x02}") if data[:2] == b"PK" else -1
    if start >= 0:
        seed("pickle", "zip-" + name, data[start:data.index(b"PK", start)] + b"\x80\x02]q\x00.")
seed("index", "one", json.dumps({"metadata": {"total_size": 0}, "weight_map": {"w": "a.safetensors"}}))
seed("index", "none", '{"weight_map":{}}')
for name, text in {
    "all": '{"a":[1,-2.5e3,true,false,null,"\\u00e9\\ud83d\\ude00\\n"],"b":{}}', "numbers": "[9223372036854775807,-9223372036854775808,18446744073709551615,1e400,-0,0.1]",
    "python": "[NaN,Infinity,-Infinity]", "half": '"\\ud800"',
}.items():
    seed("json", name, text)


def alphabet():
    printable = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    letters = {byte: chr(byte) for byte in printable}
    for extra, byte in enumerate(b for b in range(256) if b not in printable):
        letters[byte] = chr(256 + extra)
    return [letters[byte] for byte in range(256)]


letters = alphabet()
vocabulary = {letter: place for place, letter in enumerate(letters)}
vocabulary.update({"he": 256, "ll": 257, "hell": 258, "<|endoftext|>": 259})
seed("bytepair", "small", json.dumps(vocabulary, ensure_ascii=False) + "\0#version: 0.2\nh e\nl l\nhe ll\n\0hello hell <|endoftext|>")
seed("bytepair", "escaped", json.dumps(vocabulary) + "\0h e\n\0he")
byte_level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
published = {
    "version": "1.0", "added_tokens": [{"id": 259, "content": "<|endoftext|>", "special": True, "normalized": False, "lstrip": True}],
    "normalizer": None, "pre_tokenizer": byte_level, "post_processor": None, "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": vocabulary, "merges": [["h", "e"], ["l", "l"], ["he", "ll"]], "ignore_merges": False},
}
expression = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
splitting = {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": False}
for name, changes in {
    "gpt2": {}, "merges": {"model": {**published["model"], "merges": ["h e", "l l"], "type": None}},
    "llama3": {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [splitting, {**byte_level, "use_regex": False}]}},
    "nfc": {"normalizer": {"type": "NFC"}, "model": {**published["model"], "ignore_merges": True}},
}.items():
    seed("tokenizer", name, json.dumps({**published, **changes}, ensure_ascii=False) + "\0hello hell e\u0301 <|endoftext|> 1234")
seed("characters", "abc", "abc\n\0cab\nb")
seed("characters", "wide", "é😀 \0😀 é")
seed("tokens", "small", struct.pack("<6H", 1, 2, 3, 65, 66, 67))
seed("tokens", "foreign", struct.pack("<256i", 20240520, 1, 4, *([0] * 253)) + struct.pack("<4H", 1, 2, 3, 4))
own = os.path.join(out, "tokens")
for first, text in enumerate([
    "hello world, this is a text\n", '{"text": "a row"}\n{"text": "another row"}\n', '[{"text": "a"}, {"text": "b"}]', "\x01\x00\x02\x00" * 8,
]):
    for name in range(0, 40, 4):
        seed("texts", f"{first}-{name}", bytes([first + name]) + text.encode())
seed("texts", "bom", b"\x00\xef\xbb\xbfone\r\ntwo\r\n" + b"x" * 40)
network = {
    "tokens": 3, "graph": {"type": "absorb"}, "noise": {"type": "loglinear"}, "tokenizer": "byte",
    "model": {
        "hidden_size": 4, "cond_dim": 2, "length": 4, "n_blocks": 1, "n_heads": 1, "scale_by_sigma": True, "dropout": 0.1,
    },
}
gpt2 = {
    "model_type": "gpt2", "vocab_size": 10, "n_positions": 8, "n_embd": 6, "n_layer": 1, "n_head": 3, "bos_token_id": 0,
}
for target in ("config", "model"):
    seed(target, "diffusion", json.dumps(network))
    seed(target, "gpt2", json.dumps(gpt2))
published = os.path.join(root, "Tests", "SEDDTests", "Golden", "checkpoints")
for layout in sorted(os.listdir(published)):
    for target in ("config", "model", "hydra"):
        seed(target, layout, open(os.path.join(published, layout, "config.json"), "rb").read())
seed("hydra", "diffusion", json.dumps(network))
seed("hydra", "yaml", "tokens: 3\ngraph: {type: uniform}\nnoise: {type: geometric, sigma_min: 1.0e-4, sigma_max: 20}\nmodel:\n  hidden_size: 4\n  cond_dim: 2\n  length: 4\n  n_blocks: 1\n  n_heads: 1\n  scale_by_sigma: false\n  dropout: 0.1\n")
for name in sorted(os.listdir(os.path.join(root, "Configurations"))):
    if name.endswith(".yaml"):
        seed("run", name, open(os.path.join(root, "Configurations", name), "rb").read())
seed("run", "anchors", "a: &a [1, 2]\nb: *a\nmodel: {<<: {length: 3}}\n")
for place, text in enumerate(["optim.lr=1e-3", "model.length=64", "data.files=[a, b]", "training.n_iters=9223372036854775807"]):
    seed("override", str(place), text)
for place, text in enumerate(["a [[12]] b [[*]]", "[[*]]", "\\[[3]] [[1]]", "[[4]][[*]][[*]]", "a[[[3]]]"]):
    seed("template", str(place), text)
