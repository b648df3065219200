#!/usr/bin/env python3
"""Vocabularies as Hugging Face's trainer learns them (pip install tokenizers), for `sedd tokenizer train`.

    bpe_golden.py golden FILE                  writes Tests/TextTests/Golden/bpe-training.json
    bpe_golden.py compare SEDD SIZE TEXT...    trains both on each text and compares the files byte for byte
"""
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

FILES = ["tokenizer.json", "vocab.json", "merges.txt"]


def train(text, size, frequency, specials, folder):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, min_frequency=frequency, special_tokens=specials, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    start = time.process_time()
    tokenizer.train_from_iterator([text], trainer)
    seconds = time.process_time() - start
    os.makedirs(folder, exist_ok=True)
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    tokenizer.model.save(folder)
    return seconds


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return "%016x" % value


def cases():
    draw = random.Random(11)
    words = lambda letters, count, longest: " ".join(
        "".join(draw.choice(letters) for _ in range(draw.randint(1, longest))) for _ in range(count))
    end = "<|endoftext|>"
    yield "nothing to merge", "x", 300, 1, []
    yield "runs", "a" * 30 + " " + "aaaa " * 7 + "aaa aa " * 5 + "b" * 9 + "ab" * 12, 300, 2, []
    yield "runs down to one", "aaaaaaa bbbbb aaab " * 3, 400, 0, [end]
    yield "ties go to the smaller ids", " ".join("".join(p) for p in itertools.product("abc", repeat=3)), 290, 2, []
    yield "one text by two splits", "abc abcd bcd xabc ab bc cab abcabc bcabca " * 3, 400, 1, []
    yield "many splits", words("abc", 60, 12), 380, 1, []
    yield "frequency is an edge", "ab " * 5 + "cd " * 4 + "ef " * 3 + "gh " * 2 + "ij", 400, 4, []
    yield "frequency zero", "ab cd ab ef", 400, 0, []
    yield "the size is an edge", words("etaoin", 40, 6), 260, 2, [end]
    yield "no room for a merge", "aa aa aa", 257, 2, [end]
    yield "a special token that merges make", words("ab", 30, 6), 330, 1, ["aa", end, "abab"]
    yield "a special token that is a byte", "axbx ax bx ax", 300, 1, ["a", "\\\"", "日\n"]
    yield "scripts", "мир и мир\r\nκόσμος κόσμος 日本語 日本 العالم العالم नमस्ते नमस्ते 👍👍 café café ½ Ⅷ12 12's it's " * 2, 420, 2, [end]
    yield "spaces", "a  b   c\n\n d \n\n\te\u3000\u3000f\u00a0 \u2028g  \n", 320, 1, []
    yield "marks within the text", ("One day.\n" + end + "\nOne more day.\n" + end + "\n") * 3, 320, 2, [end]
    yield "letters and digits", words("abcdefghijklmnopqrstuvwxyz0123456789'.", 120, 9), 420, 2, []


def golden(path):
    rows = []
    for name, text, size, frequency, specials in cases():
        with tempfile.TemporaryDirectory() as folder:
            train(text, size, frequency, specials, folder)
            data = {file: open(os.path.join(folder, file), "rb").read() for file in FILES}
        merges = data["merges.txt"].decode().split("\n")[1:-1]
        rows.append({
            "name": name, "text": text, "size": size, "minimumFrequency": frequency, "specials": specials,
            "count": len(json.loads(data["vocab.json"])), "merges": merges,
            "fingerprints": [fnv(data[file]) for file in FILES]})
    with open(path, "w", encoding="utf8") as file:
        file.write("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n")


def compare(sedd, size, texts):
    same = True
    for path in texts:
        text = open(path, encoding="utf8", newline="").read()
        with tempfile.TemporaryDirectory() as folder:
            theirs = train(text, size, 2, ["<|endoftext|>"], folder + "/theirs")
            before = os.times()
            subprocess.run(
                [sedd, "tokenizer", "train", "--data", path, "--size", str(size), "--special", "<|endoftext|>",
                 "--output", folder + "/ours"], check=True, capture_output=True)
            after = os.times()
            ours = after.children_user + after.children_system - before.children_user - before.children_system
            equal = [open(f"{folder}/theirs/{file}", "rb").read() == open(f"{folder}/ours/{file}", "rb").read()
                     for file in FILES]
        same = same and all(equal)
        print(f"{path}: {'equal' if all(equal) else 'DIFFERENT'}; processor seconds: "
              f"theirs {theirs:.2f}, ours {ours:.2f}, ratio {theirs / ours:.1f}", flush=True)
    return same


if sys.argv[1:2] == ["golden"] and len(sys.argv) == 3:
    golden(sys.argv[2])
elif sys.argv[1:2] == ["compare"] and len(sys.argv) > 4:
    sys.exit(0 if compare(sys.argv[2], int(sys.argv[3]), sys.argv[4:]) else 1)
else:
    sys.exit(__doc__)
