#!/usr/bin/env python3
"""Ids as Hugging Face's tokenizers gives them (pip install tokenizers), for `--tokenizer hf:PATH`.

    tokenizer_golden.py golden FILE              writes Tests/TextTests/Golden/tokenizer-json.json
    tokenizer_golden.py compare SEDD COUNT SEED  compares COUNT odd strings for each form of tokenizer.json
"""
import json
import os
import random
import subprocess
import sys
import tempfile

os.environ["TOKENIZERS_PARALLELISM"] = "false"

LINES = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")
TEXT = ("The cat's on the mat, isn't it? We'll see; they've 12 or 345 of them.\n\n  def f(x):\n\t\treturn x + 1\n"
        "мир и война, 日本語のテキスト, ελληνικά, हिन्दी पाठ, café naïve é ½ 👍👩‍👩‍👧\r\n") * 40
FRAGMENTS = [
    "'s", "'S", "'t", "'re", "'VE", "'ll", "'Ll", "'ſ", "’s", "'", " '", "the", " The", "cat", "\r\n", "\n", "\r", "  ",
    "   ", "\t", "\t\t", "\n\n", "12", "1234567", "...", "é", "e\u0301", "E\u0302\u0301", "日本", "мир", "👩‍👩‍👧", "\u00a0",
    "\u2028", "\u3000", "\u0085", "\x1c", "\u180e", "\u200b", "\u0301", "²", "Ⅷ", "½", "<|endoftext|>", "<|im_start|>",
    "<|begin_of_text|>", "<tool_call>", "<mask>", " <mask> ", "[SEP]  ", "<a>", " <a> ", "<b>  ", "é!", "e\u0301!",
    "\u1100\u1161\u11a8", "각\u11a8", "가\u11a8", "\u212b", "क\u093c", "ｶﾞ", "\u0344", "\u0f73", "x ", "x", "_", "hello world",
    "def f(x):\n        return", " \n \n x", "!!\n\n", "?\r\n x", "a\u0323\u0307", "\u2126", "ſt", "ß", "İ", "\U000b00d5",
    "\u0d3b", "\U000328b2",
]


def forms(size):
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    def made(pre, specials, normalizer=None, ignore=False):
        tokenizer = Tokenizer(models.BPE(ignore_merges=ignore))
        tokenizer.pre_tokenizer = pre
        tokenizer.decoder = decoders.ByteLevel()
        if normalizer:
            tokenizer.normalizer = normalizer
        tokenizer.train_from_iterator([TEXT], trainers.BpeTrainer(
            vocab_size=size, min_frequency=2, show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
        tokenizer.add_special_tokens(specials)
        return tokenizer

    def bytes_of(regex):
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=regex)

    def lines(pattern):
        return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), bytes_of(False)])

    qwen = LINES.replace(r"\p{N}{1,3}", r"\p{N}")
    yield "gpt2", made(bytes_of(True), ["<|endoftext|>"])
    codegen = made(bytes_of(True), ["<|endoftext|>"])
    codegen.add_tokens([AddedToken(" " * n, normalized=True) for n in range(31, 1, -1)]
                       + [AddedToken("\t" * n, normalized=True) for n in range(9, 1, -1)])
    yield "codegen", codegen
    llama = made(lines(LINES), ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"], ignore=True)
    llama.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=True), processors.TemplateProcessing(
            single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", size)])])
    yield "llama3", llama
    qwen2 = made(lines(qwen), ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], normalizers.NFC())
    qwen2.add_tokens([AddedToken("<tool_call>", normalized=False), AddedToken("</tool_call>", normalized=False)])
    qwen2.post_processor = processors.ByteLevel(trim_offsets=False)
    yield "qwen2", qwen2
    flags = made(lines(qwen), ["<|endoftext|>", AddedToken("<mask>", lstrip=True, special=True),
                               AddedToken("[SEP]", rstrip=True, special=True)], normalizers.NFC())
    flags.add_tokens([
        AddedToken("é!", normalized=True), AddedToken("the", single_word=True, normalized=False),
        AddedToken("cat", single_word=True, normalized=True), AddedToken("<a>", lstrip=True, rstrip=True, normalized=False),
        AddedToken("<b>", lstrip=True, rstrip=True, normalized=True), AddedToken("  ", normalized=False),
        AddedToken("<|endoftext|>y", normalized=False)])
    yield "flags", flags


