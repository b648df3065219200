#!/usr/bin/env python3
"""The pages of docs/ as articles of a DocC catalog: links between pages become <doc:...>, those to files of the repository text.

    Scripts/articles.py docs Sources/SEDD/SEDD.docc/Pages
"""
import pathlib
import re
import shutil
import sys

PAGES = [  # in the order in which the site lists them
    "GUIDE", "EVALUATING", "SERVING", "DEPLOYING", "MODEL_CARD", "TRAINING", "MODELS", "INSTALL", "CONFIGURATION",
    "PERFORMANCE", "VALIDATION", "ABLATION", "LIMITS", "STABILITY", "ARCHITECTURE",
]
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")


def article(text, present):
    """DocC requires an abstract behind the title and resolves links by the name of an article."""

    def replaced(match):
        image, label, target = match.groups()
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            return match.group(0)
        page, _, anchor = target.partition("#")
        stem = pathlib.PurePosixPath(page).stem
        if image or target.startswith("#"):
            return label
        if page.endswith(".md") and "/" not in page and stem in present:
            return f"[{label}](doc:{stem})"
        return label

    blocks = re.split(r"(^```.*?^```$)", text, flags=re.S | re.M)
    return "".join(block if block.startswith("```") else LINK.sub(replaced, block) for block in blocks)


def main():
    source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    present = [name for name in PAGES if (source / f"{name}.md").exists()]
    if not present:
        sys.exit(f"{source}: none of the documentation's pages is here; run this in the repository")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in present:
        text = (source / f"{name}.md").read_text()
        text = re.sub(r"\A<!--.*?-->\n*", "", text, flags=re.S)
        (target / f"{name}.md").write_text(article(text, present))


main()
