#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What isolation costs, counted in instructions: both kernels under QEMU's -icount.

Called by "make bench", which has built the kernels and sets what env.sh does. Prints
tables in Markdown, and leaves them in build/bench.md, a plot of them in build/bench.svg,
and the series' figures in build/bench.tsv. With CHECK=1 in the environment it fails if
one of these is more than 5 % above that of scripts/bench.tsv.

Take-over: from the kernel's first instruction to "Run /init", by the time stamps of the
log, for several sizes of RAM, and what EL2's tables take then. DMA: what dma_map_page()
and dma_unmap_page() take, by the kernel's own dma_map_benchmark, to a tenth of a
microsecond, that is 100 instructions; with two threads it is the time that passes for one
of them while the other's instructions count as well. Traps and commands are by EL2's
counters: an unmap in strict mode is two commands of the host's, an invalidation and a
CMD_SYNC. Donation: what it takes a protected guest to write to so many pages for the
first time, all that KVM does for it included.
"""
import os
import re
import subprocess
import sys

from boot import BootError, boot

PKVM = "kvm-arm.mode=protected"
MODES = {"strict": "iommu.passthrough=0 iommu.strict=1",
         "lazy": "iommu.passthrough=0 iommu.strict=0",
         "passthrough": "iommu.passthrough=1"}
RAM = (1024, 4096, 16384)
# Of each size. Which CPU does what, and so how long a boot takes, differs: the least counts
BOOTS = 3
KERNELS = ("base", "series")
TOLERANCE = 1.05
# Of what dma_map_benchmark prints
RESOLUTION = 100
# By how many millions that differs from one time to the next all the same
BOOT_NOISE = 12

PLOT = """set terminal svg size 900,{height} dynamic background rgb 'white'
set output '{svg}'
set title 'Instructions with the series, as a ratio to the base'
set style fill solid
set boxwidth 0.7
set yrange [{last}:-0.7]
set xrange [0:*]
set grid x
set lmargin 36
unset key
plot '-' using ($2/2):0:($2/2):(0.35):ytic(1) with boxxyerror linecolor rgb '#5588bb', \\
     '-' using (1):1 with lines linecolor rgb '#333333'
{rows}
e
-0.7
{last}
e
"""


class Bench:
    """Tables for people, figures to compare, and ratios to plot."""
    def __init__(self):
        self.text, self.figures, self.ratios = [], {}, []

    def table(self, head, rows):
        """In Markdown."""
        self.text.append("\n".join(["| " + " | ".join(head) + " |", "|---" * len(head) + "|",
                                    *("| " + " | ".join(row) + " |" for row in rows)]) + "\n")

    def ratio(self, name, base, series):
        """Of what the base has, if it has any."""
        if not base:
            return "-"
        self.ratios.append((name, series / base))
        return f"{series / base:.2f}"


def run(kernel, tests, append, **machine):
    """Boots one, and returns what the tests said, and the console."""
    obj = os.environ[f"OBJ_{kernel.upper()}"]
    # The same for both: unpacking it is part of the boot
    initrd = f"{os.environ['INITRAMFS']}-base-{os.environ['KEY']}.cpio.gz"
    console = []
    results = boot(f"{obj}/arch/arm64/boot/Image", initrd, tests,
                   append=f"{PKVM} printk.time=1 {append}",
                   console=console.append, timeout=1200, icount=True,
                   expect="leak" if kernel == "base" else "block", **machine)
    for result in results:
        if result.failed:
            raise BootError(f"{kernel}, {append}: {result}")
    print(f"bench: {kernel}, {' '.join(tests)}, {append}: done", flush=True)
    return {result.name: result.note for result in results}, console


def boot_time(console):
    """Millions of instructions until init runs."""
    for line in console:
        match = re.match(r"\[ *(\d+\.\d+)\] Run /init", line)
        if match:
            return float(match[1]) * 1000
    raise BootError("the log has no time stamps")


def counts(note):
    """What "name=number" words there are."""
    return {name: int(val) for name, val in re.findall(r"(\w+)=(\d+)\b", note)}


def measure_boots(bench):
    """Take-over."""
    rows = []
    for mem in RAM:
        gib = f"{mem // 1024} GiB"
        base = min(boot_time(run("base", ["up"], MODES["passthrough"], mem=mem)[1])
                   for _ in range(BOOTS))
        boots = [run("series", ["up", "stats"], MODES["passthrough"], mem=mem)
                 for _ in range(BOOTS)]
        series, pool = min(boot_time(console) for _, console in boots), counts(boots[0][0]["stats"])
        rows.append([gib, f"{base:.0f} M", f"{series:.0f} M", f"{series - base:+.1f} M",
                     f"{pool['pool_used'] * 4} KiB", f"{pool['pool_pages'] * 4} KiB"])
        bench.figures[f"boot {gib}"] = series
        bench.figures[f"tables {gib}"] = pool["pool_used"] * 4
        bench.ratio(f"boot, {gib}", base, series)
    bench.table(["RAM", "to /init, base", "series", "more", "tables in use", "set aside for tables"],
                rows)


def measure_dma(bench):
    """Mapping, unmapping, and what EL2 has to do with it."""
    rows, traps = [], []
    for mode, append in MODES.items():
        both = [run(kernel, ["up", "bench"], append)[0] for kernel in KERNELS]
        for name in (n for n in both[0] if n.startswith("bench-")):
            _, threads, pages = name.split("-")
            size = f"{int(pages) * 4}K"
            found = [re.search(r"map latency\(us\): *([\d.]+).*unmap latency\(us\): *([\d.]+)",
                               one[name]) for one in both]
            for i, what in enumerate(("map", "unmap"), 1):
                took = [float(match[i]) * 1000 for match in found]
                label = f"{what}, {mode}, {size}, {threads} thread{'s' * (threads != '1')}"
                # How two threads take turns is not the same twice
                if threads == "1":
                    bench.figures[label] = took[1]
                    ratio = bench.ratio(label, *took)
                else:
                    ratio = "-"
                rows.append([what, mode, threads, size, *(f"{t:.0f}" for t in took), ratio])
            if mode != "strict":
                continue
            did = counts(both[1][name])
            per_unmap = 2 * did["traps"] / did["commands"]
            forwarded = did["hw_commands"] / did["commands"]
            traps.append([threads, size, f"{per_unmap:.2f}", f"{forwarded:.2f}",
                          f"{(took[1] - took[0]) / per_unmap:.0f}" if threads == "1" else "-"])
            bench.figures[f"traps an unmap, {size}, {threads}"] = per_unmap
            bench.figures[f"commands forwarded, {size}, {threads}"] = forwarded
    bench.table(["dma", "mode", "threads", "size", "base", "series", "ratio"], rows)
    bench.table(["threads, strict", "size", "traps an unmap",
                 "commands forwarded for one of the host's", "instructions more, a trap"], traps)


def measure_donations(bench):
    """Pages that become a guest's. Which ones Linux finds for it is not the same twice."""
    both = [[run(kernel, ["up", "bench-donate"], MODES["passthrough"])[0] for _ in range(BOOTS)]
            for kernel in KERNELS]
    rows = []
    for name in (n for n in both[0][0] if n.startswith("donate-")):
        pages = int(name.split("-")[1])
        took = [min(int(re.search(r"take (\d+) ns", one[name])[1]) for one in boots)
                for boots in both]
        rows.append([str(pages), *(f"{t}" for t in took), f"{(took[1] - took[0]) / pages:+.0f}"])
        bench.figures[f"donate {pages}"] = took[1]
        bench.ratio(f"donate {pages} page{'s' * (pages > 1)}", *took)
    bench.table(["pages given to a guest", "base", "series", "more, a page"], rows)


