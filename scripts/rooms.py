#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Check that each file of the emulator writes only its own state.

smmu.h names the struct of each file as a member of struct pkvm_smmu. No other
file may assign to a field of it, or take its address, which would hide an
assignment. Two exceptions are locks, and the tables that init.c hands over.
Prints each violation as FILE:LINE, and fails if there is one.
"""

import re
import sys
from pathlib import Path

# The file that owns each member of struct pkvm_smmu
OWNER = {"host": "mmio.c", "cmdq": "cmdq.c", "evtq": "evtq.c", "strtab": "strtab.c",
         "gerror": "gerror.c", "irq": "irq.c", "tlbi": "tlbi.c", "hwq": "hwq.c",
         "checked": "check.c"}
# Members that are constant after take-over
CONSTANT = ["base", "base_pa", "mmio_size", "idr", "iidr", "aidr", "oas_bits", "coherent", "msis",
            "splits_blocks", "feat", "counts"]
OWNER.update({name: "init.c" for name in CONSTANT})

PATH = r"(?:\bsmmu|->smmu|\bpkvm_smmus\[\w+\])(?:->|\.)(?P<room>\w+)(?P<rest>[\w.\[\]>-]*)"
WRITE = re.compile(PATH + r"\s*(?:=(?!=)|[-+|&^]=|<<=|>>=|\+\+|--)")
ADDRESS = re.compile(r"(?<!&)&(?:trap->)?" + PATH.replace(r"\bsmmu", r"smmu"))
# A pointer through which nothing can be written, or a lock
HARMLESS = re.compile(r"\bconst struct \w+ \*\w+ = &|lock\(&|smmu_\w+_from_host\(&|\.msi\b|_msi\b")


def check(path):
    """Yield the violations of one file."""
    text = path.read_text(encoding="utf-8")
    # Without comments, but with as many lines
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text, flags=re.S)
    for number, line in enumerate(text.splitlines(), 1):
        for pattern in (WRITE, ADDRESS):
            for m in pattern.finditer(line):
                owner = OWNER.get(m["room"])
                if owner in (None, path.name):
                    continue
                if pattern is ADDRESS and HARMLESS.search(line):
                    continue
                yield f"{path}:{number}: {path.name} writes smmu->{m['room']} of {owner}"


def main():
    found = [v for name in sys.argv[1:] for v in check(Path(name))]
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
