#!/usr/bin/env python3
"""Sets the run path of ELF files in place: runpath.py PATH FILE...

Where the dynamic loader looks for libraries is a text in the file's table of strings. A shorter one fits into its place, and so no
other tool is needed. What the loader would find on the machine that built the file is gone then.
"""
import struct
import sys

NEEDED_SIZE = 64
PT_LOAD, PT_DYNAMIC = 1, 2
DT_NULL, DT_STRTAB, DT_RPATH, DT_RUNPATH = 0, 5, 15, 29


def set_run_path(name: str, path: bytes) -> None:
    with open(name, "r+b") as file:
        head = file.read(NEEDED_SIZE)
        if head[:6] != b"\x7fELF\x02\x01":
            sys.exit(f"{name}: not a 64-bit little-endian ELF file")
        offset, = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        segments = []
        for index in range(count):
            file.seek(offset + index * size)
            kind, _, place, address, _, length, _, _ = struct.unpack("<IIQQQQQQ", file.read(56))
            segments.append((kind, place, address, length))

        def position(address: int) -> int:
            for kind, place, start, length in segments:
                if kind == PT_LOAD and start <= address < start + length:
                    return place + address - start
            sys.exit(f"{name}: address {address:#x} lies in no segment")

        dynamic = next(((place, length) for kind, place, _, length in segments if kind == PT_DYNAMIC), None)
        if dynamic is None:
            sys.exit(f"{name}: not dynamically linked")
        file.seek(dynamic[0])
        entries = list(struct.iter_unpack("<QQ", file.read(dynamic[1])))
        entries = entries[: next((i for i, (tag, _) in enumerate(entries) if tag == DT_NULL), len(entries))]
        paths = [value for tag, value in entries if tag in (DT_RPATH, DT_RUNPATH)]
        if not paths:
            return  # It does not search for any of our libraries.
        strings = position(next(value for tag, value in entries if tag == DT_STRTAB))
        for value in paths:
            file.seek(strings + value)
            old = file.read(1 << 14).split(b"\0", 1)[0]
            if len(path) > len(old):
                sys.exit(f"{name}: its run path '{old.decode()}' is shorter than '{path.decode()}'; link it with a longer one")
            file.seek(strings + value)
            file.write(path.ljust(len(old), b"\0"))


if len(sys.argv) < 3:
    sys.exit("runpath: expected PATH FILE...")
for argument in sys.argv[2:]:
    set_run_path(argument, sys.argv[1].encode())
