#!/usr/bin/env python3
"""Man pages of sedd and its commands, from its own help: manual.py SEDD VERSION DATE FOLDER

argument-parser's own plugin would build the program a second time, in debug mode, to ask it the same.
"""
import json
import pathlib
import subprocess
import sys


def escaped(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def flag(argument: dict) -> str:
    """An option as a heading: names in bold, the value in italics."""
    names = ["\\fB" + escaped(("-" if name["kind"] == "short" else "--") + name["name"]) + "\\fR"
             for name in argument.get("names", [])]
    value = argument.get("valueName", "")
    if argument["kind"] == "positional":
        return f"\\fI{escaped(value)}\\fR" + (" ..." if argument.get("isRepeating") else "")
    return ", ".join(names) + (f" \\fI{escaped(value)}\\fR" if argument["kind"] == "option" else "")


def synopsis(name: str, command: dict) -> str:
    shown = [a for a in command.get("arguments", []) if a.get("shouldDisplay", True)]
    parts = [f"\\fB{escaped(name)}\\fR"]
    if command.get("subcommands"):
        parts.append("\\fIcommand\\fR")
    for argument in shown:
        names = [n["name"] for n in argument.get("names", [])]
        if "help" in names or "version" in names:
            continue
        text = flag(argument)
        parts.append(f"[{text}]" if argument.get("isOptional") else text)
    return " ".join(parts)


def prose(text: str) -> list[str]:
    """Paragraphs; lines that are indented or that end in a colon keep their breaks."""
    lines: list[str] = []
    literal = False
    for line in text.split("\n"):
        indented = line.startswith("  ")
        if indented != literal:
            lines.append(".nf" if indented else ".fi")
            literal = indented
        if not line:
            lines.append(".PP")
        elif line in ("Example:", "Examples:"):
            lines.append(".SH EXAMPLES")
        else:
            lines.append(escaped(line))
    return lines + ([".fi"] if literal else [])


def page(command: dict, above: list[str], version: str, date: str) -> tuple[str, str]:
    names = above + [command["commandName"]]
    title, spoken = "-".join(names), " ".join(names)
    lines = [
        f'.TH "{title.upper()}" "1" "{date}" "sedd {version}" "sedd"', ".SH NAME",
        f"{escaped(title)} \\- {escaped(command.get('abstract', '').rstrip('.'))}", ".SH SYNOPSIS", synopsis(spoken, command),
    ]
    discussion = command.get("discussion", "")
    text, mark, examples = discussion.partition("\n\nExample")
    if not mark and discussion.startswith("Example"):
        text, mark, examples = "", "Example", discussion[len("Example"):]
    if text:
        lines += [".SH DESCRIPTION"] + prose(text)
    if command.get("subcommands"):
        lines.append(".SH COMMANDS")
        for sub in command["subcommands"]:
            lines += [".TP", f"\\fB{escaped(' '.join(names + [sub['commandName']]))}\\fR", escaped(sub.get("abstract", ""))]
    shown = [a for a in command.get("arguments", []) if a.get("shouldDisplay", True)]
    if shown:
        lines.append(".SH OPTIONS")
        for argument in shown:
            default = argument.get("defaultValue")
            described = argument.get("abstract", "") + (f" (default: {default})" if default else "")
            lines += [".TP", flag(argument), escaped(described)]
    if mark:
        lines += prose("Example" + examples)
    others = [above[:i + 1] for i in range(len(above))] + [names + [s["commandName"]] for s in command.get("subcommands", [])]
    if others:
        lines += [".SH SEE ALSO", ", ".join(f"\\fB{escaped('-'.join(o))}\\fR(1)" for o in others)]
    return title + ".1", "\n".join(lines) + "\n"


def pages(command: dict, above: list[str], version: str, date: str):
    yield page(command, above, version, date)
    for sub in command.get("subcommands", []):
        if sub["commandName"] != "help":
            yield from pages(sub, above + [command["commandName"]], version, date)


sedd, version, date, folder = sys.argv[1:]
told = subprocess.run([sedd, "--experimental-dump-help"], check=True, capture_output=True, text=True).stdout
root = json.loads(told)["command"]
root["subcommands"] = [s for s in root["subcommands"] if s["commandName"] != "help"]
for name, text in pages(root, [], version, date):
    (pathlib.Path(folder) / name).write_text(text, encoding="utf-8")
