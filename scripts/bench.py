#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What isolation costs, counted in instructions: both kernels under QEMU's -icount.

Called by "make bench", which has built the kernels and sets what env.sh does. Prints
two tables in Markdown, and leaves them in build/bench.md.

Take-over: from the kernel's first instruction to "Run /init", by the time stamps of the
log, for several sizes of RAM. DMA: what dma_map_page() and dma_unmap_page() take, by the
kernel's own dma_map_benchmark, to a tenth of a microsecond, that is 100 instructions; with
two threads it is the time that passes for one of them while the other's instructions count
as well.
"""
import os
import re
import sys

from boot import BootError, boot

PKVM = "kvm-arm.mode=protected"
MODES = {"strict": "iommu.passthrough=0 iommu.strict=1",
         "lazy": "iommu.passthrough=0 iommu.strict=0",
         "passthrough": "iommu.passthrough=1"}
RAM = (1024, 4096, 16384)
KERNELS = ("base", "series")


def run(kernel, tests, append, **machine):
    """Boots one, and returns what the tests said, and the console."""
    obj = os.environ[f"OBJ_{kernel.upper()}"]
    # The same for both: unpacking it is part of the boot
    initrd = f"{os.environ['CACHE']}/initramfs-base-{os.environ['KEY']}.cpio.gz"
    console = []
    results = boot(f"{obj}/arch/arm64/boot/Image", initrd, tests, append=f"{PKVM} printk.time=1 {append}",
                   console=console.append, timeout=1200, icount=True,
                   expect="leak" if kernel == "base" else "block", **machine)
    for result in results:
        if result.status == "FAIL":
            raise BootError(f"{kernel}, {append}: {result}")
    return {result.name: result.note for result in results}, console


def boot_time(console):
    """Millions of instructions until init runs."""
    for line in console:
        match = re.match(r"\[ *(\d+\.\d+)\] Run /init", line)
        if match:
            return float(match[1]) * 1000
    raise BootError("the log has no time stamps")


def table(head, rows):
    """In Markdown."""
    return "\n".join(["| " + " | ".join(head) + " |", "|---" * len(head) + "|",
                      *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def measure_boots():
    """Take-over."""
    rows = []
    for mem in RAM:
        took = [boot_time(run(kernel, ["up"], MODES["passthrough"], mem=mem)[1])
                for kernel in KERNELS]
        rows.append([f"{mem // 1024} GiB", *(f"{m:.0f} M" for m in took),
                     f"{took[1] - took[0]:+.1f} M"])
        print("bench: boot", *rows[-1], flush=True)
    return table(["RAM", "base", "series", "more"], rows)


def measure_dma():
    """Mapping."""
    rows = []
    for mode, append in MODES.items():
        both = [run(kernel, ["up", "bench"], append)[0] for kernel in KERNELS]
        for name in (n for n in both[0] if n.startswith("bench-")):
            _, threads, pages = name.split("-")
            found = [re.search(r"map latency\(us\): *([\d.]+).*unmap latency\(us\): *([\d.]+)",
                               one[name]) for one in both]
            for i, what in enumerate(("map", "unmap"), 1):
                took = [float(match[i]) * 1000 for match in found]
                ratio = f"{took[1] / took[0]:.2f}" if took[0] else "-"
                rows.append([what, mode, threads, f"{int(pages) * 4}K",
                             *(f"{t:.0f}" for t in took), ratio])
                print("bench: dma", *rows[-1], flush=True)
    return table(["", "mode", "threads", "size", "base", "series", "ratio"], rows)


def main():
    """The command."""
    try:
        text = measure_boots() + "\n" + measure_dma()
    except BootError as error:
        sys.exit(f"error: {error}")
    os.makedirs(f"{os.environ['REPO']}/build", exist_ok=True)
    with open(f"{os.environ['REPO']}/build/bench.md", "w", encoding="utf-8") as out:
        out.write(text)
    print(text, end="")


if __name__ == "__main__":
    main()
