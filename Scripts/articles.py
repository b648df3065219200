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


CODE = re.compile(r"(^```.*?^```$)", flags=re.S | re.M)


def headings(text):
    """DocC's anchor of each heading, by the anchor that Markdown's readers give it."""
    found = {}
    for title in re.findall(r"^##+ (.+)$", CODE.sub("", text), flags=re.M):
        plain = title.replace("`", "")
        found[re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")] = re.sub(r"[^\w\-]+", "-", plain)
    return found


def article(name, pages):
    """A page with the links of DocC, which resolves them by the names of articles and their headings."""

    def replaced(match):
        image, label, target = match.groups()
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            return match.group(0)
        page, _, anchor = target.partition("#")
        stem = pathlib.PurePosixPath(page).stem if page else name
        if image or "/" in page or stem not in pages:
            return label
        place = headings(pages[stem])[anchor] if anchor else ""
        return f"[{label}](doc:{stem}{'#' if place else ''}{place})"

    return "".join(block if block.startswith("```") else LINK.sub(replaced, block) for block in CODE.split(pages[name]))


def main():
    source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    pages = {
        name: re.sub(r"\A<!--.*?-->\n*", "", (source / f"{name}.md").read_text(), flags=re.S)
        for name in PAGES if (source / f"{name}.md").exists()
    }
    if not pages:
        sys.exit(f"{source}: none of the documentation's pages is here; run this in the repository")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in pages:
        (target / f"{name}.md").write_text(article(name, pages))


main()
