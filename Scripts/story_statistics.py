#!/usr/bin/env python3
"""Statistics of sampled texts beside the texts that a model was trained on: known words, equal samples, copied passages.

    sedd sample --model stories --count 200 --jsonl > samples.jsonl
    Scripts/story_statistics.py --samples samples.jsonl --training train-*.txt
"""
import argparse
import json
import pathlib
import re


def words(text):
    """Words in lower case; an apostrophe within a word belongs to it."""
    return re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower().replace("\u2019", "'"))


def runs(tokens, length):
    return {tuple(tokens[i : i + length]) for i in range(len(tokens) - length + 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", required=True, type=pathlib.Path, help="lines of sedd sample --jsonl")
    parser.add_argument("--training", required=True, nargs="+", type=pathlib.Path)
    parser.add_argument("--run", type=int, default=12, help="words of a passage that counts as copied (default 12)")
    parser.add_argument("--held-out", type=pathlib.Path, help="texts of the same kind, for comparison: the first 400 are used")
    options = parser.parse_args()
    texts = [json.loads(line)["text"] for line in options.samples.read_text().splitlines()]
    known, passages = set(), set()
    for path in options.training:
        tokens = words(path.read_text())
        known.update(tokens)
        passages |= runs(tokens, options.run)
    found = [words(text) for text in texts]
    total = sum(map(len, found))
    unknown = [word for sample in found for word in sample if word not in known]
    copied = sum(bool(runs(sample, options.run) & passages) for sample in found)
    late = sum(bool(runs(sample[options.run :], options.run) & passages) for sample in found)
    print(f"samples        {len(texts)}, {len(set(texts))} different")
    print(f"words          {total}, {total / max(1, len(texts)):.0f} a sample")
    print(f"known          {100 * (1 - len(unknown) / max(1, total)):.2f} % of the words are words of the training texts")
    print(f"copied         {copied} samples hold a run of {options.run} words of the training texts")
    print(f"copied later   {late} hold one that begins after their first {options.run} words")
    if options.held_out:
        others = [text for text in options.held_out.read_text().split("<|endoftext|>") if text.strip()][:400]
        copied = sum(bool(runs(words(text), options.run) & passages) for text in others)
        print(f"held out       {copied} of {len(others)} texts hold such a run")
    print(f"unknown words  {', '.join(dict.fromkeys(unknown[:24]))}")


if __name__ == "__main__":
    main()