def plot(ratios, path):
    """Bars."""
    rows = "\n".join(f'"{name}" {ratio:.3f}' for name, ratio in ratios)
    script = PLOT.format(svg=path, rows=rows, last=len(ratios) - 0.3,
                         height=60 + 22 * len(ratios))
    if subprocess.run(["gnuplot"], input=script, text=True, check=False).returncode:
        raise BootError("gnuplot failed")


def read_figures(path):
    """Name and value, a tab between them."""
    with open(path, encoding="utf-8") as lines:
        return {name: float(val) for name, val in (line.rstrip("\n").split("\t")
                                                   for line in lines if line[0] != "#")}


def worse(figures, baseline):
    """What of the figures is above the baseline, or only there or only here."""
    found = []
    for name, val in figures.items():
        limit = baseline.get(name, 0) * TOLERANCE
        if "map, " in name:
            limit = max(limit, baseline.get(name, 0) + RESOLUTION)
        elif name.startswith("boot "):
            limit = max(limit, baseline.get(name, 0) + BOOT_NOISE)
        if val > limit:
            found.append(f"{name}: {val:g}, and the baseline has "
                         f"{baseline[name]:g}" if name in baseline else f"{name}: no baseline")
    return found + [f"{name}: not measured" for name in baseline if name not in figures]


def main():
    """The command."""
    repo, bench = os.environ["REPO"], Bench()
    os.makedirs(f"{repo}/build", exist_ok=True)
    try:
        measure_boots(bench)
        measure_dma(bench)
        measure_donations(bench)
        plot(bench.ratios, f"{repo}/build/bench.svg")
    except BootError as error:
        sys.exit(f"error: {error}")
    text = "\n".join(bench.text)
    with open(f"{repo}/build/bench.md", "w", encoding="utf-8") as out:
        out.write(text)
    with open(f"{repo}/build/bench.tsv", "w", encoding="utf-8") as out:
        out.writelines(f"{name}\t{val:g}\n" for name, val in bench.figures.items())
    print(text, end="")
    if not os.environ.get("CHECK"):
        return False
    found = worse(bench.figures, read_figures(f"{repo}/scripts/bench.tsv"))
    print(*found, sep="\n")
    print(f"{len(found)} of {len(bench.figures)} figures are worse than in scripts/bench.tsv")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
