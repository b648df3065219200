#!/usr/bin/env python3
"""Checks that the relative links of all Markdown files resolve: files, headings within them, and DocC's <doc:...> articles.

    Scripts/links.py [FOLDER]    # prints every broken link, and fails if there is one

FOLDER is a copy of the documentation that is not a checkout; by default the files of the repository are checked.
"""
import pathlib
import re
import subprocess
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(([^()\s]+(?:\([^()\s]*\))?)\)")
HTML = re.compile(r"(?:src|href)=\"([^\"]+)\"")
ARTICLE = re.compile(r"<doc:([A-Za-z0-9_-]+)>")


def prose(text):
    """The text without code, in which brackets are not links."""
    text = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.S | re.M)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(path):
    """The anchors of a file's headings, by GitHub's rules."""
    found = {}
    text = re.sub(r"^(```|~~~).*?^\1", "", path.read_text(), flags=re.S | re.M)
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", text, flags=re.M):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        count = found.get(slug, -1) + 1
        found[slug] = count
        if count:
            found[f"{slug}-{count}"] = 0
    return found


def problems(path, articles):
    text = prose(path.read_text())
    for name in ARTICLE.findall(text):
        if name not in articles:
            yield f"<doc:{name}>"
    for link in LINK.findall(text) + HTML.findall(text):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / urllib.parse.unquote(target)) if target else path
        if not file.exists():
            yield link
        elif anchor and file.suffix == ".md" and urllib.parse.unquote(anchor) not in anchors(file):
            yield f"{link} (no such heading)"


def tracked():
    """The Markdown files of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT, check=True,
        capture_output=True, text=True,
    ).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).exists()]


def main():
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1]).resolve() if sys.argv[1:] else ROOT
    files = sorted(root.rglob("*.md")) if sys.argv[1:] else tracked()
    if not files:
        sys.exit(f"{root}: contains no Markdown files; expected a copy of the documentation")
    articles = {path.stem for path in files if path.parent.suffix == ".docc" or path.parent == root / "docs"}
    broken = [f"{path.relative_to(root)}: {problem}" for path in files for problem in problems(path, articles)]
    print("\n".join(broken) if broken else f"links: {len(files)} files, none broken")
    sys.exit(1 if broken else 0)


main()