def saved(name, tokenizer, folder):
    """The file, for Llama-3 with a merge in twenty taken out, so that some tokens are reached as whole pieces alone."""
    path = os.path.join(folder, "tokenizer.json")
    tokenizer.save(path)
    data = json.load(open(path, encoding="utf8"))
    if name == "llama3":
        kept, gone = [], set()
        for index, (left, right) in enumerate(data["model"]["merges"]):
            if left in gone or right in gone or index % 20 == 7:
                gone.add(left + right)
            else:
                kept.append([left, right])
        data["model"]["merges"] = kept
    if name == "codegen":
        data["model"]["merges"] = [" ".join(pair) for pair in data["model"]["merges"]]
    with open(path, "w", encoding="utf8") as file:
        json.dump(data, file, ensure_ascii=False)
    return path, data


def odd(draw):
    text = ""
    for _ in range(draw.randint(1, 25)):
        if draw.random() < 0.75:
            text += draw.choice(FRAGMENTS)
        else:
            value = draw.randrange(draw.choice([0x80, 0x250, 0x800, 0x3000, 0x10000, 0x110000]))
            text += " " if 0xD800 <= value < 0xE000 else chr(value)
    return text


def ids(tokenizer, text, specials):
    tokenizer.encode_special_tokens = not specials
    return tokenizer.encode(text, add_special_tokens=False).ids


def golden(path):
    from tokenizers import Tokenizer

    draw = random.Random(3)
    rows = []
    for name, tokenizer in forms(420):
        with tempfile.TemporaryDirectory() as folder:
            file, data = saved(name, tokenizer, folder)
            tokenizer = Tokenizer.from_file(file)
        texts = FRAGMENTS + [odd(draw) for _ in range(100)]
        rows.append({"name": name, "json": json.dumps(data, ensure_ascii=False), "cases": [
            {"text": text, "ids": ids(tokenizer, text, False), "specials": ids(tokenizer, text, True)}
            for text in texts]})
    with open(path, "w", encoding="utf8") as file:
        file.write("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n")


def compare(sedd, count, seed):
    from tokenizers import Tokenizer

    draw = random.Random(seed)
    texts = [odd(draw) for _ in range(count)]
    lines = "\n".join(json.dumps(text, ensure_ascii=False) for text in texts) + "\n"
    different = 0
    for name, tokenizer in forms(3000):
        with tempfile.TemporaryDirectory() as folder:
            file, _ = saved(name, tokenizer, folder)
            tokenizer = Tokenizer.from_file(file)
            for specials in (False, True):
                run = subprocess.run(
                    [sedd, "tokenize", "--jsonl", "--tokenizer", "hf:" + file] + ["--specials"] * specials,
                    input=lines, capture_output=True, text=True, check=True)
                found = [json.loads(line) for line in run.stdout.splitlines()]
                wrong = [text for text, have in zip(texts, found) if have != ids(tokenizer, text, specials)]
                wrong += texts[len(found):]
                different += len(wrong)
                print(f"{name}, {'special tokens' if specials else 'text'}: {len(texts)} strings, {len(wrong)} different",
                      *[ascii(text) for text in wrong[:3]], flush=True)
    return different == 0


if sys.argv[1:2] == ["golden"] and len(sys.argv) == 3:
    golden(sys.argv[2])
elif sys.argv[1:2] == ["compare"] and len(sys.argv) == 5:
    sys.exit(0 if compare(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])) else 1)
else:
    sys.exit(__doc__)
