#!/usr/bin/env python3
"""The picture of the README: how a text forms, from the snapshots that `sedd sample --show` prints on stderr.

    sedd sample --model MODEL --template 'Given text [[*]] and the end.' --show 2>&1 >/dev/null |
        python3 Scripts/forming.py > docs/images/forming.svg

What is given is in ink, what the model has written in colour, and an open position is a grey block.
"""
import re
import sys
from xml.sax.saxutils import escape

WIDTH, LINE, MARGIN, ADVANCE = 78, 19, 16, 8.4  # characters per line; pixels
SHOWN = 4  # snapshots in the picture


def snapshots(lines):
    """(title, text) of each snapshot; a title is `step 11 of 65  70 of 192 positions settled`."""
    found, current = [], None
    for line in lines:
        if re.match(r"step \d+ of \d+  ", line):
            current = [line.strip(), []]
            found.append(current)
        elif current is not None:
            current[1].append(line.rstrip("\n"))
    return [(title, "\n".join(text).strip("\n")) for title, text in found]


def given(first, text):
    """For each character of `text` whether it was given: those of the first snapshot around its open positions."""
    before, after = first.index("░"), len(first) - 1 - first.rindex("░")
    return [place < before or place >= len(text) - after for place in range(len(text))]


def wrapped(text, marks):
    """Lines of (character, is given), broken as a terminal would, with line ends shown as such."""
    characters = [("⏎" if c == "\n" else c, m) for c, m in zip(text, marks)]
    return [characters[start : start + WIDTH] for start in range(0, len(characters), WIDTH)]


def spans(line):
    result, start = [], 0
    kind = lambda item: "open" if item[0] == "░" else "given" if item[1] else "written"
    for place in range(1, len(line) + 1):
        if place == len(line) or kind(line[place]) != kind(line[start]):
            words = escape("".join(c for c, _ in line[start:place]))
            result.append(f'<tspan class="{kind(line[start])}">{words}</tspan>')
            start = place
    return "".join(result)


def main():
    every = snapshots(sys.stdin)
    if len(every) < 2 or "░" not in every[0][1]:
        sys.exit("forming: expected the snapshots of `sedd sample --show`, of a template with holes, on stdin")
    chosen = [every[round(i * (len(every) - 1) / (SHOWN - 1))] for i in range(SHOWN)]
    rows, y = [], MARGIN
    for title, text in chosen:
        y += LINE
        rows.append(f'<text class="title" x="{MARGIN}" y="{y}">{escape(title)}</text>')
        for line in wrapped(text, given(every[0][1], text)):
            y += LINE
            rows.append(f'<text x="{MARGIN}" y="{y}">{spans(line)}</text>')
        y += LINE // 2
    width, height = int(2 * MARGIN + WIDTH * ADVANCE), y + MARGIN
    print(
        f'<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Four snapshots of a text that forms between a given beginning and a given end">\n'
        "<style>text{font:14px ui-monospace,Menlo,Consolas,monospace;white-space:pre}"
        ".title{font-size:12px;fill:#6b7280}.given{fill:#111827}.written{fill:#0f766e}.open{fill:#9ca3af}</style>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#fafaf9"/>'
    )
    print("\n".join(rows))
    print("</svg>")


main()
