#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What becomes of the SMMUv3s of each board in the kernel's own device trees.

  boards.py KERNEL OUT SUMMARY PROGRAM

compiles each device tree of the kernel tree KERNEL that has an SMMUv3, has PROGRAM
(boards.c) decide for all of them, and writes OUT/boards.tsv, which has a line for each
board. Fails if that is not SUMMARY, and prints the difference. The last line counts.
"""
import concurrent.futures
import difflib
import os
import re
import subprocess
import sys

INCLUDE = re.compile(r'^\s*(?:#include|/include/)\s*["<]([^">]+)[">]', re.MULTILINE)
COLUMNS = "board\ttaken\tkept\trefused\tnode\treason\n"


def has_smmu(path, dts, seen):
    """Does a source, or what it includes, name an SMMUv3?"""
    if path in seen:
        return seen[path]
    seen[path] = False
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return False
    places = (os.path.dirname(path), dts, os.path.join(dts, "../../../../scripts/dtc/include-prefixes"))
    seen[path] = '"arm,smmu-v3"' in text or any(
        has_smmu(os.path.normpath(os.path.join(place, name)), dts, seen)
        for name in INCLUDE.findall(text) if name.endswith((".dtsi", ".dts"))
        for place in places)
    return seen[path]


def compile_tree(source, dts, out):
    """Returns the compiled tree."""
    name = os.path.relpath(source, dts).replace("/", "-").removesuffix(".dts")
    path = os.path.join(out, name + ".dtb")
    prefixes = os.path.join(dts, "../../../../scripts/dtc/include-prefixes")
    flags = ["-nostdinc", "-undef", "-D__DTS__", "-x", "assembler-with-cpp", f"-I{prefixes}"]
    text = subprocess.run(["cpp", *flags, source], capture_output=True, check=True).stdout
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-i", os.path.dirname(source),
                    "-o", path, "-"], input=text, capture_output=True, check=True)
    return path


def main():
    """The command."""
    kernel, out, summary, program = sys.argv[1:]
    dts = os.path.join(kernel, "arch/arm64/boot/dts")
    os.makedirs(out, exist_ok=True)
    seen = {}
    sources = sorted(path for directory, _, names in os.walk(dts) for name in names
                     if name.endswith(".dts")
                     and has_smmu(path := os.path.join(directory, name), dts, seen))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            trees = list(pool.map(lambda source: compile_tree(source, dts, out), sources))
        except subprocess.CalledProcessError as error:
            sys.exit(f"error: {' '.join(error.cmd)}: {error.stderr.decode()}")
    decided = subprocess.run([program, *trees], stdout=subprocess.PIPE, text=True, check=False)
    if decided.returncode:
        sys.exit(f"error: {program} has failed")
    table = COLUMNS + decided.stdout.replace(".dtb\t", "\t")
    with open(os.path.join(out, "boards.tsv"), "w", encoding="utf-8") as file:
        file.write(table)

    rows = [line.split("\t") for line in table.splitlines()[1:]]
    rows = [(board, int(taken), int(refused)) for board, taken, _, refused, *_ in rows]
    with open(summary, encoding="utf-8") as file:
        was = file.read()
    sys.stdout.writelines(difflib.unified_diff(was.splitlines(True), table.splitlines(True),
                                               summary, os.path.join(out, "boards.tsv")))
    offered = [row for row in rows if row[1] + row[2]]
    isolated = [row for row in offered if not row[2]]
    print(f"{len(rows)} boards have an SMMUv3, {len(offered)} one that the kernel can use; "
          f"of these {len(isolated)} are isolated")
    return table != was


if __name__ == "__main__":
    sys.exit(main())
